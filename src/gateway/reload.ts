/** Reading the configuration again while the gateway runs: what can change does, the rest is told; sessions go on. */
import { type ConfigDifference, configDifferences, differenceText } from "../config/differences.ts";
import { LIVE_PARTS, type LivePart } from "../config/live-parts.ts";
import type { Config } from "../config/schema.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";

export interface ReloadParts {
  /** Throws ConfigError. */
  readonly load: () => Promise<Config>;
  /** Takes a part of the configuration as it is now; where that rejects, all goes on as before. */
  readonly take: (part: LivePart) => Promise<void>;
  readonly events: EventSink;
}

const MOST_LINES = 100;

/** Puts into `config` what is taken; nothing where the new one can't be used. Never rejects. */
export async function reload(config: Config, { load, take, events }: ReloadParts): Promise<void> {
  try {
    const after = await load();
    const differences = Object.groupBy(configDifferences(config, after), partOf);
    const taken: ConfigDifference[] = [];
    for (const part of PARTS) {
      const ofPart = differences[part];
      if (ofPart === undefined) continue;
      const before = sectionsOf(config, part);
      Object.assign(config, sectionsOf(after, part));
      try {
        await take(part);
        taken.push(...ofPart);
      } catch (error) {
        Object.assign(config, before);
        events({ event: "settingsRefused", part, reason: messageOf(error), settings: linesOf(ofPart) });
      }
    }
    events({ event: "configReloaded", taken: linesOf(taken), waiting: linesOf(differences.waiting ?? []) });
  } catch (error) {
    events({ event: "configRefused", reason: messageOf(error) });
  }
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a constant table.
const PARTS = Object.keys(LIVE_PARTS) as LivePart[];

function partOf({ path }: ConfigDifference): LivePart | "waiting" {
  const [section] = path.split(/[.[]/, 1);
  return PARTS.find((part) => LIVE_PARTS[part].some((each) => each === section)) ?? "waiting";
}

function sectionsOf(config: Config, part: LivePart): Partial<Config> {
  return Object.fromEntries(LIVE_PARTS[part].map((section) => [section, config[section]]));
}

function linesOf(differences: readonly ConfigDifference[]): string[] {
  const lines = differences.slice(0, MOST_LINES).map(differenceText);
  const more = differences.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}
