/** What the API answers about orders to meters. */
import { z } from "zod";
import { requestProgress } from "./requests.ts";

/** What has happened, in the closed list that people and programs go by. */
export const ORDER_STATES = {
  done: "the meter does what was ordered, and shows it",
  unchanged: "the meter did so already: nothing was ordered",
  ready: "the meter is ready for reconnection: somebody at the meter has to close the switch",
  differs: "the meter took the order and shows something else",
  refused: "the meter refuses the order",
  unknown: "the connection was lost after the order, and the meter could not be asked again",
} as const;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the keys' literal types.
const STATE_NAMES = Object.keys(ORDER_STATES) as (keyof typeof ORDER_STATES)[];

export const orderResult = z.object({
  state: z.enum(STATE_NAMES),
  before: z.unknown().describe("What the meter showed before the order."),
  after: z.unknown().describe("What it shows since; null where nobody knows."),
  evidence: z.string().nullable(),
});

export const orderRequest = requestProgress.extend({ order: z.string(), result: orderResult.nullable() });
