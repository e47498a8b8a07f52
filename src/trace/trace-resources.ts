/** Frames of a meter as they pass. */
import { z } from "zod";
import { ApiError } from "../api/api-error.ts";
import type { Caller } from "../api/callers.ts";
import { type Api, callerOf } from "../api/http-api.ts";
import { LINES } from "../api/lines.ts";
import { endWithRight } from "../api/standing-stream.ts";
import type { MeterTraces } from "./meter-traces.ts";

export interface TraceParts {
  readonly traces: MeterTraces;
  /** The name of the meter of that name or number. Throws ApiError. */
  readonly nameOf: (nameOrNumber: string, caller: Caller) => string;
  /** The gateway that works the meter, where that is not this one. */
  readonly workedBy: (meter: string) => string | undefined;
}

export function traceResources(api: Api, { traces, nameOf, workedBy }: TraceParts): void {
  api.get(
    "/v1/meters/:meter/trace",
    {
      config: {
        needs: "engineer",
        scoped: true,
        change: { event: "traceAsked", message: "somebody looks on at a meter's sessions" },
      },
      schema: {
        tags: ["meters"],
        summary: "The frames of a meter's sessions as they pass, and its pushes as they come, a JSON value a line",
        description:
          "Deciphered where the gateway has the keys. Passwords and keys are blanked. Pushes are those that this gateway hears.",
        params: z.object({ meter: z.string().min(1).max(128) }),
        produces: [LINES],
      },
    },
    async (request, reply) => {
      const name = nameOf(request.params.meter, callerOf(request));
      const gateway = workedBy(name);
      if (gateway !== undefined) throw new ApiError("conflict", `${name} is worked by ${gateway}: ask there`);
      const stream = endWithRight(traces.listen(name), async () => {
        const caller = await request.callerNow();
        return caller !== undefined && isKnown(() => nameOf(name, caller));
      });
      return reply.type(LINES).header("cache-control", "no-store").send(stream);
    },
  );
  traceOfUnknown(api, traces);
}

function traceOfUnknown(api: Api, traces: MeterTraces): void {
  api.get(
    "/v1/pushes/trace",
    {
      config: { needs: "engineer", change: { event: "traceAsked", message: "somebody looks on at unknown senders" } },
      schema: {
        tags: ["pushes"],
        summary: "What comes of senders that nobody knows, a JSON value a line",
        produces: [LINES],
      },
    },
    async (request, reply) => {
      const stream = endWithRight(traces.listen(undefined), async () => (await request.callerNow()) !== undefined);
      return reply.type(LINES).header("cache-control", "no-store").send(stream);
    },
  );
}

function isKnown(look: () => string): boolean {
  try {
    look();
    return true;
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}
