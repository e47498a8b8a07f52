/** What one meter can be ordered to do. */
import { z } from "zod";
import type { Clock } from "../../drivers/clock.ts";
import type { MeterTarget } from "../collect/session/meter-target.ts";
import { logicalName, plainValue } from "../config/fields.ts";
import { writeOrder } from "./attribute-write.ts";
import { calendarOrder } from "./calendar-activation.ts";
import { clockOrder } from "./clock-setting.ts";
import { switchOrder } from "./load-switch.ts";
import { carryOut, type OrderResult, type OrderVisits } from "./order-execution.ts";

const LOAD_SWITCH = "0.0.96.3.10.255";
/** Of a switch: that of the meter itself when no other is named, as of a gas valve. */
const switchName = logicalName.default(LOAD_SWITCH);

const CALENDAR = "0.0.13.0.0.255";

const ATTRIBUTE = /^\d{1,5}:[\d.*:-]+:\d{1,3}$/;
/** Passwords and PINs: what is written goes into the log of changes. */
const SECRETS: ReadonlySet<string> = new Set(["15:7", "19:7", "19:8", "19:9", "44:5", "45:3", "46:4"]);

export const meterOrderSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("disconnect"), logicalName: switchName }),
  z.strictObject({ type: z.literal("reconnect"), logicalName: switchName }),
  z.strictObject({ type: z.literal("set-clock") }),
  z.strictObject({ type: z.literal("activate-calendar"), logicalName: logicalName.default(CALENDAR) }),
  z.strictObject({
    type: z.literal("write"),
    attribute: z
      .string()
      .regex(ATTRIBUTE, "an attribute is class:logical name:attribute, as 71:0.0.17.0.0.255:4")
      .refine(
        (attribute) => !isSecret(attribute),
        "a secret is not written by order: the log of changes would show it",
      ),
    value: plainValue.describe(
      "Number, text, octets as 0x…, or a list of these; {unsigned: 1}, {structure: […]} and so on where the type has to be said.",
    ),
  }),
]);
export type MeterOrder = z.output<typeof meterOrderSchema>;

/** Rejects with what kept the meter from being told. */
export function executeOrder(
  order: MeterOrder,
  { target, visit, clock }: OrderVisits & { readonly target: MeterTarget; readonly clock: Clock },
): Promise<OrderResult> {
  const visits = { visit, clock };
  switch (order.type) {
    case "disconnect":
    case "reconnect":
      return carryOut(switchOrder(order.type, { ...order, quirks: target.quirks }), visits);
    case "set-clock":
      return carryOut(
        clockOrder(target, () => clock.now()),
        visits,
      );
    case "activate-calendar":
      return carryOut(calendarOrder(order.logicalName), visits);
    case "write":
      return carryOut(writeOrder(order.attribute, order.value), visits);
  }
}

function isSecret(attribute: string): boolean {
  const [classId] = attribute.split(":");
  return SECRETS.has(`${Number(classId)}:${Number(attribute.slice(attribute.lastIndexOf(":") + 1))}`);
}
