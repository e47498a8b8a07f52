/**
 * Meters that come and go while gateways run: those that people add, which are kept in the database and worked by all
 * gateways from then on, and those of the configuration when that is read again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { addedMeters } from "../api/answers/meters.ts";
import { ApiError } from "../api/api-error.ts";
import { type Api, callerOf } from "../api/http-api.ts";
import type { Calls } from "../calls/calls.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import { checkMeter } from "../config/load.ts";
import type { Config, MeterConfig } from "../config/schema.ts";
import type { EventSink } from "../observe/events.ts";
import { keepMeterAttributes } from "../series/collections.ts";
import type { Database } from "../store/database/database.ts";
import {
  type AddedMeter,
  addedMeterCount,
  isAddedMeter,
  type KeptMeter,
  loadAddedMeters,
  METERS_CHANNEL,
  putAddedMeters,
  removeAddedMeter,
} from "../store/records/added-meters.ts";
import { type AddedConfigs, addedConfigs, type ConfiguredMeters, configuredMeters } from "./added-configs.ts";
import type { GatewayPlans } from "./gateway-plans.ts";
import type { GatewayPush } from "./gateway-push.ts";
import type { SharedMeters } from "./shared-meters.ts";
import { type StartedFleet, unlockMeter } from "./start-fleet.ts";

export interface AddedMetersParts {
  readonly config: Config;
  readonly database: Database;
  readonly known: StartedFleet;
  readonly planning: Pick<GatewayPlans, "learn">;
  readonly pushing: Pick<GatewayPush, "add" | "expect" | "remove">;
  readonly calls: Pick<Calls, "add" | "remove">;
  readonly shared: Pick<SharedMeters, "add" | "remove" | "listen">;
  readonly events: EventSink;
}

type AddedAnswer = z.output<typeof addedMeters>;
type Problem = AddedAnswer["problems"][number];

/** Notices may get lost. */
const LOOK_MS = 30_000;
const AT_ONCE = 1000;
const TAGS = ["meters"];

export class AddedMeters implements AsyncDisposable {
  readonly #parts: AddedMetersParts;
  readonly #stopping = new AbortController();
  #configured: ConfiguredMeters;
  /** Names of those that this gateway has taken note of, and the key of the newest. */
  readonly #names: Set<string>;
  #newestKey = 0;
  readonly #unlearned = new Set<PolledMeter>();
  #looking: Promise<void> = Promise.resolve();

  constructor(parts: AddedMetersParts) {
    this.#parts = parts;
    this.#configured = configuredMeters(parts.config);
    this.#names = new Set(parts.known.added.map(({ name }) => name));
    parts.shared.listen(METERS_CHANNEL, (removed) => void this.#hear(removed).catch(() => undefined));
    void this.#watch();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#looking.catch(() => undefined);
  }

  /** Takes what was added and lets go what was removed, by whichever gateway. Throws StoreError. */
  look(): Promise<void> {
    return this.#inTurn(() => this.#lookAtAll());
  }

  /** Takes the meters of the configuration as it is now. Throws StoreError, and changes nothing then. */
  configure(): Promise<void> {
    return this.#inTurn(() => this.#takeConfiguration());
  }

  #hear(removed: string): Promise<void> {
    return this.#inTurn(() => (removed === "" ? this.#takeNew() : this.#lookForRemoved(removed)));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#looking = this.#looking.catch(() => undefined).then(work);
    return this.#looking;
  }

