/** Which plans are those of a meter: of each profile the first whose group the meter is in. */
import { READOUT_PROFILES } from "../profiles/readout-rows.ts";
import { isReadOut, type Opened } from "./connection-schema.ts";
import { namePattern } from "./name-pattern.ts";
import type { Config, GroupConfig, MeterConfig, PlanConfig } from "./schema.ts";

type GroupMember = Pick<MeterConfig, "name" | "type" | "companion">;
type PlannedMeter = GroupMember & { readonly connection: Opened };

/** Finds the plans of a meter and of the collections that it is in; the same list for meters with the same plans. */
export type PlanFinder = (meter: PlannedMeter, collections?: ReadonlySet<string>) => PlanConfig[];

export function planFinder({ plans, groups }: Pick<Config, "plans" | "groups">): PlanFinder {
  const rules = new Map(groups.map((group) => [group.name, groupRule(group)]));
  const lists = new Map<string, PlanConfig[]>();
  return (meter, collections) => {
    const chosen = new Map<string, PlanConfig>();
    const readings: readonly string[] | undefined = isReadOut(meter.connection) ? READOUT_PROFILES : undefined;
    for (const plan of plans) {
      if (chosen.has(plan.profile) || readings?.includes(plan.profile) === false) continue;
      const { group } = plan;
      const applies = group === undefined || rules.get(group)?.(meter) === true || collections?.has(group) === true;
      if (applies) chosen.set(plan.profile, plan);
    }
    const list = [...chosen.values()];
    const key = list.map((plan) => plans.indexOf(plan)).join(" ");
    const known = lists.get(key) ?? list;
    lists.set(key, known);
    return known;
  };
}

function groupRule({ meters, types, companions }: GroupConfig): (meter: GroupMember) => boolean {
  const patterns = meters?.map(namePattern);
  return ({ name, type, companion }) =>
    (patterns === undefined || patterns.some((each) => each(name))) &&
    (types === undefined || types.includes(type)) &&
    (companions === undefined || companions.includes(companion));
}
