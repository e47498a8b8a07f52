import type { LoadShape } from "../load-curve.ts";

const EVERY_DAY_ALIKE = [1, 1, 1, 1, 1, 1, 1];

/** A household with fans or an air conditioner, cooking and an evening peak. */
export function household(dayWh: number): LoadShape {
  return {
    dayWh,
    hours: [3, 2, 2, 2, 2, 3, 5, 7, 6, 4, 4, 4, 5, 5, 4, 4, 5, 6, 8, 10, 10, 9, 7, 4],
    weekdays: [1, 1, 1, 1, 1, 1.2, 1.25],
    season: 0.2,
    dayNoise: 0.2,
    quarterNoise: 0.45,
  };
}

/** A shop or workshop that closes at night and on Sundays. */
export function business(dayWh: number): LoadShape {
  return {
    dayWh,
    hours: [2, 2, 2, 2, 2, 2, 3, 5, 9, 12, 12, 12, 10, 11, 12, 12, 11, 10, 8, 6, 4, 3, 2, 2],
    weekdays: [1, 1, 1, 1, 1, 0.9, 0.6],
    season: 0.1,
    dayNoise: 0.15,
    quarterNoise: 0.35,
  };
}

/** A solar plant on the roof. */
export function solarRoof(dayWh: number): LoadShape {
  return {
    dayWh,
    hours: [0, 0, 0, 0, 0, 0, 1, 3, 6, 8, 10, 11, 11, 10, 8, 6, 4, 1, 0, 0, 0, 0, 0, 0],
    weekdays: EVERY_DAY_ALIKE,
    season: 0.25,
    dayNoise: 0.3,
    quarterNoise: 0.4,
  };
}
