/** What goes wrong on the way to each meter, and when: drawn from the seed before a run begins. */
import type { Random } from "../../fuzz/random.ts";

/** What a spell of bad weather does to the way to a meter. */
export const TROUBLES = [
  "silent",
  "refusing",
  "slow",
  "losing",
  "doubling",
  "corrupting",
  "cutting",
  "half-open",
  "splitting",
] as const;
export type Trouble = (typeof TROUBLES)[number];

export interface Spell {
  readonly fromMs: number;
  readonly toMs: number;
  readonly trouble: Trouble;
  /** One octet group in so many is hit. */
  readonly oneIn: number;
}

export class Weather {
  readonly #spells: readonly Spell[];

  constructor(spells: readonly Spell[]) {
    this.#spells = spells;
  }

  at(nowMs: number): Spell | undefined {
    return this.#spells.find(({ fromMs, toMs }) => nowMs >= fromMs && nowMs < toMs);
  }

  /** When the last spell is over. */
  get overMs(): number {
    return Math.max(0, ...this.#spells.map((spell) => spell.toMs));
  }
}

export interface WeatherRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly most: number;
  readonly troubles: readonly Trouble[];
}

/** Spells one after the other. */
export function drawWeather(random: Random, { fromMs, toMs, most, troubles }: WeatherRange): Weather {
  const count = random.below(most + 1);
  const edges = Array.from({ length: 2 * count }, () => fromMs + random.below(Math.max(1, toMs - fromMs)));
  edges.sort((a, b) => a - b);
  return new Weather(
    Array.from({ length: count }, (_, at) => ({
      fromMs: edges[2 * at] ?? fromMs,
      toMs: edges[2 * at + 1] ?? fromMs,
      trouble: random.pick(troubles),
      oneIn: 2 + random.below(30),
    })),
  );
}
