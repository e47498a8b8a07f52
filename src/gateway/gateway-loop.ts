/** The loop that polls a gateway's meters, wired to plans, limits, calls and collector; without meters at first. */
import type { Calls } from "../calls/calls.ts";
import type { Collector } from "../collect/collector.ts";
import { PollLoop } from "../collect/poll-loop.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import type { SharedLines } from "../collect/shared-lines.ts";
import type { Config } from "../config/schema.ts";
import type { EventSink } from "../observe/events.ts";
import type { GatewayPlans } from "./gateway-plans.ts";

export interface GatewayLoopParts {
  readonly config: Config;
  readonly events: EventSink;
  readonly planning: GatewayPlans;
  readonly collector: Collector;
  readonly calls: Calls;
}

export function gatewayLoop(
  { config, planning, collector, calls, events }: GatewayLoopParts,
  lines: SharedLines,
): PollLoop<PolledMeter> {
  const { concurrency, connectsPerSecond } = config.polling;
  const bounds = new Map(
    config.limits.map((limit) => {
      const width = { places: limit.concurrency ?? Infinity, startsPerSecond: limit.connectsPerSecond };
      return [limit.pool === undefined ? `network ${limit.network}` : `pool ${limit.pool}`, width];
    }),
  );
  return new PollLoop<PolledMeter>({
    meters: [],
    nameOf: (meter) => meter.target.name,
    lineOf: (meter) => lines.lineOf(meter),
    boundsOf: ({ target: { connection } }) =>
      [bounds.get(`pool ${connection.pool}`), bounds.get(`network ${connection.network}`)].filter(
        (bound) => bound !== undefined,
      ),
    zoneOf: (meter) => meter.target.zone,
    plansOf: (meter) => planning.meterPlans.of(meter),
    onQuarantine: (meter, quarantined) =>
      events({ event: quarantined ? "meterQuarantined" : "meterReturned", meter: meter.target.name }),
    onClockSet: (byMs) => {
      const nowMs = Date.now();
      const [now, before] = [nowMs, nowMs - byMs].map((ms) => new Date(ms).toISOString());
      events({ event: "gatewayClockSet", now: now ?? "", before: before ?? "" });
    },
    isReachable: (meter) => calls.isReachable(meter),
    concurrency,
    startsPerSecond: connectsPerSecond,
    poll: (meter, readings, lane) => collector.poll(meter, readings, lane === "backfill" ? "backfill" : "poll"),
  });
}
