/** Keys of meters that are changed: ordered here, carried out by the gateway that works the meter. */
import { z } from "zod";
import { keyChange } from "../api/answers/keys.ts";
import type { Caller } from "../api/callers.ts";
import { type Api, callerOf } from "../api/http-api.ts";
import { CHANGED_KEYS, KEY_CHANGE_WAYS, type KeyChange } from "./key-change.ts";

/** What is to be done to the keys of a meter; `settle` finds out how a change that was cut short has ended. */
export const keyOrderSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("change"), role: z.enum(CHANGED_KEYS), way: z.enum(KEY_CHANGE_WAYS) }),
  z.strictObject({ type: z.literal("settle") }),
]);
export type MeterKeyOrder = z.output<typeof keyOrderSchema>;

export interface KeyOrders {
  /** The name of a meter that the caller may touch. Throws ApiError. */
  readonly nameOf: (nameOrNumber: string, caller: Caller) => string;
  /** Throws ReadRefusedError. */
  readonly carryOut: (meter: string, order: MeterKeyOrder) => Promise<readonly KeyChange[]>;
}

export function keyResources(api: Api, { nameOf, carryOut }: KeyOrders): void {
  api.post(
    "/v1/meters/:meter/keys",
    {
      config: { needs: "admin", change: { event: "keyOrdered", message: "somebody had a meter's key changed" } },
      schema: {
        tags: ["keys"],
        summary: "Give a meter a new key, or find out how a change that was cut short has ended",
        params: z.object({ meter: z.string().min(1).max(128).describe("Name or number.") }),
        body: z.strictObject({ order: keyOrderSchema, why: z.string().min(1).max(1000) }),
        response: { 200: z.object({ items: z.array(keyChange) }) },
      },
    },
    async (request) => {
      const name = nameOf(request.params.meter, callerOf(request));
      const changes = await carryOut(name, request.body.order);
      return {
        items: changes.map(({ role, version = null, state, evidence = null }) => ({ role, version, state, evidence })),
      };
    },
  );
}
