/** Reading plans: those of the configuration, and those that people add while gateways run, for all gateways. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type ControlRoute, controlRoute, OrderRefusedError } from "../api/control-route.ts";
import type { PolledMeter } from "../collect/collector.ts";
import { MeterPlans } from "../collect/meter-plans.ts";
import { planFinder } from "../config/meter-plans.ts";
import { planSchema } from "../config/plan-schema.ts";
import type { Config, PlanConfig } from "../config/schema.ts";
import { collectionMeters } from "../series/collections.ts";
import type { Database } from "../store/database.ts";
import { loadPlans, putPlan, removePlan } from "../store/reading-plans.ts";
import type { KnownFleet } from "./start-fleet.ts";

const removalForm = z.strictObject({ profile: z.string().max(64), group: z.string().max(128).optional() });
const additionForm = z.strictObject({ plan: planSchema, who: z.string().min(1).max(128) });
const showForm = z.strictObject({ meter: z.string().max(128) });
/** Notices may get lost. */
const LOOK_MS = 30_000;

export class GatewayPlans implements Disposable {
  readonly meterPlans: MeterPlans;
  readonly #config: Config;
  readonly #database: Database;
  readonly #known: KnownFleet;
  #added: readonly PlanConfig[] = [];
  #collections: ReadonlyMap<string, ReadonlySet<number> | undefined>;
  #byMeter: ReadonlyMap<string, PlanConfig[]>;
  #timer: NodeJS.Timeout | undefined;
  #onChange: () => void = () => undefined;

  constructor(config: Config, database: Database, known: KnownFleet) {
    this.#config = config;
    this.#database = database;
    this.#known = known;
    this.#collections = known.collections;
    this.#byMeter = this.#find();
    const none: PlanConfig[] = [];
    this.meterPlans = new MeterPlans((meter) => this.#byMeter.get(meter.target.name) ?? none);
  }

  /** Looks for added plans now and then from now on; `onChange` is called when meters have other plans. */
  async watch(onChange: () => void): Promise<void> {
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.look().catch(() => undefined), LOOK_MS).unref();
    // Without the database there are those of the configuration.
    await this.look().catch(() => undefined);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Somebody has added or removed a plan. Throws StoreError. */
  async look(): Promise<void> {
    const added = await loadPlans(this.#database);
    if (isDeepStrictEqual(added, this.#added)) return;
    const names = [...added, ...this.#config.plans].flatMap(({ group = [] }) => group);
    this.#collections = new Map(
      await Promise.all(
        [...new Set(names)].map(async (name) => [name, await collectionMeters(this.#database, name)] as const),
      ),
    );
    this.#added = added;
    this.#byMeter = this.#find();
    this.#onChange();
  }

  routes(meterOf: (name: string) => PolledMeter): (readonly [string, ControlRoute])[] {
    return [
      ["/v1/plans", controlRoute(z.strictObject({}), async () => this.#list())],
      ["/v1/plans/show", controlRoute(showForm, async ({ meter }) => this.#show(meterOf(meter)))],
      ["/v1/plans/add", controlRoute(additionForm, ({ plan, who }) => this.#add(plan, who))],
      ["/v1/plans/remove", controlRoute(removalForm, ({ profile, group }) => this.#remove(profile, group))],
    ];
  }

  #list() {
    return [...this.#added, ...this.#config.plans].map((plan) => this.#told(plan));
  }

  #told(plan: PlanConfig) {
    return { ...plan, from: this.#added.includes(plan) ? "added" : "configuration" };
  }

  #show(meter: PolledMeter) {
    return (this.#byMeter.get(meter.target.name) ?? []).map((plan) => this.#told(plan));
  }

  async #add(plan: PlanConfig, who: string) {
    const { group } = plan;
    if (group !== undefined && !this.#config.groups.some(({ name }) => name === group)) {
      const members = await collectionMeters(this.#database, group);
      if (members === undefined) throw new OrderRefusedError(`there is no group or collection ${group}`);
    }
    await putPlan(this.#database, plan, who);
    await this.look();
    return this.#list();
  }

  async #remove(profile: string, group: string | undefined) {
    if (!(await removePlan(this.#database, profile, group))) {
      throw new OrderRefusedError("no such plan was added; those of the configuration are changed there");
    }
    await this.look();
    return this.#list();
  }

  #find(): ReadonlyMap<string, PlanConfig[]> {
    const { groups, meters, plans } = this.#config;
    const find = planFinder({ groups, plans: [...this.#added, ...plans] });
    return new Map(
      meters.map((meter) => {
        const key = this.#known.meters.get(meter.name)?.meterKey ?? -1;
        const own = Array.from(this.#collections).flatMap(([name, keys]) => (keys?.has(key) === true ? [name] : []));
        return [meter.name, find(meter, new Set(own))];
      }),
    );
  }
}
