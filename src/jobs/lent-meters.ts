/**
 * Meters that call in are worked where they have called. A gateway that has the call of a meter and does not hold its block
 * asks whoever works the meter to lend it, until the call ends; then the holder of the block has it again. The database
 * says what is lent, so that it stays so when blocks change hands.
 */
import { z } from "zod";
import { systemClock, type Timer } from "../../drivers/clock.ts";
import type { Calls } from "../calls/calls.ts";
import type { PollLoop } from "../collect/lanes/poll-loop.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import type { Queryable } from "../store/database/database.ts";
import { connectionBlock } from "./meter-blocks.ts";
import { type MeterJobs, NotHereError } from "./meter-jobs.ts";

export const LENT_CHANNEL = "dlms_lent_meters";
export const LEND_JOB = "lend";

export interface LentMetersOptions {
  readonly database: Queryable;
  readonly jobs: Pick<MeterJobs, "request">;
  readonly calls: Pick<Calls, "callerCount" | "isReachable" | "hangUp">;
  readonly loop: Pick<PollLoop<PolledMeter>, "holds">;
  readonly meters: { get(name: string): PolledMeter | undefined };
  /** This gateway and the number of its run. */
  readonly me: () => { readonly id: string; readonly run: number };
  /** The last sign of life of a gateway that is dead; undefined of one that may be alive. */
  readonly lastBeatOfDead: (gateway: string) => number | undefined;
  /** Ends all work for a meter. */
  readonly release: (meter: PolledMeter) => Promise<void>;
  /** The meter may have become this gateway's, or another one's. */
  readonly onChange: (meter: PolledMeter) => void;
  readonly onFailure: (error: unknown) => void;
  /** How long whoever works a meter may take to leave it. */
  readonly timeoutMs: () => number;
}

/** Notices may get lost with the connection that hears them. */
const LOOK_EVERY_MS = 2000;
const ASK_AGAIN_MS = 5000;

const lendSchema = z.object({ to: z.uuid(), run: z.number() });

