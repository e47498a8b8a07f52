/**
 * What gateways ask of each other: work for a meter goes to the gateway that holds it, over a table of the database that
 * is there anyway. A job is taken only by the gateway that works the meter; when that one dies, the next one takes it
 * again. So what is done by a job must bear being done twice.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type ReadRefusal, ReadRefusedError } from "../api/read-answer.ts";
import { messageOf } from "../observe/message-of.ts";
import { isTransient, type Queryable } from "../store/database/database.ts";
import type { Block } from "./block.ts";

export const JOBS_CHANNEL = "dlms_jobs";
export const ANSWERS_CHANNEL = "dlms_job_answers";

/** What is to be done for a meter. */
export interface MeterJob extends Block {
  readonly meter: string;
  readonly kind: string;
  readonly what: unknown;
}

/** Does one kind of job; a NotHereError sends it to whoever holds the meter by then. */
export type JobHandler = (meter: string, what: unknown) => Promise<unknown>;

/** The meter of a job is another gateway's by now. */
export class NotHereError extends Error {
  override readonly name = "NotHereError";
}

export interface MeterJobsOptions {
  readonly database: Queryable;
  /** This gateway and the number of its run. */
  readonly me: () => { readonly id: string; readonly run: number };
  readonly handlers: ReadonlyMap<string, JobHandler>;
  readonly onFailure: (error: unknown) => void;
}

const refusalSchema = z.object({
  meter: z.string(),
  cause: z.string(),
  evidence: z.string(),
  nextStep: z.string(),
});
const answerSchema = z.union([
  z.object({ answer: z.unknown() }),
  z.object({ refusal: refusalSchema }),
  z.object({ error: z.string() }),
]);

const UNREADABLE = { error: "the answer of the other gateway is none that this version knows" };

interface JobRow {
  job_key: bigint;
  meter_name: string;
  kind: string;
  what: unknown;
}

interface Requested {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Notices may get lost with the connection that hears them. */
const LOOK_EVERY_MS = 2000;
const FORGET_MS = 600_000;
const AT_ONCE = 100;

export class MeterJobs implements AsyncDisposable {
  readonly #options: MeterJobsOptions;
  readonly #requested = new Map<bigint, Requested>();
  readonly #timer: NodeJS.Timeout;
  readonly #working = new Set<Promise<void>>();
  #taking: Promise<void> = Promise.resolve();
  #isWanted = false;
  #forgottenMs = -Infinity;
  readonly #stopping = new AbortController();

