/** What happens, as it happens: server-sent events. A listener that is too slow misses some and is told how many. */
import { PassThrough } from "node:stream";
import { z } from "zod";
import type { GatewayEvent } from "../observe/events.ts";
import { ApiError } from "./api-error.ts";
import type { Caller } from "./callers.ts";
import { type Api, callerOf } from "./http-api.ts";
import { endWithRight } from "./standing-stream.ts";

const MOST_LISTENERS = 100;
/** Octets that wait for a slow listener. */
const MOST_WAITING = 256 * 1024;
const PULSE_MS = 15_000;

export interface Ear {
  readonly mayHear: (meter: string | undefined) => boolean;
}

interface Listener extends Ear {
  readonly out: PassThrough;
  missed: number;
}

export class LiveStream {
  readonly #listeners = new Set<Listener>();
  readonly #pulse: NodeJS.Timeout;

  constructor() {
    this.#pulse = setInterval(() => this.#beat(), PULSE_MS).unref();
  }

  /** Costs nothing while nobody listens. */
  tell(event: GatewayEvent): void {
    if (this.#listeners.size === 0) return;
    const meter = "meter" in event ? event.meter : undefined;
    const text = `event: ${event.event}\ndata: ${JSON.stringify({ ...event, at: new Date().toISOString() })}\n\n`;
    for (const listener of this.#listeners) {
      if (listener.mayHear(meter)) send(listener, text);
    }
  }

  /** A stream of all that the caller may hear from now on. Throws ApiError when too many listen. */
  listen(ear: Ear): PassThrough {
    if (this.#listeners.size >= MOST_LISTENERS) throw new ApiError("unavailable", `${MOST_LISTENERS} listen already`);
    const listener: Listener = { ...ear, out: new PassThrough(), missed: 0 };
    this.#listeners.add(listener);
    listener.out.once("close", () => this.#listeners.delete(listener));
    listener.out.write("retry: 2000\n\n");
    return listener.out;
  }

  close(): void {
    clearInterval(this.#pulse);
    for (const { out } of this.#listeners) out.end();
  }

  #beat(): void {
    for (const listener of this.#listeners) send(listener, ": still here\n\n");
  }
}

function send(listener: Listener, text: string): void {
  if (listener.out.writableLength > MOST_WAITING) {
    listener.missed++;
    return;
  }
  if (listener.missed > 0) {
    listener.out.write(`event: missed\ndata: {"count":${listener.missed}}\n\n`);
    listener.missed = 0;
  }
  listener.out.write(text);
}

export interface LiveParts {
  readonly live: LiveStream;
  /** Which meter a name is, without a look into the database. */
  readonly meterKeyOf: (name: string) => number | undefined;
}

export function liveResources(api: Api, { live, meterKeyOf }: LiveParts): void {
  api.get(
    "/v1/live",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["events"],
        summary: "What happens in the gateway, as server-sent events",
        querystring: z.object({ meter: z.string().max(128).optional().describe("Only of this meter, by its name.") }),
        produces: ["text/event-stream"],
      },
    },
    async (request, reply) => {
      const { meter } = request.query;
      let caller = callerOf(request);
      const out = live.listen({
        mayHear: (name) =>
          (meter === undefined || name === meter) && mayHear(caller, name === undefined ? undefined : meterKeyOf(name)),
      });
      reply.type("text/event-stream").header("cache-control", "no-store").header("x-accel-buffering", "no");
      const stillMayHear = async () => {
        const now = await request.callerNow();
        caller = now ?? caller;
        return now !== undefined;
      };
      return reply.send(endWithRight(out, stillMayHear));
    },
  );
}

/** Who may see some meters only hears of nothing else. */
function mayHear({ meterKeys }: Caller, meterKey: number | undefined): boolean {
  return meterKeys === undefined || (meterKey !== undefined && meterKeys.has(meterKey));
}
