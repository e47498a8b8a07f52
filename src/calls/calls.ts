/** Meters that call in: which of them are connected, and on which connections. */
import type { ByteChannel } from "../../drivers/channel.ts";
import { ChannelError } from "../../drivers/channel-error.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import type { MeterCalls } from "../collect/session/meter-channel.ts";
import type { HeldCall } from "./held-call.ts";

interface Caller {
  /** Those behind one modem are several. */
  readonly meters: PolledMeter[];
  call?: HeldCall | undefined;
  /** Opened while a visit has the other one, which has probably ended without a sign. */
  next?: HeldCall | undefined;
  /** Told when it calls. */
  readonly waiting: Set<() => void>;
}

export class Calls implements MeterCalls {
  readonly #callers = new Map<string, Caller>();
  readonly #byKey = new Map<number, Caller>();
  readonly #byName = new Map<string, Caller>();
  #onReach: (meter: PolledMeter, isReachable: boolean) => void = () => undefined;

  constructor(meters: Iterable<PolledMeter>) {
    for (const meter of meters) this.add(meter);
  }

  /** How many call in that are known, connected or not. */
  get callerCount(): number {
    return this.#callers.size;
  }

  add(meter: PolledMeter): void {
    if (meter.target.connection.callsIn !== true) return;
    const key = callerKey(meter);
    const caller: Caller = this.#callers.get(key) ?? { meters: [], waiting: new Set() };
    caller.meters.push(meter);
    this.#callers.set(key, caller);
    this.#byKey.set(meter.meterKey, caller);
    this.#byName.set(meter.target.name, caller);
  }

  /** The connection of a meter that nobody knows any more ends with it. */
  remove(meter: PolledMeter): void {
    const caller = this.#byKey.get(meter.meterKey);
    if (caller === undefined) return;
    this.#byKey.delete(meter.meterKey);
    this.#byName.delete(meter.target.name);
    caller.meters.splice(caller.meters.indexOf(meter), 1);
    if (caller.meters.length > 0) return;
    this.#callers.delete(callerKey(meter));
    for (const resolve of caller.waiting) resolve();
    caller.next?.close();
    caller.call?.close();
  }

  /** `onReach` hears when there is a way to a meter, and when there is none any more. */
  watch(onReach: (meter: PolledMeter, isReachable: boolean) => void): void {
    this.#onReach = onReach;
  }

  /** Whether a meter can be visited: it does not call in, or is connected. */
  isReachable({ meterKey }: PolledMeter): boolean {
    const caller = this.#byKey.get(meterKey);
    return caller === undefined || caller.call !== undefined;
  }

  /** Resolves when the meter can be visited, is known no more, or the time is over. */
  async untilReachable(meter: PolledMeter, timeoutMs: number): Promise<void> {
    const caller = this.#byKey.get(meter.meterKey);
    if (caller === undefined || caller.call !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs).unref();
    caller.waiting.add(resolve);
    await promise;
    clearTimeout(timer);
    caller.waiting.delete(resolve);
  }

  /** The meters that a call of that name is for; none where nobody is called so. */
  named(caller: string): readonly PolledMeter[] {
    return this.#callers.get(caller)?.meters ?? [];
  }

  /** A meter has called. Undefined where it is not one that calls in; else the meters on its call. */
  admit(meterKey: number, call: HeldCall): readonly PolledMeter[] | undefined {
    const caller = this.#byKey.get(meterKey);
    if (caller === undefined) return undefined;
    for (const { target } of caller.meters) target.calledFrom = call.peer;
    void call.ended.then(() => this.#ended(caller, call));
    if (caller.call?.isTaken === true) {
      caller.next?.close();
      caller.next = call;
      return caller.meters;
    }
    const former = caller.call;
    caller.call = call;
    former?.close();
    this.#reached(caller);
    return caller.meters;
  }

  /** Ends what a meter has open: it has called another gateway. */
  hangUp({ meterKey }: PolledMeter): void {
    const caller = this.#byKey.get(meterKey);
    caller?.next?.close();
    caller?.call?.close();
  }

  take({ name }: Parameters<MeterCalls["take"]>[0]): ByteChannel {
    const caller = this.#byName.get(name);
    if (caller?.call === undefined) throw new ChannelError("CHANNEL_NOT_CALLED", { meter: name });
    return caller.call.visit(() => this.#change(caller));
  }

  #ended(caller: Caller, call: HeldCall): void {
    if (caller.next === call) caller.next = undefined;
    if (caller.call !== call) return;
    caller.call = undefined;
    if (caller.next === undefined) for (const meter of caller.meters) this.#onReach(meter, false);
    else this.#change(caller);
  }

  /** The newer call is the one to go on with, as soon as no visit has the other. */
  #change(caller: Caller): void {
    if (caller.next === undefined) return;
    const former = caller.call;
    caller.call = caller.next;
    caller.next = undefined;
    former?.close();
    this.#reached(caller);
  }

  #reached({ meters, waiting }: Caller): void {
    for (const meter of meters) this.#onReach(meter, true);
    for (const resolve of waiting) resolve();
  }
}

/** No modem calls itself by the key of a meter that calls by itself. */
function callerKey({ meterKey, target }: PolledMeter): string {
  return target.connection.caller ?? `\n${meterKey}`;
}
