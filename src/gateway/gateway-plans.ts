/**
 * Reading plans: those of the configuration, and those that people add while gateways run, for all gateways. Who comes
 * into a collection has its plans from then on, and who leaves it has them no more.
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { plan as planAnswer } from "../api/answers/work.ts";
import { ApiError } from "../api/api-error.ts";
import { type Api, callerOf } from "../api/http-api.ts";
import { MeterPlans } from "../collect/plan/meter-plans.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import { type PlanFinder, planFinder } from "../config/meter-plans.ts";
import { planSchema } from "../config/plan-schema.ts";
import type { Config, PlanConfig } from "../config/schema.ts";
import { collectionMeters, collectionsOfMeters, keepCollections } from "../series/collections.ts";
import type { Database } from "../store/database/database.ts";
import { checkPatterns } from "../store/records/collection-patterns.ts";
import { loadPlans, putPlan, removePlan } from "../store/records/reading-plans.ts";
import type { StartedFleet } from "./start-fleet.ts";

type PlanAnswer = z.output<typeof planAnswer>;
const plansAnswer = z.object({ items: z.array(planAnswer) });
const TAGS = ["plans"];
/** Notices may get lost. */
const LOOK_MS = 30_000;
const LOOK_AT_ALL_MS = 10 * 60_000;

export class GatewayPlans implements Disposable {
  readonly meterPlans: MeterPlans;
  readonly #config: Config;
  readonly #database: Database;
  readonly #known: Pick<StartedFleet, "meters" | "collections">;
  #added: readonly PlanConfig[] = [];
  #collections: ReadonlyMap<string, ReadonlySet<number> | undefined>;
  #finder: PlanFinder;
  #byMeter: Map<string, PlanConfig[]>;
  /** When the members of all collections were looked at last, on a clock that never jumps. */
  #allSeenMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #onChange: (changed: readonly PolledMeter[]) => void = () => undefined;

