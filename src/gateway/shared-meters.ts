/** The meters of a gateway are shared with others that use its database: here the rooms for it are wired. */
import { hostname } from "node:os";
import PQueue from "p-queue";
import { z } from "zod";
import type { gateway as gatewayAnswer } from "../api/answers/work.ts";
import { ApiError } from "../api/api-error.ts";
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

const RELEASE_JOB = "release";

const readJobSchema = z.object({
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
  readonly #listeners = new Map<string, (payload: string) => void>();
  readonly #lent: LentMeters;
  readonly #telling = new PQueue({ concurrency: TELL_CONCURRENCY });
  #share: FleetShare | undefined;

  /** The loop has the meters that are this gateway's to work, whichever these are; ends with the stack. */
  static async start(parts: SharingParts, stack: AsyncDisposableStack, deadline: StopDeadline): Promise<SharedMeters> {
    const shared = new SharedMeters(parts);
    stack.adopt(await shared.#join(), (each) => deadline.bound(each.stop()));
    stack.use(shared.#lent);
    stack.adopt(shared.#jobs, (each) => deadline.bound(each[Symbol.asyncDispose]()));
    return shared;
  }

  private constructor(parts: SharingParts) {
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
    this.questions = new GatewayQuestions({
      database,
      jobs: this.#jobs,
      handlers: this.#handlers,
      share: () => this.#share,
    });
    this.#lent = this.#lentMeters();
    this.handle(LEND_JOB, (meter, what) => this.#lent.lend(meter, what));
    this.handle(RELEASE_JOB, async (meter) => this.loop.seen(meter));
    this.handle("read", (meter, what) => {
      const { what: thing, ...wishes } = readJobSchema.parse(what);
      return this.#readHere(meter, thing, wishes);
    });
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
    await this.#share?.tellFleet();
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
    await this.#share?.tellFleet();
  }

  #isReached({ target }: PolledMeter): boolean {
    const { networks } = this.#parts.config.sharing;
    return networks === undefined || networks.includes(target.connection.network);
  }

  /** Reads one thing of one meter before scheduled work, wherever it is worked. Throws ReadRefusedError. */
  async read(meter: PolledMeter, what: string, wishes: ReadWishes = {}): Promise<ReadAnswer> {
    try {
      if (this.loop.holds(meter)) return await this.#readHere(meter, what, wishes);
    } catch (error) {
      if (!(error instanceof NotHereError)) throw error;
    }
    const { waitMs = 0 } = wishes;
    return readAnswerSchema.parse(await this.elsewhere(meter, { kind: "read", what: { what, ...wishes }, waitMs }));
  }

  /** Forgets that a meter has failed, wherever it is worked: it is tried now. Throws ReadRefusedError. */
  async release(meter: PolledMeter): Promise<void> {
    if (this.loop.holds(meter)) this.loop.seen(meter);
    else await this.elsewhere(meter, { kind: RELEASE_JOB, what: null });
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

  /** Of this gateway among those that share the meters. */
  get id(): string {
    return this.#share?.id ?? "";
  }

  get name(): string {
    return this.#share?.name ?? "";
  }

  /** Whether this gateway, or another one, listens for pushes. */
  get isAnyListening(): boolean {
    return this.#parts.pushing.listens || listening(this.#share?.gateways() ?? []).length > 0;
  }

  /** Whether of the gateways that listen for pushes this one answers for the meter. */
  listensFor(meter: PolledMeter): boolean {
    if (!this.isElsewhere(meter)) return this.#parts.pushing.listens;
    const { network } = meter.target.connection;
    const holder = this.#workerOf(meter)?.id;
    return listenerFor(this.#share?.gateways() ?? [], { holder, network }) === this.id;
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

  async #join(): Promise<FleetShare> {
    const { config, events, url, version, planning, pushing } = this.#parts;
    const { name = hostname(), silence, away } = config.sharing;
    const jobs = this.#jobs;
    const share = new FleetShare({
      url,
      identity: await GatewayIdentity.open(config.stateDirectory),
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
        jobs.takeNew();
      },
      onGiven: (given) => this.#giveAway(given),
      onCut: () => {
        void this.#giveUp(this.#lent.borrowed());
        this.#parts.collector.visits.cut();
      },
      channels: [
        JOBS_CHANNEL,
        ANSWERS_CHANNEL,
        PLANS_CHANNEL,
        MEMBERS_CHANNEL,
        LEARNED_CHANNEL,
        METERS_CHANNEL,
        LENT_CHANNEL,
      ],
      onNotice: (channel, payload) => {
        this.#listeners.get(channel)?.(payload);
        if (channel === PLANS_CHANNEL) void planning.look().catch(() => undefined);
        else if (channel === MEMBERS_CHANNEL) void planning.hearMembers(payload).catch(() => undefined);
        else if (channel === JOBS_CHANNEL) jobs.takeNew();
        else if (channel === LENT_CHANNEL) void this.#lent.look();
        else void jobs.fetchAnswers().catch(() => undefined);
      },
    });
    this.#share = share;
    await planning.watch((changed) => this.loop.replan(changed));
    await share.start();
    return share;
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
      lastBeatOfDead: (gateway) => this.#share?.lastBeatOfDead(gateway),
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
    const share = this.#share;
    if (share === undefined) return;
    const borrower = this.#lent.borrowerOf(meter);
    const block = this.#blocks.blockOf(meter);
    const isLent = borrower === share.id && share.isLeased;
    const isOurs = isLent || (borrower === undefined && block !== undefined && share.works(block));
    if (isOurs && !this.#lent.isLeaving(meter)) {
      if (!this.loop.holds(meter)) this.loop.hold([meter]);
    } else if (this.loop.holds(meter)) void this.#giveUp([meter]);
  }

  #me(): { readonly id: string; readonly run: number } {
    return { id: this.#share?.id ?? "", run: this.#share?.incarnation ?? 0 };
  }

  /** As far as is known. */
  #workerOf(meter: PolledMeter): Pick<SharingGateway, "id" | "name"> | undefined {
    const borrower = this.#lent.borrowerOf(meter);
    if (borrower !== undefined) return this.#share?.gateways().find(({ id }) => id === borrower);
    const block = this.#blocks.blockOf(meter);
    return block && this.#share?.holderOf(block);
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

  /** All gateways that have not taken leave. */
  gateways(): z.output<typeof gatewayAnswer>[] {
    const counts = this.#share?.blockCounts();
    return (this.#share?.gateways() ?? []).map((gateway) => {
      const { id, name, networks, meters, version, ageMs, silenceMs, awayMs } = gateway;
      const blocks = counts?.get(id) ?? 0;
      return {
        name,
        isMe: id === this.#share?.id,
        networks: [...networks],
        meters,
        blocks,
        version,
        ageMs,
        silenceMs,
        awayMs,
      };
    });
  }

  /** Gives the meters of a gateway that is dead to the others at once; its name. Throws ApiError. */
  async dismiss(name: string): Promise<string> {
    const meant = (this.#share?.gateways() ?? []).filter((each) => each.name === name || each.id === name);
    if (meant.length === 0) throw new ApiError("not-found", `no gateway of the name ${name} is there or has vanished`);
    // A new state directory makes a new gateway of the same name.
    const dead = meant.filter((each) => each.ageMs >= each.silenceMs);
    if (dead.length === 0) throw new ApiError("conflict", `${name} is alive: stop it instead`);
    for (const { id } of dead) await this.#share?.dismiss(id);
    return name;
  }
}
