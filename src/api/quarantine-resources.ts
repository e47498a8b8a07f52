/** Meters that are set apart because they keep failing. */
import { z } from "zod";
import type { PollLoop } from "../collect/poll-loop.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import { ApiError } from "./api-error.ts";
import type { Caller } from "./callers.ts";
import { type Api, callerOf } from "./http-api.ts";

export interface QuarantineParts {
  readonly shared: {
    readonly loop: Pick<PollLoop<PolledMeter>, "quarantined" | "seen">;
    /** Who works a meter, where that is not this gateway. */
    workedBy(meter: PolledMeter): string | undefined;
  };
  /** By name. */
  readonly meters: { get(name: string): PolledMeter | undefined };
  readonly nameOf: (nameOrNumber: string, caller: Caller) => string;
}

export function quarantineResources(api: Api, { shared, meters, nameOf }: QuarantineParts): void {
  api.get(
    "/v1/quarantine",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["meters"],
        summary: "Meters that keep failing and are tried seldom, of those that this gateway works",
        response: { 200: z.object({ items: z.array(z.object({ meter: z.string() })) }) },
      },
    },
    async (request) => {
      const { meterKeys } = callerOf(request);
      const seen = Array.from(shared.loop.quarantined()).filter(({ meterKey }) => meterKeys?.has(meterKey) ?? true);
      return { items: seen.map(({ target }) => ({ meter: target.name })) };
    },
  );
  api.post(
    "/v1/meters/:meter/release",
    {
      config: {
        needs: "operator",
        scoped: true,
        change: { event: "meterReleased", message: "somebody had a failing meter tried again" },
      },
      schema: {
        tags: ["meters"],
        summary: "Forget that a meter has failed: it is tried now, and as often as others",
        params: z.object({ meter: z.string().min(1).max(128) }),
        response: { 200: z.object({ meter: z.string() }) },
      },
    },
    async (request) => {
      const name = nameOf(request.params.meter, callerOf(request));
      const meter = meters.get(name);
      if (meter === undefined)
        throw new ApiError("conflict", `${name} is not polled: it is neither in the configuration nor was it added`);
      const worker = shared.workedBy(meter);
      if (worker !== undefined) throw new ApiError("conflict", `${name} is worked by ${worker}: ask there`);
      shared.loop.seen(meter);
      return { meter: name };
    },
  );
}
