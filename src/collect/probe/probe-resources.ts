/** The road to a meter that the gateway works, walked step by step for whoever looks on. */
import { PassThrough } from "node:stream";
import { z } from "zod";
import type { ProbeLine } from "../../api/answers/probes.ts";
import { ApiError } from "../../api/api-error.ts";
import type { Caller } from "../../api/callers.ts";
import { type Api, callerOf } from "../../api/http-api.ts";
import { LINES, sendLines } from "../../api/lines.ts";
import { isReadOut } from "../../config/connection-schema.ts";
import { causeOf } from "../causes/failure-cause.ts";
import type { PollLoop } from "../lanes/poll-loop.ts";
import type { PolledMeter } from "../polled-meter.ts";
import type { MeterVisits } from "../session/meter-visits.ts";
import { probeMeter } from "./meter-probe.ts";

export interface ProbeParts {
  readonly nameOf: (nameOrNumber: string, caller: Caller) => string;
  /** Throws ApiError for a meter that is not worked by any gateway. */
  readonly meterOf: (name: string) => PolledMeter;
  /** The gateway that works the meter, where that is not this one. */
  readonly workedBy: (name: string) => string | undefined;
  readonly loop: Pick<PollLoop<PolledMeter>, "readNow">;
  readonly visits: Pick<MeterVisits, "visit">;
}

const BUDGET_MS = 120_000;

export function probeResources(api: Api, parts: ProbeParts): void {
  api.post(
    "/v1/meters/:meter/probe",
    {
      config: {
        needs: "operator",
        scoped: true,
        change: { event: "probeAsked", message: "somebody had a meter probed" },
      },
      schema: {
        tags: ["meters"],
        summary: "Walk the road to a meter step by step, up to the first that breaks: a JSON value a line",
        params: z.object({ meter: z.string().min(1).max(128) }),
        produces: [LINES],
      },
    },
    async (request, reply) => {
      const name = parts.nameOf(request.params.meter, callerOf(request));
      const meter = parts.meterOf(name);
      const gateway = parts.workedBy(name);
      if (gateway !== undefined) throw new ApiError("conflict", `${name} is worked by ${gateway}: ask there`);
      if (isReadOut(meter.target.connection))
        throw new ApiError("conflict", `${name} is read out: there is no association`);
      return sendLines(reply, probeLines(meter, parts));
    },
  );
}

async function* probeLines(meter: PolledMeter, { loop, visits }: ProbeParts): AsyncGenerator<ProbeLine> {
  const { name, number, connection } = meter.target;
  yield { type: "step", step: "name", says: `${name}, number ${number}` };
  const { tcp, udp, serial, link } = connection;
  yield { type: "step", step: "address", says: `${tcp ?? udp ?? serial ?? "calls in"}, ${link}` };
  const lines = new PassThrough({ objectMode: true });
  const probe = () =>
    probeMeter({
      target: () => meter.target,
      serial: serial !== undefined,
      linkGiven: true,
      associationGiven: true,
      budgetMs: BUDGET_MS,
      onStep: (step) => void lines.write({ type: "step", ...step }),
      visit: (work) => visits.visit(meter, work),
    });
  void loop.readNow(meter, probe, { lane: "on_demand", what: "probe" }).then(
    ({ broken }) => lines.end(broken && { type: "broken", ...broken }),
    (error: unknown) => lines.end({ type: "broken", step: "gateway", ...causeOf(error) }),
  );
  yield* lines as AsyncIterable<ProbeLine>;
}
