/** The plans of the configuration as the planner and the collector want them, by meter. */
import type { PlanConfig } from "../../config/schema.ts";
import type { ProfileKind, ReadingKind } from "../../profiles/batch.ts";
import type { PolledMeter } from "../polled-meter.ts";
import type { ReadingRule } from "../slots/open-slots.ts";
import type { ReadingPlan } from "./planner.ts";

interface PlanList {
  readonly plans: readonly ReadingPlan[];
  readonly rules: ReadonlyMap<ReadingKind, ReadingRule>;
}

export class MeterPlans {
  readonly #find: (meter: PolledMeter) => readonly PlanConfig[];
  readonly #lists = new Map<readonly PlanConfig[], PlanList>();

  /** `find` gives the same list for meters with the same plans. */
  constructor(find: (meter: PolledMeter) => readonly PlanConfig[]) {
    this.#find = find;
  }

  of(meter: PolledMeter): readonly ReadingPlan[] {
    return this.#listOf(meter).plans;
  }

  ruleOf(meter: PolledMeter, profile: ReadingKind): ReadingRule | undefined {
    return this.#listOf(meter).rules.get(profile);
  }

  /** How long after its slot a reading may come; undefined without a plan. */
  deadlineMs(meter: PolledMeter, profile: ProfileKind): number | undefined {
    return this.of(meter).find((plan) => plan.profile === profile)?.deadlineMs;
  }

  #listOf(meter: PolledMeter): PlanList {
    const found = this.#find(meter);
    const known = this.#lists.get(found);
    if (known !== undefined) return known;
    const list = {
      plans: found.map(({ profile, every, deadline }) => ({ profile, everyMs: every, deadlineMs: deadline ?? every })),
      rules: new Map(found.map(({ profile, history, order }) => [profile, { historyMs: history, order }])),
    };
    this.#lists.set(found, list);
    return list;
  }
}
