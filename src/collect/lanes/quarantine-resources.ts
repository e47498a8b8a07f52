/** Meters that are set apart because they keep failing. */
import { z } from "zod";
import { quarantinedMeter } from "../../api/answers/work.ts";
import type { Caller } from "../../api/callers.ts";
import { type Api, callerOf } from "../../api/http-api.ts";
import { countPage, countPageQuery, pageOf } from "../../api/paging.ts";
import { nextStepOf } from "../causes/failure-cause.ts";
import type { PolledMeter } from "../polled-meter.ts";
import type { PollLoop } from "./poll-loop.ts";

export interface QuarantineParts {
  readonly loop: Pick<PollLoop<PolledMeter>, "quarantined">;
  readonly nameOf: (nameOrNumber: string, caller: Caller) => string;
  /** Forgets that a meter has failed, wherever it is worked. Throws ApiError and ReadRefusedError. */
  readonly release: (meter: string) => Promise<void>;
}

export function quarantineResources(api: Api, { loop, nameOf, release }: QuarantineParts): void {
  api.get(
    "/v1/quarantine",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["meters"],
        summary: "Meters that keep failing and are tried seldom, of those that this gateway works",
        querystring: countPageQuery.extend({
          meter: z.string().min(1).max(128).optional().describe("Name or number."),
        }),
        response: { 200: pageOf(quarantinedMeter) },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { meterKeys } = caller;
      const only = request.query.meter === undefined ? undefined : nameOf(request.query.meter, caller);
      const seen = Iterator.from(loop.quarantined()).filter(({ meter }) => {
        return (meterKeys?.has(meter.meterKey) ?? true) && (only ?? meter.target.name) === meter.target.name;
      });
      const { items, next } = countPage(seen, request.query);
      return {
        items: items.map(({ meter, sinceMs, nextTryMs, cause = null }) => ({
          meter: meter.target.name,
          since: new Date(sinceMs).toISOString(),
          cause,
          nextStep: cause && nextStepOf(cause),
          nextTry: new Date(nextTryMs).toISOString(),
        })),
        next,
      };
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
      await release(name);
      return { meter: name };
    },
  );
}
