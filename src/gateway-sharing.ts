/** The meters of a gateway are shared with others that use its database: here the rooms for it are wired. */
import { hostname } from "node:os";
import type { Collector, PolledMeter } from "./collect/collector.ts";
import type { StopDeadline } from "./collect/drain.ts";
import type { MeterPlans } from "./collect/meter-plans.ts";
import { PollLoop } from "./collect/poll-loop.ts";
import type { Config } from "./config/schema.ts";
import type { Block } from "./jobs/block.ts";
import { FleetShare } from "./jobs/fleet-share.ts";
import { GatewayIdentity } from "./jobs/gateway-identity.ts";
import { connectionBlock, MeterBlocks } from "./jobs/meter-blocks.ts";
import type { EventSink } from "./observe/events.ts";

export interface SharingParts {
  readonly config: Config;
  readonly events: EventSink;
  readonly version: string;
  /** Connection string of the database. */
  readonly url: string;
  readonly meters: Iterable<PolledMeter>;
  readonly plans: MeterPlans;
  readonly collector: Collector;
}

export interface SharedMeters {
  readonly loop: PollLoop<PolledMeter>;
  readonly share: FleetShare;
  readonly blocks: MeterBlocks<PolledMeter>;
}

/** A loop that has the meters that are this gateway's to work, whichever these are. */
export async function shareMeters(
  parts: SharingParts,
  stack: AsyncDisposableStack,
  deadline: StopDeadline,
): Promise<SharedMeters> {
  const { config, meters, collector, events, url, version } = parts;
  const loop = pollLoop(parts);
  const { name = hostname(), silence, away } = config.sharing;
  const reached = new Set(config.sharing.networks);
  const blocks = new MeterBlocks(
    Iterator.from(meters).filter(({ target: { connection } }) => reached.size === 0 || reached.has(connection.network)),
    ({ target }) => connectionBlock(target.connection, target.name),
  );
  const share = await FleetShare.start({
    url,
    identity: await GatewayIdentity.open(config.stateDirectory),
    name,
    networks: blocks.networks(),
    silenceMs: silence,
    awayMs: away,
    version,
    fleet: blocks.fingerprints((meter) => meter.target.number),
    events,
    meterCount: () => loop.heldCount,
    onHeld: (held) => loop.hold(blocks.metersOf(held)),
    onGiven: (given: readonly Block[]) => giveUp(blocks.metersOf(given), { loop, collector }),
    onCut: () => collector.cut(),
  });
  stack.adopt(share, (each) => deadline.bound(each.stop()));
  return { loop, share, blocks };
}

async function giveUp(
  meters: readonly PolledMeter[],
  { loop, collector }: Pick<SharedMeters, "loop"> & Pick<SharingParts, "collector">,
): Promise<void> {
  await loop.release(meters);
  for (const meter of meters) if (!loop.holds(meter)) collector.forget(meter);
}

/** Without meters at first. */
function pollLoop({ config, plans, collector, events }: SharingParts): PollLoop<PolledMeter> {
  const { concurrency, connectsPerSecond } = config.polling;
  return new PollLoop<PolledMeter>({
    meters: [],
    nameOf: (meter) => meter.target.name,
    lineOf: (meter) => meter.target.connection.serial,
    zoneOf: (meter) => meter.target.zone,
    plansOf: (meter) => plans.of(meter),
    onQuarantine: (meter, quarantined) =>
      events({ event: quarantined ? "meterQuarantined" : "meterReturned", meter: meter.target.name }),
    concurrency,
    startsPerSecond: connectsPerSecond,
    poll: (meter, profiles) => collector.poll(meter, profiles),
  });
}
