/**
 * When a meter that was not read is tried again, by the cause: a lost packet soon, a wrong key not before somebody may
 * have done something about it, for meters lock themselves. A meter that keeps failing is set apart in quarantine, where
 * it is tried seldom; it leaves it as soon as it answers, or sends something by itself.
 */
import type { FailureCause } from "../causes/failure-cause.ts";

interface RetryRule {
  readonly firstMs: number;
  readonly factor: number;
  readonly mostMs: number;
  /** Failures under this rule, without an answer in between, after which the meter is set apart. */
  readonly quarantineAfter: number;
  /** How often it is tried then. */
  readonly probeMs: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const RULES = {
  /** The way to the meter: it comes and goes. */
  way: { firstMs: 30 * SECOND_MS, factor: 2, mostMs: HOUR_MS, quarantineAfter: 12, probeMs: HOUR_MS },
  /** Somebody else has the meter: it frees itself after minutes. */
  taken: { firstMs: 90 * SECOND_MS, factor: 2, mostMs: 15 * MINUTE_MS, quarantineAfter: 12, probeMs: HOUR_MS },
  /** What the meter says is not what was expected: the same again will hardly help. */
  answer: { firstMs: MINUTE_MS, factor: 3, mostMs: 6 * HOUR_MS, quarantineAfter: 6, probeMs: 6 * HOUR_MS },
  /** Nothing changes until a person acts; each try may count against us. */
  person: { firstMs: 15 * MINUTE_MS, factor: 4, mostMs: DAY_MS, quarantineAfter: 3, probeMs: DAY_MS },
  /** Not the meter's fault. */
  ours: { firstMs: 30 * SECOND_MS, factor: 2, mostMs: 5 * MINUTE_MS, quarantineAfter: Infinity, probeMs: HOUR_MS },
} as const satisfies Record<string, RetryRule>;

type RuleName = keyof typeof RULES;
const RULE_NAMES = ["way", "taken", "answer", "person", "ours"] as const satisfies readonly RuleName[];

const RULE_OF: Readonly<Record<FailureCause, RuleName>> = {
  address: "way",
  "not connected": "way",
  "port refused": "taken",
  "serial port missing": "way",
  "serial port taken": "taken",
  "wrong address": "answer",
  "no answer": "way",
  "connection lost": "way",
  "line noise": "way",
  "opening refused": "answer",
  "association refused": "person",
  "wrong password": "person",
  "wrong block key": "person",
  "wrong key or counter": "person",
  "wrong authentication key": "person",
  "wrong system title": "person",
  "counter too low": "person",
  "gateway clock": "ours",
  "not kept": "ours",
  "counter implausible": "person",
  "key used up": "person",
  "no counters": "ours",
  "database away": "ours",
  "access denied": "person",
  "object missing": "answer",
  "meter busy": "taken",
  "protocol error": "answer",
  limits: "answer",
  configuration: "person",
  cancelled: "ours",
  "internal error": "ours",
};

export interface Retry {
  readonly delayMs: number;
  readonly quarantined: boolean;
}

/**
 * Failures of a meter since it answered last, each rule's by itself: a lost packet that looks like a wrong key once must
 * not count with all the lost packets before it.
 */
export type FailureCounts = Partial<Record<RuleName, number>>;

/** What follows from one more failure, with this cause. Counts it. */
export function retryAfter(counts: FailureCounts, cause: FailureCause | undefined): Retry {
  const name = cause === undefined ? "way" : RULE_OF[cause];
  const { firstMs, factor, mostMs, probeMs }: RetryRule = RULES[name];
  const failures = (counts[name] ?? 0) + 1;
  counts[name] = failures;
  const quarantined = RULE_NAMES.some((each) => (counts[each] ?? 0) >= RULES[each].quarantineAfter);
  return { delayMs: quarantined ? probeMs : Math.min(firstMs * factor ** (failures - 1), mostMs), quarantined };
}
