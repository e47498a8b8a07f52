/**
 * What the database promises, in memory: transactions that are there whole or not at all, connections that break, a
 * commit whose answer is lost, locks. It knows the statements of the rooms that a simulation runs, by their first words;
 * rows come from a writer of its own, everything else from the statements that a real server gets.
 */
import type { Pool, PoolClient } from "pg";
import { placeOf, type SlotRule, slotOf } from "../../../src/collect/slot-calendar.ts";
import type { ProfileBatch, ProfileKind } from "../../../src/profiles/batch.ts";
import { Database } from "../../../src/store/database.ts";
import { PROFILE_KINDS } from "../../../src/store/profile-tables.ts";
import type { WriteOutcome, WriteParticipant } from "../../../src/store/profile-writer.ts";
import type { Random } from "../../fuzz/random.ts";
import type { VirtualScope } from "./virtual-time.ts";

export type DatabaseState = "up" | "down" | "hung" | "full";

/** A row as it is held; `value` is all that it says, as text. */
export interface HeldRow {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly instantMs: number;
  readonly intervalS: number;
  readonly value: string;
}

const SLOT_STATES = ["held", "absent", "off", "setAside"] as const;
export type SlotState = (typeof SLOT_STATES)[number];

interface JournalEntry {
  readonly profile: ProfileKind;
  readonly intervalS: number;
  readonly state: SlotState;
  readonly meterKeys: readonly number[];
  readonly starts: readonly number[];
  readonly counts: readonly number[];
}

export interface Page {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly intervalS: number;
  readonly day: number;
  /** Numbers of the bits that are set. */
  readonly bits: Readonly<Record<SlotState, Set<number>>>;
}

export interface Memory {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly validFromMs: number;
  readonly intervalS: number;
  readonly entries: number | null;
}

interface Answer {
  readonly rows: readonly object[];
  readonly apply?: () => void;
}

type Values = readonly unknown[];

const QUERY_TIMEOUT_MS = 75_000;
const CONNECT_TIMEOUT_MS = 10_000;
const CONNECTIONS = 8;
const EPOCH_MS = Date.UTC(2000, 0, 1);
const DAY_S = 86_400;
const CAPABILITIES = {
  edition: "postgresql",
  serverVersion: "model",
  timescaleVersion: undefined,
  hypertables: false,
  continuousAggregates: false,
  compression: false,
  policies: false,
} as const;

export class ModelDatabase {
  /** By meter and profile, then by instant. */
  readonly rows = new Map<string, Map<number, HeldRow>>();
  readonly pages = new Map<string, Page>();
  readonly memories = new Map<string, Memory>();
  readonly attempts = new Map<string, number>();
  /** Rows that came a second time and said something else. */
  readonly revisions: string[] = [];
  /** Statements that it does not know: the simulation is out of date. */
  readonly unknown = new Set<string>();
  readonly calendars = new Map<number, Pick<SlotRule, "zone" | "billingDay">>();
  readonly random: Random;
  readonly world: VirtualScope;
  #state: DatabaseState = "up";
  #generation = 0;
  #stateEnds = Promise.withResolvers<void>();
  readonly #journal: JournalEntry[] = [];
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

