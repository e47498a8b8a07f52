/** Load of made households in the steps of a meter: Wh, 0.1 V, 0.01 A. Repeatable. */
import type { ProfileBatch } from "../../src/profiles/batch.ts";

const DAY_MS = 86_400_000;

export interface Curve {
  readonly meterKey: number;
  readonly firstMs: number;
  readonly slots: number;
  readonly slotMs: number;
}

/** Repeatable noise from 0 to 1. */
export function noise(seed: number): number {
  const wave = Math.sin(seed * 12.9898) * 43_758.5453;
  return wave - Math.floor(wave);
}

/** Wh of each interval: a day's shape with noise. */
export function energyOf({ meterKey, firstMs, slots, slotMs }: Curve): number[] {
  const scale = ((20 + 400 * noise(meterKey)) * slotMs) / 900_000;
  return Array.from({ length: slots }, (_, at) => {
    const hour = ((firstMs + at * slotMs) % DAY_MS) / 3_600_000;
    const shape = 0.3 + Math.exp(-((hour - 8) ** 2) / 4) + 1.5 * Math.exp(-((hour - 20) ** 2) / 6);
    return Math.round(scale * shape * (0.6 + 0.8 * noise(meterKey * 672 + at)));
  });
}

/** What a meter's register stands at before the curve begins. */
export function registerBefore(meterKey: number): number {
  return Math.round(5_000_000 * noise(meterKey));
}

/** Rows as they are read at the curve's end; a column gives the integer of a row. */
export function batchOf(
  { meterKey, firstMs, slots, slotMs }: Curve,
  { profile, intervalS }: Pick<ProfileBatch, "profile" | "intervalS">,
  columns: Readonly<Record<string, (at: number) => number>>,
): ProfileBatch {
  const index = Array.from({ length: slots }, (_, at) => at);
  return {
    meterKey,
    profile,
    source: "poll",
    layoutFingerprint: `bench-${profile}`,
    readAt: new Date(firstMs + slots * slotMs),
    rowCount: slots,
    instantsMs: index.map((at) => firstMs + at * slotMs),
    timeRules: index.map(() => "deviation" as const),
    meterTimes: undefined,
    intervalS,
    columns: Object.entries(columns).map(([column, value]) => ({
      column,
      values: index.map((at) => BigInt(Math.round(value(at)))),
    })),
    others: [],
  };
}
