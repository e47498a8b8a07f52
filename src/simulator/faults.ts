/** Meters that are wrong in one way each, so that a head end can be seen to name the cause. */
import type { Compression, SelectionDescription } from "./description.ts";

/** What a fault does to a meter; whatever is absent is as it should be. */
export interface FaultEffects {
  readonly description: string;
  /** The meter has other keys than those that are told. */
  readonly otherKeys?: true;
  /** The meter has another system title than the one that is told. */
  readonly otherSystemTitle?: true;
  /** No AARQ is accepted. */
  readonly refuses?: true;
  /** The counter object shows a value that is long past. */
  readonly staleCounter?: true;
  /** Attributes are temporarily not available. */
  readonly busy?: true;
  /** Profiles that the meter does not have. */
  readonly withoutProfiles?: readonly string[];
  readonly compression?: Compression;
  readonly selection?: SelectionDescription;
  /** Event log whose occurrences are power failures: nothing is captured until they have ended. */
  readonly outages?: string;
  /** What the wire does to answers. */
  readonly wire?: "silent" | "noisy" | "cut" | "unnumbered";
}

export const METER_FAULTS = {
  "wrong-keys": { description: "has other keys than the head end", otherKeys: true },
  "wrong-system-title": { description: "has another system title than the head end expects", otherSystemTitle: true },
  "refuses-association": { description: "rejects every AARQ", refuses: true },
  "answers-nothing": { description: "takes connections and stays silent", wire: "silent" },
  noise: { description: "sends octets that mean nothing before every answer", wire: "noisy" },
  "cuts-answers": { description: "loses the second half of long answers", wire: "cut" },
  busy: { description: "answers every read with temporary-failure", busy: true },
  "counter-too-low": { description: "shows a counter that is lower than the one it accepts", staleCounter: true },
  "missing-object": {
    description: "has no daily load profile",
    withoutProfiles: ["1.0.99.2.0.255", "1.0.94.91.5.255"],
  },
  "null-data-rows": { description: "leaves out of rows what can be worked out", compression: "null-data" },
  "compact-array-rows": { description: "sends buffers as compact-array", compression: "compact-array" },
  "fixed-frame-numbers": { description: "numbers all its HDLC frames 0", wire: "unnumbered" },
  "no-ranges": { description: "takes no ranges of time", selection: { ranges: "refused" } },
  "ranges-stumble": {
    description: "answers every third range of time with other-reason",
    selection: { ranges: "now-and-then-none" },
  },
  "plain-limits": { description: "takes limits without a deviation only", selection: { ranges: "without-deviation" } },
  "whole-buffers": {
    description: "sends whole buffers only",
    selection: { ranges: "refused", entries: "refused" },
  },
  "power-cuts": {
    description: "captures no periods while it is off, as its log of power failures tells",
    outages: "power",
  },
  "newest-entry-first": { description: "counts entries from the newest", selection: { entries: "newest-first" } },
} as const satisfies Record<string, FaultEffects>;

export type MeterFault = keyof typeof METER_FAULTS;

const NO_FAULT: FaultEffects = { description: "works as it should" };

export function effectsOf(fault: MeterFault | undefined): FaultEffects {
  return fault === undefined ? NO_FAULT : METER_FAULTS[fault];
}
