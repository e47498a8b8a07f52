/** The meters of a gateway are shared with others that use its database: here the rooms for it are wired. */
import { hostname } from "node:os";
import PQueue from "p-queue";
import { z } from "zod";
import { type ReadAnswer, ReadRefusedError, type ReadWishes, readAnswerSchema } from "../api/read-answer.ts";
import type { StopDeadline } from "../collect/drain.ts";
import type { PollLoop } from "../collect/lanes/poll-loop.ts";
import { SharedLines } from "../collect/lanes/shared-lines.ts";
import { forgetProgress, type PolledMeter } from "../collect/polled-meter.ts";
import type { Block } from "../jobs/block.ts";
import { FleetShare } from "../jobs/fleet-share.ts";
import { GatewayIdentity } from "../jobs/gateway-identity.ts";
import { GatewayQuestions } from "../jobs/gateway-questions.ts";
import { LEND_JOB, LENT_CHANNEL, LentMeters } from "../jobs/lent-meters.ts";
import { listenerFor, listening } from "../jobs/listener-choice.ts";
import { connectionBlock, MeterBlocks } from "../jobs/meter-blocks.ts";
import { ANSWERS_CHANNEL, JOBS_CHANNEL, type JobHandler, MeterJobs, NotHereError } from "../jobs/meter-jobs.ts";
import type { SharingGateway } from "../jobs/share-session.ts";
import { messageOf } from "../observe/message-of.ts";
import { MEMBERS_CHANNEL } from "../series/collections.ts";
import type { Database } from "../store/database/database.ts";
import { LEARNED_CHANNEL } from "../store/push/push-layouts.ts";
import { METERS_CHANNEL } from "../store/records/added-meters.ts";
import { PLANS_CHANNEL } from "../store/records/reading-plans.ts";
import type { FleetMeters } from "./fleet-meters.ts";
import { type GatewayLoopParts, gatewayLoop, laneWidth, PlaceLimits } from "./gateway-loop.ts";
import { workHere } from "./work-here.ts";

export interface SharingParts extends GatewayLoopParts {
  readonly version: string;
  /** Connection string of the database. */
  readonly url: string;
  readonly database: Database;
  readonly meters: FleetMeters;
  /** Whether this gateway listens for pushes now; a reload may change it. */
  readonly pushing: { readonly listens: boolean };
}

/** Work for a meter that any gateway may ask for, and the one that works the meter does. */
export interface JobKind<Order, Answer> {
  readonly kind: string;
  readonly order: z.ZodType<Order>;
  readonly answer: z.ZodType<Answer>;
  readonly work: (meter: PolledMeter, order: Order) => Promise<Answer>;
}

/** A job for the gateway that holds a meter. */
interface ElsewhereOrder {
  readonly kind: string;
  readonly what: unknown;
  /** How long it may wait for the meter before its session. */
  readonly waitMs?: number;
}

/** Beyond what a session may take: for its turn, and for another gateway to take over. */
const ELSEWHERE_MS = 60_000;
/** Of what others are told and nobody waits for, so much at a time. */
const TELL_CONCURRENCY = 16;
const NEXT_STEP = "see dlms-gateway gateways, and the log of the gateway that holds the meter";

/** On which gateways tell each other of what has changed. */
const CHANNELS = [
  JOBS_CHANNEL,
  ANSWERS_CHANNEL,
  PLANS_CHANNEL,
  MEMBERS_CHANNEL,
  LEARNED_CHANNEL,
  METERS_CHANNEL,
  LENT_CHANNEL,
];

const readJobSchema: z.ZodType<ReadWishes & { readonly what: string }> = z.object({
  what: z.string(),
  range: z.object({ fromMs: z.number(), toMs: z.number() }).optional(),
  waitMs: z.number().optional(),
});

