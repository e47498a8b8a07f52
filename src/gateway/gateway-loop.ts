/** The loop that polls a gateway's meters, wired to plans, limits, calls and collector; without meters at first. */
import type { Calls } from "../calls/calls.ts";
import type { Collector } from "../collect/collector.ts";
import type { LaneWidth } from "../collect/lanes/lane-places.ts";
import type { GateWidth } from "../collect/lanes/line-gate.ts";
import { PollLoop } from "../collect/lanes/poll-loop.ts";
import type { SharedLines } from "../collect/lanes/shared-lines.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import type { Config, ConnectionConfig } from "../config/schema.ts";
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
  limits: PlaceLimits,
): PollLoop<PolledMeter> {
  return new PollLoop<PolledMeter>({
    meters: [],
    nameOf: (meter) => meter.target.name,
    lineOf: (meter) => lines.lineOf(meter),
    boundsOf: ({ target }) => limits.of(target.connection),
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
    ...laneWidth(config),
    poll: (meter, readings, lane, visit) =>
      collector.poll(meter, readings, lane === "backfill" ? "backfill" : "poll", visit),
  });
}

export function laneWidth({ polling }: Pick<Config, "polling">): LaneWidth {
  return { concurrency: polling.concurrency, startsPerSecond: polling.connectsPerSecond };
}

type ChangingWidth = { -readonly [Field in keyof GateWidth]: GateWidth[Field] };

/** How many meters of networks and pools are worked at once; jobs that wait hear of what a reload changes. */
export class PlaceLimits {
  readonly #widths = new Map<string, ChangingWidth>();

  constructor(limits: Config["limits"]) {
    this.take(limits);
  }

  take(limits: Config["limits"]): void {
    // Not deleted: what waits there still does.
    for (const width of this.#widths.values()) Object.assign(width, { places: Infinity, startsPerSecond: undefined });
    for (const { pool, network, concurrency: places = Infinity, connectsPerSecond: startsPerSecond } of limits) {
      const place = pool === undefined ? `network ${network}` : `pool ${pool}`;
      this.#widths.set(place, Object.assign(this.#widths.get(place) ?? {}, { places, startsPerSecond }));
    }
  }

  /** The same objects for all meters in them. */
  of({ pool, network }: Pick<ConnectionConfig, "pool" | "network">): GateWidth[] {
    const widths = [this.#widths.get(`pool ${pool}`), this.#widths.get(`network ${network}`)];
    return widths.filter((width) => width !== undefined);
  }
}
