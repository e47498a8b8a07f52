/** Orders to one meter: by name through the running daemon, or by address without any. */
import { z } from "zod";
import { systemClock } from "../../../drivers/clock.ts";
import { ORDER_STATES } from "../../api/answers/orders.ts";
import { askForOrder } from "../../api/local-client.ts";
import { ReadRefusedError } from "../../api/read-answer.ts";
import { executeOrder, type MeterOrder, meterOrderSchema } from "../../control/meter-order.ts";
import type { OrderResult } from "../../control/order-execution.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { type DirectOptions, idleOptions, withDirectMeter } from "./direct-meter.ts";
import { printRefusal, readCommand } from "./read-command.ts";

export interface OrderOptions extends DirectOptions {
  readonly socket: string;
  readonly json?: true;
  /** For the log of changes of the daemon. */
  readonly why?: string;
}

const OPTIONS_BY_NAME: ReadonlySet<string> = new Set(["json", "socket", "why"]);
const GOOD: ReadonlySet<OrderResult["state"]> = new Set(["done", "unchanged", "ready"]);

export interface ObjectOrderOptions extends OrderOptions {
  readonly object?: string;
}

/** An order to one object of the meter: its own where none is named. */
export async function objectOrderCommand(
  type: "disconnect" | "reconnect" | "activate-calendar",
  meter: string | undefined,
  { object, ...options }: ObjectOrderOptions,
  output: Output,
): Promise<ExitReason> {
  return await orderCommand(meter, { type, ...(object !== undefined && { logicalName: object }) }, options, output);
}

export interface ClockOptions extends OrderOptions {
  readonly set?: true;
}

/** Shows the clock, or sets it. */
export async function clockCommand(
  meter: string | undefined,
  { set, ...options }: ClockOptions,
  output: Output,
): Promise<ExitReason> {
  if (set) return await orderCommand(meter, { type: "set-clock" }, options, output);
  return await readCommand([meter ?? [], "clock"].flat(), options, output);
}

/** `words` are the meter, where it is named, the attribute and the value. */
export async function writeCommand(
  words: readonly string[],
  options: OrderOptions,
  output: Output,
): Promise<ExitReason> {
  const [value, attribute, meter, ...others] = words.toReversed();
  if (value === undefined || attribute === undefined || others.length > 0) {
    output.err("write: say METER, ATTRIBUTE and VALUE, or --tcp host:port or --serial path and the last two");
    return "usage";
  }
  return await orderCommand(meter, { type: "write", attribute, value: valueOf(value) }, options, output);
}

async function orderCommand(
  meter: string | undefined,
  given: z.input<typeof meterOrderSchema>,
  options: OrderOptions,
  output: Output,
): Promise<ExitReason> {
  const place = options.tcp ?? options.serial;
  const name = meter ?? place;
  const isLacking = place === undefined && options.why === undefined;
  const wrong = isLacking
    ? "--why is wanted: the log of changes keeps the reason"
    : idleOptions(options, OPTIONS_BY_NAME);
  if (name === undefined || wrong !== undefined) {
    output.err(wrong ?? "say METER, or --tcp host:port or --serial path");
    return "usage";
  }
  const parsed = meterOrderSchema.safeParse(given);
  if (!parsed.success) {
    output.err(z.prettifyError(parsed.error));
    return "usage";
  }
  try {
    const order = parsed.data;
    const result = await (place === undefined
      ? askForOrder(options.socket, { meter: name, order, why: options.why ?? "" })
      : giveDirectly(name, order, options, output));
    printResult(name, result, options, output);
    return exitOf(result);
  } catch (error) {
    if (!(error instanceof ReadRefusedError)) throw error;
    printRefusal(error, options, output);
    return "meterFailed";
  }
}

function giveDirectly(name: string, order: MeterOrder, options: OrderOptions, output: Output): Promise<OrderResult> {
  return withDirectMeter(name, options, output, (meter) => executeOrder(order, { ...meter, clock: systemClock }));
}

export function exitOf({ state }: OrderResult): ExitReason {
  return GOOD.has(state) ? "success" : "meterFailed";
}

export function printResult(
  meter: string,
  result: OrderResult,
  { json }: Pick<OrderOptions, "json">,
  output: Output,
): void {
  if (json) {
    output.out(JSON.stringify({ meter, ...result }, undefined, 2));
    return;
  }
  const { state, before, after, evidence } = result;
  output.out(`${meter}: ${state}: ${ORDER_STATES[state]}`);
  output.out(`  before  ${JSON.stringify(before)}`);
  output.out(`  after   ${JSON.stringify(after)}`);
  if (evidence !== null) output.err(`  seen    ${evidence}`);
}

/** Numbers, true and false, and lists in brackets are themselves, everything else is text. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
