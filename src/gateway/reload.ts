/** Reading the configuration again while the gateway runs: what can change does, the rest is told; sessions go on. */
import { configDifferences, differenceText } from "../config/differences.ts";
import type { Config } from "../config/schema.ts";
import type { EventSink } from "../observe/events.ts";

export interface ReloadParts {
  /** Throws ConfigError. */
  readonly load: () => Promise<Config>;
  /** Takes what can change while sessions go on. */
  readonly apply: (config: Config) => Promise<void>;
  readonly events: EventSink;
}

/** What needs no new start. */
const LIVE = /^(?:log\.level|plans|groups)\b/;

/** The configuration that holds from now on: the old one where the new one can't be used. Never rejects. */
export async function reload(before: Config, { load, apply, events }: ReloadParts): Promise<Config> {
  try {
    const after = await load();
    const differences = configDifferences(before, after);
    const applied = differences.filter(({ path }) => LIVE.test(path)).map(differenceText);
    const waiting = differences.filter(({ path }) => !LIVE.test(path)).map(differenceText);
    // What waits for a start is told again with the next order.
    const { log, plans, groups } = after;
    const now = { ...before, log, plans, groups };
    await apply(now);
    events({ event: "configReloaded", applied, waiting });
    return now;
  } catch (error) {
    events({ event: "configRefused", reason: error instanceof Error ? error.message : String(error) });
    return before;
  }
}
