/**
 * What the database promises, in memory: transactions that are there whole or not at all, connections that break, a
 * commit whose answer is lost, locks. It knows the statements of the rooms that a simulation runs, by their first words;
 * rows come from a writer of its own, everything else from the statements that a real server gets.
 */
import type { Pool } from "pg";
import type { ProfileBatch, ProfileKind } from "../../../src/profiles/batch.ts";
import { Database } from "../../../src/store/database/database.ts";
import { PROFILE_KINDS } from "../../../src/store/profiles/profile-tables.ts";
import type { WriteOutcome, WriteParticipant } from "../../../src/store/profiles/profile-writer.ts";
import type { Random } from "../../fuzz/random.ts";
import {
  type Answer,
  type DatabaseState,
  type ModelClient,
  ModelPool,
  type ModelServer,
  type Values,
} from "./model-connections.ts";
import { ModelLedger } from "./model-ledger.ts";
import type { VirtualScope } from "./virtual-time.ts";

/** A row as it is held; `value` is all that it says, as text. */
export interface HeldRow {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly instantMs: number;
  readonly intervalS: number;
  readonly value: string;
}

const CAPABILITIES = {
  edition: "postgresql",
  serverVersion: "model",
  timescaleVersion: undefined,
  hypertables: false,
  continuousAggregates: false,
  compression: false,
  policies: false,
} as const;

export class ModelDatabase implements ModelServer {
  /** By meter and profile, then by instant. */
  readonly rows = new Map<string, Map<number, HeldRow>>();
  readonly ledger = new ModelLedger();
  /** Rows that came a second time and said something else. */
  readonly revisions: string[] = [];
  /** Statements that it does not know: the simulation is out of date. */
  readonly unknown = new Set<string>();
  readonly random: Random;
  readonly world: VirtualScope;
  #state: DatabaseState = "up";
  #generation = 0;
  #stateEnds = Promise.withResolvers<void>();
  readonly #positions = new Map<string, number>();
  readonly #counters = new Map<string, number>();
  readonly #locks = new Map<string, ModelClient>();
  #unlocked = Promise.withResolvers<void>();
  readonly #rejected = new Set<string>();

  constructor(world: VirtualScope, random: Random) {
    this.world = world;
    this.random = random;
  }

  get state(): DatabaseState {
    return this.#state;
  }

  /** How often it has gone down: connections are of one time. */
  get generation(): number {
    return this.#generation;
  }

  get stateEnds(): Promise<void> {
    return this.#stateEnds.promise;
  }

  become(state: DatabaseState): void {
    if (state === "down") {
      this.#generation += 1;
      this.#releaseAll();
    }
    this.#state = state;
    this.#stateEnds.resolve();
    this.#stateEnds = Promise.withResolvers();
  }

  /** The database as a process has it. */
  openFor(process: VirtualScope): { readonly database: Database; readonly busy: () => number } {
    const pool = new ModelPool(this, process);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of a pool that the class uses
    return { database: new Database(pool as unknown as Pool, CAPABILITIES), busy: () => pool.totalCount };
  }

  /** Writes rows as the real writer does, and with the same participants. */
  async write(
    database: Database,
    batches: readonly ProfileBatch[],
    participants: readonly WriteParticipant[],
  ): Promise<WriteOutcome> {
    return database.transaction(async (client) => {
      const { rows: result } = await client.query<{ inserted: number }>("model put rows", [batches]);
      for (const takePart of participants) await takePart(client, { batches, setAside: [], isRepeat: true });
      const rows = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
      const inserted = result[0]?.inserted ?? 0;
      return { rows, inserted, held: rows - inserted, completed: 0, revised: 0, setAside: [] };
    });
  }

  /** Carries out a statement; what it changes is in `apply`. */
  async answer(text: string, values: Values, client: ModelClient): Promise<Answer> {
    const statement = STATEMENTS.find(([start]) => text.includes(start));
    if (statement === undefined) {
      this.unknown.add(text.slice(0, 200));
      throw new Error(`the model does not know: ${text.slice(0, 200)}`);
    }
    return statement[1](this, values, client);
  }

  putRows(batches: readonly ProfileBatch[]): Answer {
    const fresh = batches.flatMap((batch) => batch.instantsMs.map((_, row) => heldRow(batch, row)));
    const inserted = fresh.filter((row) => !this.rowsOf(row.meterKey, row.profile).has(row.instantMs)).length;
    const apply = () => {
      for (const row of fresh) {
        const rows = this.rowsOf(row.meterKey, row.profile);
        const held = rows.get(row.instantMs);
        if (held === undefined) rows.set(row.instantMs, row);
        else if (held.value !== row.value) this.revisions.push(`${rowKey(row)}: ${held.value} / ${row.value}`);
      }
    };
    return { rows: [{ inserted }], apply };
  }