  journal(values: Values): Answer {
    const entries: JournalEntry[] = [];
    for (let at = 0; at < values.length; at += 6) {
      const [profile, intervalS, state, meterKeys, starts, counts] = values.slice(at, at + 6).map(String);
      entries.push({
        profile: PROFILE_KINDS[Number(profile) - 1] ?? "instant",
        intervalS: Number(intervalS),
        state: SLOT_STATES[Number(state) - 1] ?? "held",
        meterKeys: numbersOf(meterKeys),
        starts: numbersOf(starts),
        counts: numbersOf(counts),
      });
    }
    return { rows: [], apply: () => void this.#journal.push(...entries) };
  }

  fold(most: number): Answer {
    const folded = Math.min(most, this.#journal.length);
    return { rows: [{ folded }], apply: () => this.#journal.splice(0, folded).forEach((entry) => this.#mark(entry)) };
  }

  loadPages(meterKey: number, profiles: readonly number[], intervals: readonly number[]): Answer {
    const rows = [...this.pages.values()]
      .filter(
        (page) =>
          page.meterKey === meterKey &&
          profiles.some((code, at) => PROFILE_KINDS[code - 1] === page.profile && intervals[at] === page.intervalS),
      )
      .map(({ profile, day, intervalS, bits }) => ({
        profile: PROFILE_KINDS.indexOf(profile) + 1,
        day,
        interval_s: intervalS,
        held: bitText(bits.held),
        absent: bitText(bits.absent),
        meter_off: bitText(bits.off),
        set_aside: bitText(bits.setAside),
      }));
    return { rows };
  }

  loadMemories(meterKey: number): Answer {
    const newest = new Map<ProfileKind, Memory>();
    for (const memory of this.memories.values()) {
      if (memory.meterKey !== meterKey) continue;
      const known = newest.get(memory.profile);
      if (known === undefined || known.validFromMs < memory.validFromMs) newest.set(memory.profile, memory);
    }
    for (const [profile, last] of newest) newest.set(profile, { ...last, validFromMs: this.#beganMs(last) });
    const rows = Array.from(newest.values(), ({ profile, validFromMs, intervalS, entries }) => ({
      profile,
      valid_from: new Date(validFromMs),
      interval_s: intervalS,
      entries,
    }));
    return { rows };
  }

  /** Since when a profile has been captured as it is at last. */
  #beganMs({ meterKey, profile, intervalS }: Memory): number {
    const all = [...this.memories.values()].filter((each) => each.meterKey === meterKey && each.profile === profile);
    const otherMs = Math.max(...all.filter((each) => each.intervalS !== intervalS).map((each) => each.validFromMs));
    return Math.min(...all.map((each) => each.validFromMs).filter((validFromMs) => validFromMs > otherMs));
  }

  keepMemories(values: Values): Answer {
    const [keys, profiles, froms, intervals, entries] = values as [
      number[],
      ProfileKind[],
      Date[],
      number[],
      (number | null)[],
    ];
    const apply = () => {
      for (const [at, profile] of profiles.entries()) {
        const [meterKey = 0, validFromMs = 0] = [keys[at], froms[at]?.getTime()];
        const memory = { meterKey, profile, validFromMs, intervalS: intervals[at] ?? 0, entries: entries[at] ?? null };
        this.memories.set([meterKey, profile, validFromMs].join(" "), memory);
      }
    };
    return { rows: [], apply };
  }

  newestCaptures(meterKey: number): Answer {
    const newest: Partial<Record<ProfileKind, Date | null>> = {};
    for (const profile of PROFILE_KINDS) {
      const newestMs = Math.max(...this.rowsOf(meterKey, profile).keys());
      newest[profile] = Number.isFinite(newestMs) ? new Date(newestMs) : null;
    }
    return { rows: [newest] };
  }

  keepAttempts(values: Values): Answer {
    const [ids, starts, ends, what] = values as [string[], Date[], Date[], string[]];
    const keys = ids.map((id, at) => [id, starts[at]?.getTime(), ends[at]?.getTime(), what[at]].join(" "));
    const isNew = keys.filter((key) => !this.attempts.has(key));
    const apply = () => {
      for (const key of isNew) this.attempts.set(key, (this.attempts.get(key) ?? 0) + 1);
    };
    return { rows: [], apply };
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

  #mark({ profile, intervalS, state, meterKeys, starts, counts }: JournalEntry): void {
    for (const [at, meterKey] of meterKeys.entries()) {
      const calendar = this.calendars.get(meterKey);
      if (calendar === undefined) continue;
      const rule = { ...calendar, intervalS };
      const stepMs = (intervalS === 0 ? DAY_S : intervalS) * 1000;
      for (let slot = 0; slot < (counts[at] ?? 0); slot++) {
        const slotMs = slotOf(rule, EPOCH_MS + (starts[at] ?? 0) * 1000 + slot * stepMs);
        if (slotMs === undefined) continue;
        const { day, bit } = placeOf(rule, slotMs);
        this.#pageOf({ meterKey, profile, intervalS, day }).bits[state].add(bit);
      }
    }
  }

  #pageOf(place: Omit<Page, "bits">): Page {
    const key = pageKey(place);
    const known = this.pages.get(key);
    if (known !== undefined) return known;
    const bits = {
      held: new Set<number>(),
      absent: new Set<number>(),
      off: new Set<number>(),
      setAside: new Set<number>(),
    };
    const page = { ...place, bits };
    this.pages.set(key, page);
    return page;
  }
}

export function pageKey({ meterKey, profile, intervalS, day }: Omit<Page, "bits">): string {
  return [meterKey, profile, intervalS, day].join(" ");
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

function numbersOf(text = "{}"): number[] {
  return text === "{}" ? [] : text.slice(1, -1).split(",").map(Number);
}

/** Set bits as the text of a bit string; null for none. */
function bitText(bits: ReadonlySet<number>): string | null {
  if (bits.size === 0) return null;
  return Array.from({ length: Math.max(...bits) + 1 }, (_, bit) => (bits.has(bit) ? "1" : "0")).join("");
}

type Handler = (model: ModelDatabase, values: Values, client: ModelClient) => Answer | Promise<Answer>;

/** By words that only this statement has. */
const STATEMENTS: readonly (readonly [words: string, handler: Handler])[] = [
  ["model put rows", (model, [batches]) => model.putRows(batches as readonly ProfileBatch[])],
  ["insert into dlms.coverage_journal", (model, values) => model.journal(values)],
  ["select dlms.fold_coverage", (model, [most]) => model.fold(Number(most))],
  [
    "join dlms.coverage_pages",
    (model, [key, codes, intervals]) => model.loadPages(Number(key), codes as number[], intervals as number[]),
  ],
  ["insert into dlms.meter_profiles", (model, values) => model.keepMemories(values)],
  ["from dlms.meter_profiles", (model, [key]) => model.loadMemories(Number(key))],
  ["order by captured_at desc limit 1) as instant", (model, [key]) => model.newestCaptures(Number(key))],
  ["insert into dlms.read_failures", (model, values) => model.keepAttempts(values)],
  ["insert into dlms.read_successes", (model, values) => model.keepAttempts(values)],
  ["insert into dlms.rejected_rows", (model, values) => model.keepRejected(values)],
  ["insert into dlms.upkeep_runs", () => ({ rows: [] })],
  ["delete from dlms.spool_positions", () => ({ rows: [] })],
  ["from dlms.spool_positions", (model, [run]) => model.positionsOf(String(run))],
  ["insert into dlms.spool_positions", (model, values) => model.movePosition(values)],
  ["insert into dlms.invocation_counters", (model, values, client) => model.reserve(values, client)],
  ["insert into dlms.upkeep_runs", () => ({ rows: [] })],
];

function failure(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

class ModelClient {
  readonly #model: ModelDatabase;
  readonly #process: VirtualScope;
  readonly #generation: number;
  readonly #released: (client: ModelClient, isBroken: boolean) => void;
  readonly #forget: () => void;
  #transaction: (() => void)[] | undefined;
  broken = false;

  constructor(model: ModelDatabase, process: VirtualScope, released: (client: ModelClient, isBroken: boolean) => void) {
    this.#model = model;
    this.#process = process;
    this.#generation = model.generation;
    this.#released = released;
    this.#forget = process.onEnd(() => model.release(this));
  }

  /** Of a server that has gone down since. */
  get stale(): boolean {
    return this.#generation !== this.#model.generation;
  }

  on(): void {}

  off(): void {}

  release(error?: Error): void {
    this.#transaction = undefined;
    this.#model.release(this);
    if (error !== undefined) this.broken = true;
    if (this.broken) this.#forget();
    this.#released(this, this.broken);
  }

  async query(text: string, values: Values = []): Promise<{ rows: readonly object[] }> {
    await this.#travel();
    const word = text.trimStart().slice(0, 8).toLowerCase();
    let rows: readonly object[] = [];
    if (word.startsWith("begin")) this.#transaction = [];
    else if (word === "rollback") this.#endTransaction();
    else if (word.startsWith("commit")) {
      for (const apply of this.#transaction ?? []) apply();
      this.#endTransaction();
    } else rows = await this.#carryOut(text, values);
    // What was done stays done when the answer is lost.
    await this.#travel();
    return { rows };
  }

  async #carryOut(text: string, values: Values): Promise<readonly object[]> {
    const { state, random } = this.#model;
    const writes = text.includes("insert") || text.includes("put rows");
    if (state === "full" && writes) throw failure("could not extend file: No space left on device", "53100");
    if (writes && random.oneIn(2000)) throw failure("deadlock detected", "40P01");
    const answer = await this.#model.answer(text, values, this);
    if (this.#transaction === undefined) answer.apply?.();
    else if (answer.apply !== undefined) this.#transaction.push(answer.apply);
    return answer.rows;
  }

  #endTransaction(): void {
    this.#transaction = undefined;
    this.#model.release(this);
  }

  async #travel(): Promise<void> {
    const { random } = this.#model;
    await this.#process.wait(random.oneIn(50) ? 1 + random.below(200) : 1);
    const hungUntil = this.#process.now() + QUERY_TIMEOUT_MS;
    while (this.#model.state === "hung" && this.#process.now() < hungUntil) await this.#process.wait(1000);
    if (this.#model.state === "hung") throw this.#break("Query read timeout");
    if (this.#model.state === "down" || this.#generation !== this.#model.generation) {
      throw this.#break("Connection terminated unexpectedly", "57P01");
    }
  }

  #break(message: string, code?: string): Error {
    this.broken = true;
    this.#endTransaction();
    return failure(message, code);
  }
}

class ModelPool {
  readonly #model: ModelDatabase;
  readonly #process: VirtualScope;
  readonly #idle: ModelClient[] = [];
  readonly #waiting: ((client: ModelClient | undefined) => void)[] = [];
  /** Connections that are lent. */
  #lent = 0;

  constructor(model: ModelDatabase, process: VirtualScope) {
    this.#model = model;
    this.#process = process;
  }

  get totalCount(): number {
    return this.#lent;
  }

  get idleCount(): number {
    return 0;
  }

  async query(text: string, values: Values = []): Promise<{ rows: readonly object[] }> {
    const client = await this.#lend();
    try {
      return await client.query(text, values);
    } finally {
      client.release();
    }
  }

  async connect(): Promise<PoolClient> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the part of a client that the rooms use
    return (await this.#lend()) as unknown as PoolClient;
  }

  async end(): Promise<void> {}

  async #lend(): Promise<ModelClient> {
    if (this.#lent >= CONNECTIONS) {
      const { promise, resolve } = Promise.withResolvers<ModelClient | undefined>();
      const giveUp = this.#process.after(CONNECT_TIMEOUT_MS, () => {
        this.#waiting.splice(this.#waiting.indexOf(resolve), 1);
        resolve(undefined);
      });
      this.#waiting.push(resolve);
      const client = await promise;
      giveUp.close();
      if (client === undefined) throw failure("timeout exceeded when trying to connect");
      return client;
    }
    this.#lent += 1;
    // One that broke while it was idle is replaced.
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) if (!idle.stale) return idle;
    try {
      return await this.#connect();
    } catch (error) {
      this.#lent -= 1;
      this.#next();
      throw error;
    }
  }

  async #connect(): Promise<ModelClient> {
    await this.#process.wait(2);
    if (this.#model.state === "hung") {
      await this.#process.wait(CONNECT_TIMEOUT_MS);
      throw failure("timeout exceeded when trying to connect");
    }
    if (this.#model.state === "down") throw failure("connect ECONNREFUSED", "ECONNREFUSED");
    return new ModelClient(this.#model, this.#process, (client, isBroken) => this.#giveBack(client, isBroken));
  }

  #giveBack(client: ModelClient, isBroken: boolean): void {
    const waiting = isBroken ? undefined : this.#waiting.shift();
    if (waiting !== undefined) return waiting(client);
    this.#lent -= 1;
    if (!isBroken) this.#idle.push(client);
    this.#next();
  }

  /** Whoever waits gets a new connection where one has gone. */
  #next(): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#lent += 1;
    this.#connect().then(waiting, () => {
      this.#lent -= 1;
      waiting(undefined);
      this.#next();
    });
  }
}