  constructor(options: MeterJobsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /** Asks whoever holds the meter. Rejects with ReadRefusedError, or an Error in the words of the other gateway. */
  async request(job: MeterJob, timeoutMs: number): Promise<unknown> {
    const [row] = await this.#options.database.query<{ job_key: bigint }>(
      `with put as (
         insert into dlms.jobs (network, block, meter_name, kind, what, asked_by, expires_at)
         values ($1::text, $2::smallint, $3::text, $4::text, $5::jsonb, $6::uuid, now() + make_interval(secs => $7::float8))
         returning job_key
       )
       select job_key, pg_notify('${JOBS_CHANNEL}', '') from put`,
      [job.network, job.block, job.meter, job.kind, JSON.stringify(job.what), this.#options.me().id, timeoutMs / 1000],
    );
    if (row === undefined) throw new Error("the job was not stored");
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(
      () => reject(new Error(`the gateway that holds ${job.meter} has not answered within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    this.#requested.set(row.job_key, { resolve, reject });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#requested.delete(row.job_key);
    }
  }

  /** Looks for jobs of the blocks that are this gateway's: there are new ones, or more blocks. */
  takeNew(): void {
    if (this.#stopping.signal.aborted || this.#isWanted) return;
    this.#isWanted = true;
    this.#taking = this.#taking.then(() => this.#take()).catch(this.#options.onFailure);
  }

  /** Looks for answers to what was requested. */
  async fetchAnswers(): Promise<void> {
    if (this.#requested.size === 0) return;
    const rows = await this.#options.database.query<{ job_key: bigint; answer: unknown }>(
      "select job_key, answer from dlms.jobs where job_key = any ($1::bigint[]) and answered_at is not null",
      [[...this.#requested.keys()]],
    );
    for (const { job_key: key, answer } of rows) {
      const requested = this.#requested.get(key);
      const { data: told = UNREADABLE } = answerSchema.safeParse(answer);
      if ("refusal" in told) requested?.reject(new ReadRefusedError(told.refusal));
      else if ("error" in told) requested?.reject(new Error(told.error));
      else requested?.resolve(told.answer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#timer);
    for (const { reject } of this.#requested.values()) reject(new Error("the gateway stops"));
    await this.#taking;
    await Promise.all(this.#working);
  }

  #look(): void {
    this.takeNew();
    this.#track(this.fetchAnswers());
    const nowMs = performance.now();
    if (nowMs - this.#forgottenMs < FORGET_MS) return;
    this.#forgottenMs = nowMs;
    this.#track(this.#options.database.query("delete from dlms.jobs where expires_at < now() - interval '1 day'"));
  }

  async #take(): Promise<void> {
    this.#isWanted = false;
    const { id, run } = this.#options.me();
    const jobs = await this.#options.database.query<JobRow>(
      `update dlms.jobs j set taken_by = $1::uuid, taken_run = $2::bigint, tries = j.tries + 1
       where j.job_key in (
         select o.job_key from dlms.jobs o
         where dlms.worker_of(o.network, o.block, o.meter_name) = $1::uuid and o.answered_at is null and o.expires_at > now() and o.tries < 3
           and (o.taken_by is null or o.taken_by <> $1::uuid or o.taken_run <> $2::bigint)
         order by o.job_key limit ${AT_ONCE} for update of o skip locked
       )
       returning j.job_key, j.meter_name, j.kind, j.what`,
      [id, run],
    );
    for (const job of jobs) this.#track(this.#work(job));
    if (jobs.length === AT_ONCE) this.takeNew();
  }

  /** What it does is over before we are. */
  #track(work: Promise<unknown>): void {
    const working = work
      .catch(this.#options.onFailure)
      .then(() => undefined)
      .finally(() => this.#working.delete(working));
    this.#working.add(working);
  }

  async #work({ job_key: key, meter_name: meter, kind, what }: JobRow): Promise<void> {
    const { database, handlers } = this.#options;
    const { id, run } = this.#options.me();
    const handler = handlers.get(kind);
    const answer = handler === undefined ? unknownKind(kind) : await answerOf(() => handler(meter, what));
    if (answer === undefined) {
      await database.query(
        `update dlms.jobs set taken_by = null, tries = tries - 1
         where job_key = $1::bigint and taken_by = $2::uuid and taken_run = $3::bigint`,
        [key, id, run],
      );
      return;
    }
    await this.#untilStored(() =>
      database.query(
        `with done as (
         update dlms.jobs set answered_at = now(), answer = $4::jsonb
         where job_key = $1::bigint and taken_by = $2::uuid and taken_run = $3::bigint returning job_key
       )
       select pg_notify('${ANSWERS_CHANNEL}', job_key::text) from done`,
        [key, id, run, JSON.stringify(answer)],
      ),
    );
  }

  /** The work is done and may not be doable twice: its answer waits for a database that is away. */
  async #untilStored(store: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await store();
        return;
      } catch (error) {
        if (!isTransient(error) || this.#stopping.signal.aborted) throw error;
        this.#options.onFailure(error);
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }
}

type Answer = { readonly answer: unknown } | { readonly refusal: ReadRefusal } | { readonly error: string };

function unknownKind(kind: string): Answer {
  return { error: `the gateway that holds the meter is of another version, and does not know how to "${kind}"` };
}

/** Undefined when the meter is another gateway's by now. */
async function answerOf(work: () => Promise<unknown>): Promise<Answer | undefined> {
  try {
    return { answer: (await work()) ?? null };
  } catch (error) {
    if (error instanceof NotHereError) return undefined;
    if (error instanceof ReadRefusedError) return { refusal: error.refusal };
    return { error: messageOf(error) };
  }
}