  rowsOf(meterKey: number, profile: ProfileKind): Map<number, HeldRow> {
    const key = `${meterKey} ${profile}`;
    const known = this.rows.get(key) ?? new Map<number, HeldRow>();
    this.rows.set(key, known);
    return known;
  }

  newestCaptures(meterKey: number): Answer {
    const newest: Partial<Record<ProfileKind, Date | null>> = {};
    for (const profile of PROFILE_KINDS) {
      const newestMs = Math.max(...this.rowsOf(meterKey, profile).keys());
      newest[profile] = Number.isFinite(newestMs) ? new Date(newestMs) : null;
    }
    return { rows: [newest] };
  }

  keepRejected(values: Values): Answer {
    const text = JSON.stringify(values);
    return { rows: [], apply: () => void this.#rejected.add(text) };
  }

  positionsOf(run: string): Answer {
    const own = [...this.#positions].filter(([key]) => key.startsWith(`${run} `));
    return { rows: own.map(([key, next]) => ({ kind: key.slice(run.length + 1), next_sequence: BigInt(next) })) };
  }

  movePosition([run, kind, next]: Values): Answer {
    return { rows: [], apply: () => void this.#positions.set(`${String(run)} ${String(kind)}`, Number(next)) };
  }

  async reserve([keyId, title, association, count, floor]: Values, client: ModelClient): Promise<Answer> {
    const key = [keyId, String(title), association].join(" ");
    await this.#lock(key, client);
    const next = Math.max(this.#counters.get(key) ?? 0, Number(floor)) + Number(count);
    return { rows: [{ next_counter: BigInt(next) }], apply: () => void this.#counters.set(key, next) };
  }

  release(client: ModelClient): void {
    for (const [key, owner] of this.#locks) if (owner === client) this.#locks.delete(key);
    this.#unlocked.resolve();
    this.#unlocked = Promise.withResolvers();
  }

  async #lock(key: string, client: ModelClient): Promise<void> {
    for (;;) {
      const owner = this.#locks.get(key);
      if (owner === undefined || owner === client) break;
      await this.#unlocked.promise;
    }
    this.#locks.set(key, client);
  }

  #releaseAll(): void {
    this.#locks.clear();
    this.#unlocked.resolve();
    this.#unlocked = Promise.withResolvers();
  }
}

function rowKey({ meterKey, profile, instantMs }: HeldRow): string {
  return [meterKey, profile, new Date(instantMs).toISOString()].join(" ");
}

function heldRow(batch: ProfileBatch, row: number): HeldRow {
  const { meterKey, profile, instantsMs, columns, others, intervalS = 0 } = batch;
  const named = columns.map(({ column, values }) => `${column}=${String(values[row])}`);
  const unnamed = others.map(({ captureObject, values }) => `${captureObject}=${String(values[row])}`);
  return { meterKey, profile, instantMs: instantsMs[row] ?? 0, intervalS, value: [...named, ...unnamed].join(" ") };
}

type Handler = (model: ModelDatabase, values: Values, client: ModelClient) => Answer | Promise<Answer>;

/** By words that only this statement has. */
const STATEMENTS: readonly (readonly [words: string, handler: Handler])[] = [
  ["model put rows", (model, [batches]) => model.putRows(batches as readonly ProfileBatch[])],
  ["insert into dlms.coverage_journal", (model, values) => model.ledger.note(values)],
  ["select dlms.fold_coverage", (model, [most]) => model.ledger.fold(Number(most))],
  [
    "join dlms.coverage_pages",
    (model, [key, codes, intervals]) => model.ledger.loadPages(Number(key), codes as number[], intervals as number[]),
  ],
  ["insert into dlms.meter_profiles", (model, values) => model.ledger.keepMemories(values)],
  ["from dlms.meter_profiles", (model, [key]) => model.ledger.loadMemories(Number(key))],
  ["order by captured_at desc limit 1) as instant", (model, [key]) => model.newestCaptures(Number(key))],
  ["insert into dlms.read_failures", () => ({ rows: [] })],
  ["insert into dlms.read_successes", () => ({ rows: [] })],
  ["insert into dlms.rejected_rows", (model, values) => model.keepRejected(values)],
  ["insert into dlms.upkeep_runs", () => ({ rows: [] })],
  ["delete from dlms.spool_positions", () => ({ rows: [] })],
  ["from dlms.spool_positions", (model, [run]) => model.positionsOf(String(run))],
  ["insert into dlms.spool_positions", (model, values) => model.movePosition(values)],
  ["insert into dlms.invocation_counters", (model, values, client) => model.reserve(values, client)],
];