  constructor(config: Config, database: Database, known: Pick<StartedFleet, "meters" | "collections">) {
    this.#config = config;
    this.#database = database;
    this.#known = known;
    this.#collections = known.collections;
    this.#finder = this.#newFinder();
    this.#byMeter = this.#find();
    const none: PlanConfig[] = [];
    this.meterPlans = new MeterPlans((meter) => this.#byMeter.get(meter.target.name) ?? none);
  }

  /** Looks for added plans and changed collections now and then from now on; `onChange` is told the meters that have other plans. */
  async watch(onChange: (changed: readonly PolledMeter[]) => void): Promise<void> {
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.look().catch(() => undefined), LOOK_MS).unref();
    // Without the database there are those of the configuration.
    await this.look().catch(() => undefined);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Somebody may have added or removed a plan. Throws StoreError. */
  async look(): Promise<void> {
    const added = await loadPlans(this.#database);
    const isLong = performance.now() - this.#allSeenMs > LOOK_AT_ALL_MS;
    if (isLong || !isDeepStrictEqual(added, this.#added)) await this.#learnAll(added);
  }

  /** The database says who may have come into a collection or left one. Throws StoreError. */
  async hearMembers(payload: string): Promise<void> {
    const keys = payload.split(" ").filter((key) => key !== "");
    if (keys.length === 0) await this.#learnAll(await loadPlans(this.#database));
    else await this.learn(keys.map(Number));
  }

  /** Takes plans, groups and collections of the configuration as it is now. Throws StoreError, and changes nothing then. */
  async configure(): Promise<void> {
    await checkPatterns(this.#database, this.#config.collections);
    await keepCollections(this.#database, this.#config.collections);
    await this.#learnAll(this.#added);
  }

  async #learnAll(added: readonly PlanConfig[]): Promise<void> {
    const groups = this.#groups(added);
    this.#collections = new Map(
      await Promise.all(groups.map(async (name) => [name, await this.#metersOf(name)] as const)),
    );
    this.#allSeenMs = performance.now();
    this.#added = added;
    const before = this.#byMeter;
    this.#finder = this.#newFinder();
    this.#byMeter = this.#find();
    const changed = this.#known.meters.values().filter(({ target: { name } }) => {
      return !isDeepStrictEqual(before.get(name), this.#byMeter.get(name));
    });
    this.#onChange([...changed]);
  }

  /** These meters have come, or may be in other collections; a change costs no more in a larger fleet. Throws StoreError. */
  async learn(meterKeys: readonly number[]): Promise<void> {
    const meters = [...new Set(meterKeys)].flatMap((key) => this.#known.meters.byKey(key) ?? []);
    const keys = meters.map(({ meterKey }) => meterKey);
    const collections = await collectionsOfMeters(this.#database, this.#groups(this.#added), keys);
    const changed = meters.filter((meter) => {
      const {
        meterKey,
        target: { name },
      } = meter;
      const config = this.#known.meters.configOf(meter);
      const plans = config && this.#finder(config, collections.get(meterKey));
      if (plans === undefined || plans === this.#byMeter.get(name)) return false;
      this.#byMeter.set(name, plans);
      return true;
    });
    this.#onChange(changed);
  }

  /** Who is in a collection of series changes with each new series: no plan is for one. */
  #metersOf(collection: string): Promise<ReadonlySet<number> | undefined> {
    return collectionMeters(this.#database, collection, ["meters"]);
  }

  /** Groups and collections that plans are for. */
  #groups(added: readonly PlanConfig[]): string[] {
    return [...new Set([...added, ...this.#config.plans].flatMap(({ group = [] }) => group))];
  }

  resources(api: Api, meterOf: (name: string) => PolledMeter): void {
    api.get(
      "/v1/plans",
      {
        config: { needs: "reader", scoped: true },
        schema: { tags: TAGS, summary: "What is read how often", response: { 200: plansAnswer } },
      },
      async () => this.#list(),
    );
    api.get(
      "/v1/meters/:meter/plans",
      {
        config: { needs: "reader", scoped: true },
        schema: {
          tags: TAGS,
          summary: "The plans of a meter; the first of a profile counts",
          params: z.object({ meter: z.string().max(128) }),
          response: { 200: plansAnswer },
        },
      },
      async (request) => {
        const meter = meterOf(request.params.meter);
        if (callerOf(request).meterKeys?.has(meter.meterKey) === false) {
          throw new ApiError("not-found", `there is no meter ${request.params.meter}`);
        }
        return { items: (this.#byMeter.get(meter.target.name) ?? []).map((plan) => this.#listed(plan)) };
      },
    );
    api.put(
      "/v1/plans",
      {
        config: { needs: "engineer", change: { event: "planPut", message: "somebody added or changed a plan" } },
        schema: {
          tags: TAGS,
          summary: "Add a plan, or change one that was added",
          body: planSchema,
          response: { 200: plansAnswer },
        },
      },
      (request) => this.#add(request.body, callerOf(request).actor),
    );
    api.delete(
      "/v1/plans/:profile",
      {
        config: { needs: "engineer", change: { event: "planRemoved", message: "somebody removed a plan" } },
        schema: {
          tags: TAGS,
          summary: "Remove a plan that was added",
          params: z.object({ profile: z.string().max(64) }),
          querystring: z.object({
            group: z.string().max(128).optional().describe("Of this group; of all when left out."),
          }),
          response: { 200: plansAnswer },
        },
      },
      (request) => this.#remove(request.params.profile, request.query.group),
    );
  }

  #list(): { items: PlanAnswer[] } {
    return { items: [...this.#added, ...this.#config.plans].map((plan) => this.#listed(plan)) };
  }

  #listed(plan: PlanConfig): PlanAnswer {
    const { profile, group = null, every: everyMs, deadline: deadlineMs = everyMs, history: historyMs, order } = plan;
    const from = this.#added.includes(plan) ? "added" : "configuration";
    return { profile, group, everyMs, deadlineMs, historyMs, order, from };
  }

  async #add(plan: PlanConfig, who: string) {
    const { group } = plan;
    if (group !== undefined && !this.#config.groups.some(({ name }) => name === group)) {
      const members = await this.#metersOf(group);
      if (members === undefined) throw new ApiError("conflict", `there is no group or collection of meters ${group}`);
    }
    await putPlan(this.#database, plan, who);
    await this.look();
    return this.#list();
  }

  async #remove(profile: string, group: string | undefined) {
    if (!(await removePlan(this.#database, profile, group))) {
      throw new ApiError("conflict", "no such plan was added; those of the configuration are changed there");
    }
    await this.look();
    return this.#list();
  }

  #newFinder(): PlanFinder {
    const { groups, plans } = this.#config;
    return planFinder({ groups, plans: [...this.#added, ...plans] });
  }

  #find(): Map<string, PlanConfig[]> {
    return new Map(
      this.#known.meters.values().flatMap((meter) => {
        const config = this.#known.meters.configOf(meter);
        if (config === undefined) return [];
        const own = Array.from(this.#collections).flatMap(([name, keys]) => {
          return keys?.has(meter.meterKey) === true ? [name] : [];
        });
        return [[config.name, this.#finder(config, new Set(own))]];
      }),
    );
  }
}
