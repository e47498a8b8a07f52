/** Visits to meters without their protocol: the way there is as bad as any, only the octets are left out. */
import { ChannelError } from "../../../drivers/channel-error.ts";
import type { AttributeReference, DataResult } from "../../../protocol/apdu/descriptors.ts";
import type { CollectorOptions } from "../../../src/collect/collector.ts";
import type { MeterConnection } from "../../../src/collect/session/meter-connection.ts";
import type { Random } from "../../fuzz/random.ts";
import type { RowMeter } from "./row-meter.ts";
import type { VirtualScope } from "./virtual-time.ts";
import type { Weather } from "./weather.ts";

export interface RowSite {
  readonly meter: RowMeter;
  readonly weather: Weather;
  readonly latencyMs: number;
}

const RESPONSE_TIMEOUT_MS = 10_000;
const SLOW_MS = 20_000;

/** How the collector of one process visits the meters, by name. */
export function rowVisits(
  sites: ReadonlyMap<string, RowSite>,
  process: VirtualScope,
  random: Random,
): NonNullable<CollectorOptions["visitMeter"]> {
  return async (target, { signal }, work) => {
    const site = sites.get(target.name);
    if (site === undefined) throw new ChannelError("CHANNEL_NAME_UNKNOWN");
    const travel = () => travelTo(site, process, random);
    await travel();
    if (signal?.aborted === true) throw new ChannelError("CHANNEL_ABORTED");
    const get = async (reference: AttributeReference): Promise<DataResult> => {
      await travel();
      return site.meter.answer(reference, process.now());
    };
    const getList = async (references: readonly AttributeReference[]): Promise<DataResult[]> => {
      await travel();
      return references.map((reference) => site.meter.answer(reference, process.now()));
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what reading profiles needs of a connection
    return work({ get, getList } as unknown as MeterConnection);
  };
}

/** There and back. */
async function travelTo({ meter, weather, latencyMs }: RowSite, process: VirtualScope, random: Random): Promise<void> {
  const spell = weather.at(process.now());
  const trouble = meter.isOff(process.now()) ? "silent" : spell?.trouble;
  const hit = spell !== undefined && random.oneIn(spell.oneIn);
  switch (trouble) {
    case undefined:
      return process.wait(2 * latencyMs);
    case "refusing":
      await process.wait(2 * latencyMs);
      throw new ChannelError("CHANNEL_REFUSED");
    case "silent":
      await process.wait(RESPONSE_TIMEOUT_MS);
      throw new ChannelError("CHANNEL_NO_ANSWER");
    case "slow": {
      const ms = random.below(SLOW_MS);
      await process.wait(Math.min(ms, RESPONSE_TIMEOUT_MS));
      if (ms > RESPONSE_TIMEOUT_MS) throw new ChannelError("CHANNEL_NO_ANSWER");
      return undefined;
    }
    case "half-open":
    case "losing":
      if (!hit) return process.wait(2 * latencyMs);
      await process.wait(RESPONSE_TIMEOUT_MS);
      throw new ChannelError("CHANNEL_NO_ANSWER");
    default:
      await process.wait(2 * latencyMs);
      if (hit) throw new ChannelError("CHANNEL_RESET");
      return undefined;
  }
}