  resources(api: Api): void {
    api.post(
      "/v1/meters",
      {
        config: { needs: "engineer", change: { event: "metersAdded", message: "somebody added meters" } },
        schema: {
          tags: TAGS,
          summary: "Add meters, all or none; what is wrong with each is said",
          body: z.strictObject({
            meters: z
              .array(z.record(z.string(), z.unknown()))
              .min(1)
              .max(AT_ONCE)
              .describe("Each as in `meters` of the configuration; secrets as references."),
            dryRun: z.boolean().default(false).describe("Say what is wrong, add nothing."),
          }),
          response: { 200: addedMeters },
        },
      },
      async (request) => {
        const { actor } = callerOf(request);
        return await this.#add(request.body.meters, { who: actor, dryRun: request.body.dryRun });
      },
    );
    api.delete(
      "/v1/meters/:meter",
      {
        config: { needs: "engineer", change: { event: "meterRemoved", message: "somebody removed a meter" } },
        schema: {
          tags: TAGS,
          summary: "Work a meter that was added no more; its readings stay",
          params: z.object({ meter: z.string().min(1).max(128) }),
          response: { 200: z.object({ meter: z.string() }) },
        },
      },
      async (request) => {
        const { meter } = request.params;
        if (!(await removeAddedMeter(this.#parts.database, meter))) {
          throw new ApiError("conflict", `no meter ${meter} was added; those of the configuration are removed there`);
        }
        await this.#hear(meter);
        return { meter };
      },
    );
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await this.look().catch(() => undefined);
    }
  }

  /** For notices that were lost; all are gone through only where the numbers differ. */
  async #lookAtAll(): Promise<void> {
    const { database } = this.#parts;
    await this.#learn();
    await this.#takeNew();
    if ((await addedMeterCount(database)) === this.#names.size) return;
    const rows = await loadAddedMeters(database);
    const names = new Set(rows.map(({ name }) => name));
    await this.#forget([...this.#names].filter((name) => !names.has(name)));
    await this.#accept(rows);
  }

  async #takeNew(): Promise<void> {
    await this.#accept(await loadAddedMeters(this.#parts.database, this.#newestKey));
  }

  async #lookForRemoved(name: string): Promise<void> {
    if (this.#names.has(name) && !(await isAddedMeter(this.#parts.database, name))) await this.#forget([name]);
  }

  async #forget(names: readonly string[]): Promise<void> {
    const { known, events } = this.#parts;
    for (const name of names) this.#names.delete(name);
    const added = names.filter((name) => !this.#configured.names.has(name));
    const meters = added.flatMap((name) => known.meters.get(name) ?? []);
    await this.#letGo(meters);
    known.record.renew();
    for (const { target } of meters) events({ event: "meterRemoved", meter: target.name });
  }

  async #accept(rows: readonly KeptMeter[]): Promise<void> {
    const { configs, refused } = addedConfigs(this.#parts.config, rows, this.#configured);
    await this.#take(configs);
    this.#note(rows, refused);
  }