/** The meters that this gateway works, and the way to those that others work. */
export class SharedMeters {
  readonly loop: PollLoop<PolledMeter>;
  readonly questions: GatewayQuestions;
  readonly #parts: SharingParts;
  readonly #blocks: MeterBlocks<PolledMeter>;
  readonly #jobs: MeterJobs;
  readonly #lines: SharedLines;
  readonly #limits: PlaceLimits;
  readonly #handlers = new Map<string, JobHandler>();
  readonly #release = this.job({
    kind: "release",
    order: z.null(),
    answer: z.unknown(),
    work: async (meter) => this.loop.seen(meter),
  });
  readonly #read = this.job({
    kind: "read",
    order: readJobSchema,
    answer: readAnswerSchema,
    work: (meter, { what, ...wishes }) => this.#readHere(meter, what, wishes),
  });
  readonly #listeners = new Map<string, (payload: string) => void>();
  readonly #lent: LentMeters;
  readonly #telling = new PQueue({ concurrency: TELL_CONCURRENCY });
  /** This gateway among those that share the meters. */
  readonly share: FleetShare;

  /** The loop has the meters that are this gateway's to work, whichever these are; ends with the stack. */
  static async start(parts: SharingParts, stack: AsyncDisposableStack, deadline: StopDeadline): Promise<SharedMeters> {
    const { planning, config } = parts;
    const shared = new SharedMeters(parts, await GatewayIdentity.open(config.stateDirectory));
    stack.adopt(shared.share, (each) => deadline.bound(each.stop()));
    stack.use(shared.#lent);
    stack.adopt(shared.#jobs, (each) => deadline.bound(each[Symbol.asyncDispose]()));
    await planning.watch((changed) => shared.loop.replan(changed));
    await shared.share.start();
    return shared;
  }

  private constructor(parts: SharingParts, identity: GatewayIdentity) {
    const { meters, database, events } = parts;
    this.#parts = parts;
    this.#lines = new SharedLines(meters.values());
    this.#limits = new PlaceLimits(parts.config.limits);
    this.loop = gatewayLoop(parts, this.#lines, this.#limits);
    this.#blocks = new MeterBlocks(
      meters.values().filter((meter) => this.#isReached(meter)),
      {
        blockOf: ({ target }) => connectionBlock(target.connection, target.name),
        textOf: ({ target }) => target.number,
      },
    );
    this.#jobs = new MeterJobs({
      database,
      me: () => this.#me(),
      handlers: this.#handlers,
      onFailure: (error) => events({ event: "jobsFailed", reason: messageOf(error) }),
    });
    this.share = this.#sharing(identity);
    this.questions = new GatewayQuestions({
      database,
      jobs: this.#jobs,
      handlers: this.#handlers,
      share: this.share,
    });
    this.#lent = this.#lentMeters();
    this.#hearOthers();
    this.handle(LEND_JOB, (meter, what) => this.#lent.lend(meter, what));
  }

  /** Takes the polling and the limits of the configuration as it is now. */
  configure(): void {
    const { config } = this.#parts;
    this.#limits.take(config.limits);
    this.loop.widen(laneWidth(config));
  }

  /** Meters have come: each is worked by whoever has its block. */
  async add(meters: readonly PolledMeter[]): Promise<void> {
    for (const meter of meters) this.#lines.add(meter);
    const reached = meters.filter((meter) => this.#isReached(meter));
    for (const meter of reached) this.#blocks.add(meter);
    await this.share.tellFleet();
    for (const meter of reached) this.#adjust(meter);
  }

  /** Ends when nothing runs for the meters, which nobody works any more. */
  async remove(meters: readonly PolledMeter[]): Promise<void> {
    for (const meter of meters) this.#blocks.remove(meter);
    await this.loop.release(meters);
    for (const meter of meters) {
      forgetProgress(meter);
      this.#lines.remove(meter);
    }
    await this.share.tellFleet();
  }

  #isReached({ target }: PolledMeter): boolean {
    const { networks } = this.#parts.config.sharing;
    return networks === undefined || networks.includes(target.connection.network);
  }

  /** Reads one thing of one meter before scheduled work, wherever it is worked. Throws ReadRefusedError. */
  read(meter: PolledMeter, what: string, wishes: ReadWishes = {}): Promise<ReadAnswer> {
    return this.#read(meter, { what, ...wishes }, wishes.waitMs);
  }

  /** Forgets that a meter has failed, wherever it is worked: it is tried now. Throws ReadRefusedError. */
  async release(meter: PolledMeter): Promise<void> {
    await this.#release(meter, null);
  }

  /** Who works a meter, where that is not this gateway. */
  workedBy(meter: PolledMeter): string | undefined {
    if (this.loop.holds(meter)) return undefined;
    return this.#workerOf(meter)?.name ?? "no gateway";
  }

  /** There is a way to a meter that calls in, or none any more: it is worked where it has called. */
  noteReachable(meter: PolledMeter, isReachable: boolean): void {
    this.loop.setReachable(meter, isReachable);
    if (isReachable) void this.#lent.borrow(meter);
    else void this.#lent.giveBack(meter);
  }

  /** Whether a job for a meter is for another gateway. */
  isElsewhere(meter: PolledMeter): boolean {
    return !this.loop.holds(meter);
  }

  /** Has a job done by the gateway that holds the meter. Throws ReadRefusedError. */
  async elsewhere(meter: PolledMeter, { kind, what, waitMs = 0 }: ElsewhereOrder): Promise<unknown> {
    const { name } = meter.target;
    const block = this.#blocks.blockOf(meter);
    const refusal = { meter: name, cause: "worked elsewhere", nextStep: NEXT_STEP };
    if (block === undefined) {
      const evidence = "this gateway does not reach the network of the meter: sharing.networks";
      throw new ReadRefusedError({ ...refusal, evidence });
    }
    try {
      const timeoutMs = waitMs + this.#parts.config.polling.sessionTimeout + ELSEWHERE_MS;
      return await this.#jobs.request({ ...block, meter: name, kind, what }, timeoutMs);
    } catch (cause) {
      if (cause instanceof ReadRefusedError) throw cause;
      const holder = this.#workerOf(meter)?.name ?? "no gateway";
      const reason = messageOf(cause);
      throw new ReadRefusedError({ ...refusal, evidence: `${holder} holds it: ${reason}` }, { cause });
    }
  }

  /** Has a job done by whoever holds the meter, which may be this gateway; nobody waits for it, and it may be lost. */
  tell(meter: PolledMeter, kind: string, what: unknown): void {
    const work = this.isElsewhere(meter)
      ? () => this.elsewhere(meter, { kind, what })
      : async () => this.#handlers.get(kind)?.(meter.target.name, what);
    void this.#telling.add(() => work().catch(() => undefined));
  }

  /** Hears what other gateways tell of all meters. */
  listen(channel: string, hear: (payload: string) => void): void {
    this.#listeners.set(channel, hear);
  }

  /** Whether this gateway, or another one, listens for pushes. */
  get isAnyListening(): boolean {
    return this.#parts.pushing.listens || listening(this.share.gateways()).length > 0;
  }

  /** Whether of the gateways that listen for pushes this one answers for the meter. */
  listensFor(meter: PolledMeter): boolean {
    if (!this.isElsewhere(meter)) return this.#parts.pushing.listens;
    const { network } = meter.target.connection;
    const holder = this.#workerOf(meter)?.id;
    return listenerFor(this.share.gateways(), { holder, network }) === this.share.id;
  }

  /**
   * Does jobs of a kind for others. What is returned has one done by whoever works the meter, which may be another
   * gateway by the time that it is begun; it throws ReadRefusedError.
   */
  job<Order, Answer>({ kind, order, answer, work }: JobKind<Order, Answer>) {
    this.handle(kind, (meter, what) => work(meter, order.parse(what)));
    return async (meter: PolledMeter, what: Order, waitMs = 0): Promise<Answer> => {
      try {
        if (this.loop.holds(meter)) return await work(meter, what);
      } catch (error) {
        if (!(error instanceof NotHereError)) throw error;
      }
      return answer.parse(await this.elsewhere(meter, { kind, what, waitMs }));
    };
  }

  /** Does jobs of a kind for others. */
  handle(kind: string, work: (meter: PolledMeter, what: unknown) => Promise<unknown>): void {
    this.#handlers.set(kind, async (name, what) => {
      const meter = this.#parts.meters.get(name);
      if (meter === undefined || !this.loop.holds(meter)) throw new NotHereError(name);
      return work(meter, what);
    });
  }

  async #readHere(meter: PolledMeter, what: string, { range, waitMs }: ReadWishes): Promise<ReadAnswer> {
    const { collector, calls } = this.#parts;
    if (waitMs !== undefined) await calls.untilReachable(meter, waitMs);
    const wish = { what, range };
    return await workHere(this.loop, meter, (visit) => collector.read(meter, wish, visit), {
      lane: "on_demand",
      what,
      onVisit: (connection) => collector.readOn(connection, meter, wish),
    });
  }

  #sharing(identity: GatewayIdentity): FleetShare {
    const { config, events, url, version, pushing, collector } = this.#parts;
    const { name = hostname(), silence, away } = config.sharing;
    return new FleetShare({
      url,
      identity,
      name,
      silenceMs: silence,
      awayMs: away,
      version,
      listens: () => pushing.listens,
      fleet: () => this.#blocks.fingerprints(),
      events,
      meterCount: () => this.loop.heldCount,
      onHeld: (held) => {
        this.#takeOn(held);
        this.#jobs.takeNew();
      },
      onGiven: (given) => this.#giveAway(given),
      onCut: () => {
        void this.#giveUp(this.#lent.borrowed());
        collector.visits.cut();
      },
      channels: CHANNELS,
      onNotice: (channel, payload) => this.#listeners.get(channel)?.(payload),
    });
  }

  #hearOthers(): void {
    const { planning } = this.#parts;
    this.listen(PLANS_CHANNEL, () => void planning.look().catch(() => undefined));
    this.listen(MEMBERS_CHANNEL, (payload) => void planning.hearMembers(payload).catch(() => undefined));
    this.listen(JOBS_CHANNEL, () => this.#jobs.takeNew());
    this.listen(ANSWERS_CHANNEL, () => void this.#jobs.fetchAnswers().catch(() => undefined));
    this.listen(LENT_CHANNEL, () => void this.#lent.look());
  }

  #lentMeters(): LentMeters {
    const { meters, database, calls, config, events } = this.#parts;
    return new LentMeters({
      database,
      jobs: this.#jobs,
      calls,
      loop: this.loop,
      meters,
      me: () => this.#me(),
      lastBeatOfDead: (gateway) => this.share.lastBeatOfDead(gateway),
      release: (meter) => this.#giveUp([meter]),
      onChange: (meter) => this.#adjust(meter),
      onFailure: (error) => events({ event: "jobsFailed", reason: messageOf(error) }),
      timeoutMs: () => config.polling.sessionTimeout + ELSEWHERE_MS,
    });
  }

  /** What is lent is known before any of the meters that may be is worked. */
  #takeOn(blocks: readonly Block[]): void {
    const meters = Map.groupBy(this.#blocks.metersOf(blocks), ({ target }) => target.connection.callsIn === true);
    this.loop.hold(meters.get(false) ?? []);
    const callers = meters.get(true) ?? [];
    if (callers.length === 0) return;
    void this.#lent.look().then(() => {
      for (const meter of callers) this.#adjust(meter);
    });
  }

  /** A meter that calls in is worked where it has called, else by the holder of its block. */
  #adjust(meter: PolledMeter): void {
    const { share } = this;
    const borrower = this.#lent.borrowerOf(meter);
    const block = this.#blocks.blockOf(meter);
    const isLent = borrower === share.id && share.isLeased;
    const isOurs = isLent || (borrower === undefined && block !== undefined && share.works(block));
    if (isOurs && !this.#lent.isLeaving(meter)) {
      if (!this.loop.holds(meter)) this.loop.hold([meter]);
    } else if (this.loop.holds(meter)) void this.#giveUp([meter]);
  }

  #me(): { readonly id: string; readonly run: number } {
    return { id: this.share.id, run: this.share.incarnation ?? 0 };
  }

  /** As far as is known. */
  #workerOf(meter: PolledMeter): Pick<SharingGateway, "id" | "name"> | undefined {
    const borrower = this.#lent.borrowerOf(meter);
    if (borrower !== undefined) return this.share.gateways().find(({ id }) => id === borrower);
    const block = this.#blocks.blockOf(meter);
    return block && this.share.holderOf(block);
  }

  async #giveAway(blocks: readonly Block[]): Promise<void> {
    const lent = new Set(this.#lent.borrowed());
    const meters = this.#blocks.metersOf(blocks).filter((meter) => !lent.has(meter));
    await this.#giveUp(meters);
    // Those that have called here are worked here nevertheless.
    for (const meter of meters) void this.#lent.borrow(meter);
  }

  async #giveUp(meters: readonly PolledMeter[]): Promise<void> {
    await this.loop.release(meters);
    for (const meter of meters) if (!this.loop.holds(meter)) forgetProgress(meter);
  }
}
