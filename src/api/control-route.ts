import type { z } from "zod";

/** Answers one kind of order over the control socket. Throws a ZodError for an order that is none. */
export type ControlRoute = (order: unknown) => Promise<unknown>;

/** A route that takes orders of a form; what it answers one by one is sent so, a JSON value a line. */
export function controlRoute<T extends z.ZodType>(
  form: T,
  answer: (order: z.output<T>) => Promise<unknown> | AsyncIterable<unknown>,
): ControlRoute {
  return async (order) => answer(form.parse(order));
}

/** Something that was asked for and can't be done, in words for whoever asked. */
export class OrderRefusedError extends Error {
  override readonly name = "OrderRefusedError";
}