  #note(rows: readonly KeptMeter[], refused: AddedConfigs["refused"]): void {
    for (const each of refused) this.#parts.events({ event: "addedMeterRefused", ...each });
    for (const { name } of rows) this.#names.add(name);
    this.#newestKey = Math.max(this.#newestKey, rows.at(-1)?.key ?? 0);
  }

  /** What is in the database before anything changes here: without it, all goes on as before. Throws StoreError. */
  async #takeConfiguration(): Promise<void> {
    const { config, database, known } = this.#parts;
    const rows = await loadAddedMeters(database);
    const configured = configuredMeters(config);
    const { configs, refused } = addedConfigs(config, rows, configured);
    const wanted = [...config.meters, ...configs];
    const names = new Set(wanted.map(({ name }) => name));
    const gone = Array.from(known.meters.values()).filter(({ target }) => !names.has(target.name));
    await this.#take(wanted, gone);
    this.#configured = configured;
    this.#note(rows, refused);
  }

  /** Those that are new, or other than they were: these are let go first, as are those that are `gone`. Throws StoreError. */
  async #take(wanted: readonly MeterConfig[], gone: readonly PolledMeter[] = []): Promise<void> {
    const { database, known, pushing, calls, shared, events } = this.#parts;
    const formerOf = ({ name }: MeterConfig) => known.meters.get(name);
    const configs = wanted.filter((config) => {
      const former = formerOf(config);
      return former === undefined || !isDeepStrictEqual(known.meters.configOf(former), config);
    });
    if (configs.length + gone.length === 0) return;
    const members = await known.fleet.put(configs);
    await keepMeterAttributes(database, configs);
    await this.#letGo([...gone, ...configs.flatMap((config) => formerOf(config) ?? [])]);
    const meters = configs.flatMap((config, index) => {
      const member = members[index];
      if (member === undefined) return [];
      const meter = known.newMeter(config, member);
      known.meters.add(meter, config);
      return [meter];
    });
    await Promise.all(meters.map((meter) => unlockMeter(meter, events)));
    for (const meter of meters) {
      pushing.add(meter);
      calls.add(meter);
      this.#unlearned.add(meter);
    }
    await shared.add(meters);
    await this.#learn().catch(() => undefined);
    known.record.renew();
    if (meters.length > 0) events({ event: "metersAdded", meters: meters.length });
  }

  /** What the database has of new meters: their plans, and when they push. Throws StoreError; the next look asks again. */
  async #learn(): Promise<void> {
    const { planning, pushing } = this.#parts;
    const meters = [...this.#unlearned];
    if (meters.length === 0) return;
    await planning.learn(meters.map(({ meterKey }) => meterKey));
    await pushing.expect(meters);
    for (const meter of meters) this.#unlearned.delete(meter);
  }

  /** Ends when the sessions have ended that they are in. */
  async #letGo(meters: readonly PolledMeter[]): Promise<void> {
    if (meters.length === 0) return;
    const { known, pushing, calls, shared } = this.#parts;
    for (const meter of meters) {
      known.meters.remove(meter);
      calls.remove(meter);
      pushing.remove(meter);
      this.#unlearned.delete(meter);
    }
    await shared.remove(meters);
  }

  async #add(
    given: readonly Readonly<Record<string, unknown>>[],
    { who, dryRun }: { readonly who: string; readonly dryRun: boolean },
  ): Promise<AddedAnswer> {
    const { config, database } = this.#parts;
    const problems: Problem[] = [];
    const meters: AddedMeter[] = [];
    const names = new Set<string>();
    for (const [index, settings] of given.entries()) {
      const checked = checkMeter(settings, config.models);
      if (!("meter" in checked)) {
        problems.push(...checked.problems.map(({ path, message }) => ({ index, path, message })));
        continue;
      }
      const { name, number } = checked.meter;
      const taken = this.#taken(checked.meter) ?? twice(names, { name, number });
      if (taken !== undefined) problems.push({ index, ...taken });
      meters.push({ name, number, settings });
    }
    if (problems.length > 0 || dryRun) return { added: [], problems };
    await putAddedMeters(database, meters, who);
    await this.#hear("");
    return { added: meters.map(({ name }) => name), problems };
  }

  /** A name or number that is there already, as either: orders take both. */
  #taken({ name, number }: MeterConfig): Omit<Problem, "index"> | undefined {
    const { known } = this.#parts;
    for (const [path, text] of Object.entries({ name, number })) {
      const other = known.meters.get(text) ?? known.meters.byKey(known.fleet.byNumber(text)?.key ?? -1);
      if (other === undefined) continue;
      const { target } = other;
      const where = this.#names.has(target.name) ? "was added already" : "is in the configuration";
      return { path, message: `${target.name}, number ${target.number}, ${where}` };
    }
    const former = known.fleet.byName(name);
    if (former === undefined || former.number === number) return undefined;
    return {
      path: "name",
      message: `${former.number} is the number of ${name} in the database; say that one, or another name`,
    };
  }
}

/** Whether a name or number was given before. */
function twice(given: Set<string>, { name, number }: { readonly name: string; readonly number: string }) {
  const again = Object.entries({ name, number }).find(([, text]) => given.has(text));
  given.add(name).add(number);
  return again && { path: again[0], message: `${again[1]} is given twice` };
}