export class LentMeters implements Disposable {
  readonly #options: LentMetersOptions;
  /** By name, the gateway that has the meter lent. */
  #borrowers: ReadonlyMap<string, string> = new Map();
  readonly #borrowing = new Set<PolledMeter>();
  readonly #leaving = new Set<PolledMeter>();
  #looking: Promise<void> = Promise.resolve();
  #isLookWanted = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: LentMetersOptions) {
    this.#options = options;
    this.#lookSoon();
  }

  /** The gateway that has a meter lent; undefined where it is with the holder of its block. */
  borrowerOf({ target }: PolledMeter): string | undefined {
    return this.#borrowers.get(target.name);
  }

  /** Meters that this gateway has lent. */
  borrowed(): PolledMeter[] {
    const { meters, me } = this.#options;
    const { id } = me();
    const names = this.#borrowers.entries().filter(([, gateway]) => gateway === id);
    return Array.from(names, ([name]) => meters.get(name)).filter((meter) => meter !== undefined);
  }

  /** Whether this gateway is about to leave the meter to another one. */
  isLeaving(meter: PolledMeter): boolean {
    return this.#leaving.has(meter);
  }

  /** Reads what is lent; one look at a time, however many want it. Never rejects. */
  look(): Promise<void> {
    if (this.#isLookWanted || this.#stopped || this.#options.calls.callerCount === 0) return this.#looking;
    this.#isLookWanted = true;
    this.#looking = this.#looking.then(() => this.#look()).catch(this.#options.onFailure);
    return this.#looking;
  }

  /** A meter has called: asks for it until it is held here, or the call has ended. */
  async borrow(meter: PolledMeter): Promise<void> {
    const { jobs, timeoutMs, onFailure } = this.#options;
    const { name, connection } = meter.target;
    if (connection.callsIn !== true || this.#borrowing.has(meter)) return;
    this.#borrowing.add(meter);
    let tell = onFailure;
    const job = { ...connectionBlock(connection, name), meter: name, kind: LEND_JOB };
    while (this.#isWanted(meter)) {
      const { id: to, run } = this.#options.me();
      await jobs.request({ ...job, what: { to, run } }, timeoutMs()).catch((error: unknown) => {
        tell(error);
        tell = () => undefined;
      });
      await this.look();
      if (this.#isWanted(meter)) await new Promise<void>((resolve) => systemClock.after(ASK_AGAIN_MS, resolve));
    }
    this.#borrowing.delete(meter);
  }

  /** Leaves a meter that is worked here to the gateway that asks for it. Throws NotHereError. */
  async lend(meter: PolledMeter, what: unknown): Promise<void> {
    const { calls, database, me } = this.#options;
    const { to, run } = lendSchema.parse(what);
    const { name, connection } = meter.target;
    if (this.isLeaving(meter)) throw new NotHereError(name);
    // It has become this gateway's while the job was on its way.
    if (to === me().id) return;
    const { network, block } = connectionBlock(connection, name);
    await this.#leave(meter, async () => {
      calls.hangUp(meter);
      const [row] = await database.query<{ isLent: boolean }>(
        `select dlms.lend_meter($1::text, $2::smallint, $3::text, $4::uuid, $5::uuid, $6::bigint) as "isLent"`,
        [network, block, name, me().id, to, run],
      );
      if (row?.isLent !== true) throw new NotHereError(name);
    });
  }

  /** The call of a meter has ended: the holder of its block has it again. Never rejects. */
  async giveBack(meter: PolledMeter): Promise<void> {
    const { database, me, onFailure } = this.#options;
    const { name, connection } = meter.target;
    if (this.borrowerOf(meter) !== me().id || this.isLeaving(meter)) return;
    const returned = this.#leave(meter, async () => {
      await database.query("select dlms.return_meter($1::uuid, $2::text, $3::text)", [
        me().id,
        connection.network,
        name,
      ]);
    });
    await returned.catch(onFailure);
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#timer?.close();
  }

  #isWanted(meter: PolledMeter): boolean {
    const { calls, loop } = this.#options;
    return !this.#stopped && calls.isReachable(meter) && !loop.holds(meter);
  }

  /** Nothing is begun for the meter until it is known whose it is. */
  async #leave(meter: PolledMeter, change: () => Promise<void>): Promise<void> {
    this.#leaving.add(meter);
    try {
      await this.#options.release(meter);
      await change();
      await this.look();
    } finally {
      this.#leaving.delete(meter);
      this.#options.onChange(meter);
    }
  }

  #lookSoon(): void {
    this.#timer = systemClock.after(LOOK_EVERY_MS, () => {
      void this.look().then(() => {
        if (!this.#stopped) this.#lookSoon();
      });
    });
  }

  async #look(): Promise<void> {
    this.#isLookWanted = false;
    const { database, calls, meters, lastBeatOfDead, onChange } = this.#options;
    const rows = await database.query<{ network: string; meter: string; gateway: string }>(
      `select l.network, l.meter_name as meter, l.gateway_id as gateway from dlms.lent_meters l
       join dlms.gateways g on g.gateway_id = l.gateway_id and g.incarnation = l.incarnation and g.left_at is null`,
    );
    const before = this.#borrowers;
    const known = rows.filter(({ meter, network }) => meters.get(meter)?.target.connection.network === network);
    this.#borrowers = new Map(known.map(({ meter, gateway }) => [meter, gateway]));
    for (const name of new Set([...before.keys(), ...this.#borrowers.keys()])) {
      const meter = meters.get(name);
      if (meter !== undefined && before.get(name) !== this.#borrowers.get(name)) onChange(meter);
    }
    for (const meter of this.borrowed()) {
      if (calls.isReachable(meter)) onChange(meter);
      else void this.giveBack(meter);
    }
    for (const gateway of new Set(this.#borrowers.values())) {
      const beat = lastBeatOfDead(gateway);
      if (beat !== undefined) await database.query("select dlms.end_loans($1::uuid, $2::bigint)", [gateway, beat]);
    }
  }
}
