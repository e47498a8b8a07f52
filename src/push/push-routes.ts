/** What the command line may order about pushes. */
import { z } from "zod";
import { COMPANIONS } from "../../protocol/cosem/companion/companion.ts";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { type ControlRoute, controlRoute, OrderRefusedError } from "../api/control-route.ts";
import type { PushReception } from "./push-reception.ts";

const TEXT = z.string().min(1).max(128);

const replayForm = z.strictObject({ sender: TEXT.optional(), sinceMs: z.number().optional() });
const adoptionForm = z.strictObject({
  sender: TEXT,
  name: TEXT,
  number: TEXT.optional(),
  companion: z.enum(COMPANIONS).default("none"),
  timeZone: TEXT.refine(isTimeZone, "not a time zone of the tz database, like Asia/Kolkata").default("UTC"),
});

function isTimeZone(name: string): boolean {
  try {
    return namedZone(name).name !== "";
  } catch {
    return false;
  }
}

export function pushRoutes(reception: PushReception): ReadonlyMap<string, ControlRoute> {
  return new Map([
    ["/v1/pushes/unknown", controlRoute(z.strictObject({}), () => reception.unknownSenders())],
    ["/v1/pushes/conflicts", controlRoute(z.strictObject({}), () => reception.senderConflicts())],
    [
      "/v1/pushes/replay",
      controlRoute(replayForm, ({ sender, sinceMs }) =>
        reception.replay({
          ...(sender !== undefined && { sender }),
          ...(sinceMs !== undefined && { since: new Date(sinceMs) }),
        }),
      ),
    ],
    [
      "/v1/meters/adopt",
      controlRoute(adoptionForm, async (adoption) => {
        const adopted = await reception.adopt(adoption);
        if (adopted === undefined) {
          throw new OrderRefusedError(`nothing is held of a sender ${adoption.sender}: see dlms-gateway push unknown`);
        }
        const { meter, ...outcome } = adopted;
        return { meter: meter.name, number: meter.number, ...outcome };
      }),
    ],
  ]);
}
