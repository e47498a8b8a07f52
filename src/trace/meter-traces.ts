/** Who looks on at which meter's sessions and pushes. A session that runs already is not seen: the next one is. */
import { PassThrough } from "node:stream";
import type { ByteChannel } from "../../drivers/channel.ts";
import type { TraceLine } from "../api/answers/traces.ts";
import { ApiError } from "../api/api-error.ts";
import type { PushSender } from "../push/senders/sender-directory.ts";
import type { ReceivedPush } from "../store/push/received-push.ts";
import { pushLineOf } from "./push-line.ts";
import { type TracedMeter, tapped } from "./session-tap.ts";

interface Listener {
  readonly out: PassThrough;
  missed: number;
}

const MOST_LISTENERS = 20;
/** Octets that wait for a slow listener. */
const MOST_WAITING = 8 * 1024 * 1024;

export class MeterTraces {
  /** By the name of the meter; those of none look on at pushes of unknown senders. */
  readonly #listeners = new Map<string | undefined, Set<Listener>>();
  #count = 0;

  /** What to put between a meter's channel and its session; undefined, for the price of a look, when nobody listens. */
  wrapFor(meter: TracedMeter): ((channel: ByteChannel) => ByteChannel) | undefined {
    if (!this.#listeners.has(meter.name)) return undefined;
    return (channel) => tapped(channel, meter, (line) => this.#tell(meter.name, line));
  }

  /** Tells of a push that came; costs a look when nobody listens. */
  pushed(push: ReceivedPush, sender: PushSender | undefined): void {
    if (this.#listeners.has(sender?.name)) this.#tell(sender?.name, pushLineOf(push, sender));
  }

  /** Lines of JSON, a TraceLine each, until the listener goes. Throws ApiError when too many listen. */
  listen(meter: string | undefined): PassThrough {
    if (this.#count >= MOST_LISTENERS) throw new ApiError("unavailable", `${MOST_LISTENERS} look on already`);
    this.#count++;
    const listener: Listener = { out: new PassThrough(), missed: 0 };
    const ofMeter = this.#listeners.get(meter) ?? new Set();
    this.#listeners.set(meter, ofMeter.add(listener));
    listener.out.once("close", () => {
      this.#count--;
      ofMeter.delete(listener);
      if (ofMeter.size === 0) this.#listeners.delete(meter);
    });
    send(listener, { type: "listening", meter: meter ?? null });
    return listener.out;
  }

  close(): void {
    for (const listeners of this.#listeners.values()) for (const { out } of listeners) out.end();
  }

  #tell(meter: string | undefined, line: TraceLine): void {
    for (const listener of this.#listeners.get(meter) ?? []) send(listener, line);
  }
}

function send(listener: Listener, line: TraceLine): void {
  if (listener.out.writableLength > MOST_WAITING) {
    listener.missed++;
    return;
  }
  const missed: TraceLine[] = listener.missed === 0 ? [] : [{ type: "missed", lines: listener.missed }];
  listener.missed = 0;
  for (const each of [...missed, line]) listener.out.write(`${JSON.stringify(each)}\n`);
}
