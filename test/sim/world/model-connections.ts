/**
 * Connections to the model of the database: they break when it goes down, wait when it hangs, and lose the answer of what
 * was carried out.
 */
import type { PoolClient } from "pg";
import type { Random } from "../../fuzz/random.ts";
import type { VirtualScope } from "./virtual-time.ts";

export type DatabaseState = "up" | "down" | "hung" | "full";

export type Values = readonly unknown[];

/** What a statement gives; what it changes is in `apply`. */
export interface Answer {
  readonly rows: readonly object[];
  readonly apply?: () => void;
}

/** What connections need of the server. */
export interface ModelServer {
  readonly state: DatabaseState;
  /** How often it has gone down: connections are of one time. */
  readonly generation: number;
  readonly random: Random;
  answer(text: string, values: Values, client: ModelClient): Promise<Answer>;
  /** The locks of a connection. */
  release(client: ModelClient): void;
}

const QUERY_TIMEOUT_MS = 75_000;
const CONNECT_TIMEOUT_MS = 10_000;
const CONNECTIONS = 8;

function failure(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

export class ModelClient {
  readonly #server: ModelServer;
  readonly #process: VirtualScope;
  readonly #generation: number;
  readonly #released: (client: ModelClient, isBroken: boolean) => void;
  readonly #forget: () => void;
  #transaction: (() => void)[] | undefined;
  broken = false;

  constructor(server: ModelServer, process: VirtualScope, released: (client: ModelClient, isBroken: boolean) => void) {
    this.#server = server;
    this.#process = process;
    this.#generation = server.generation;
    this.#released = released;
    this.#forget = process.onEnd(() => server.release(this));
  }

  /** Of a server that has gone down since. */
  get stale(): boolean {
    return this.#generation !== this.#server.generation;
  }

  on(): void {}

  off(): void {}

  release(error?: Error): void {
    this.#transaction = undefined;
    this.#server.release(this);
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
    const { state, random } = this.#server;
    const writes = text.includes("insert") || text.includes("put rows");
    if (state === "full" && writes) throw failure("could not extend file: No space left on device", "53100");
    if (writes && random.oneIn(2000)) throw failure("deadlock detected", "40P01");
    const answer = await this.#server.answer(text, values, this);
    if (this.#transaction === undefined) answer.apply?.();
    else if (answer.apply !== undefined) this.#transaction.push(answer.apply);
    return answer.rows;
  }

  #endTransaction(): void {
    this.#transaction = undefined;
    this.#server.release(this);
  }

  async #travel(): Promise<void> {
    const { random } = this.#server;
    await this.#process.wait(random.oneIn(50) ? 1 + random.below(200) : 1);
    const hungUntil = this.#process.now() + QUERY_TIMEOUT_MS;
    while (this.#server.state === "hung" && this.#process.now() < hungUntil) await this.#process.wait(1000);
    if (this.#server.state === "hung") throw this.#break("Query read timeout");
    if (this.#server.state === "down" || this.#generation !== this.#server.generation) {
      throw this.#break("Connection terminated unexpectedly", "57P01");
    }
  }

  #break(message: string, code?: string): Error {
    this.broken = true;
    this.#endTransaction();
    return failure(message, code);
  }
}

export class ModelPool {
  readonly #server: ModelServer;
  readonly #process: VirtualScope;
  readonly #idle: ModelClient[] = [];
  readonly #waiting: ((client: ModelClient | undefined) => void)[] = [];
  /** Connections that are lent. */
  #lent = 0;

  constructor(server: ModelServer, process: VirtualScope) {
    this.#server = server;
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
    if (this.#server.state === "hung") {
      await this.#process.wait(CONNECT_TIMEOUT_MS);
      throw failure("timeout exceeded when trying to connect");
    }
    if (this.#server.state === "down") throw failure("connect ECONNREFUSED", "ECONNREFUSED");
    return new ModelClient(this.#server, this.#process, (client, isBroken) => this.#giveBack(client, isBroken));
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
