/** The daemon as an object: wires database, fleet, collection, push and the control socket; runs them; drains them. */
import type { Caller } from "../api/callers.ts";
import type { GapOrder, GapRow } from "../api/gap-order.ts";
import type { Api } from "../api/http-api.ts";
import { LiveStream } from "../api/live-stream.ts";
import { LocalSocket } from "../api/local-socket.ts";
import type { MaintenanceLine, MaintenanceOrder } from "../api/maintenance-order.ts";
import type { ReadAnswer, ReadWishes } from "../api/read-answer.ts";
import { gatewayResources } from "../api/resources/gateway-resources.ts";
import type { Collector } from "../collect/collector.ts";
import { drain, StopDeadline } from "../collect/drain.ts";
import { JOBS_QUESTION, jobsForOthers, jobsQuestion } from "../collect/lanes/gateway-jobs.ts";
import { jobResources } from "../collect/lanes/job-resources.ts";
import type { PollLoop } from "../collect/lanes/poll-loop.ts";
import { quarantineResources } from "../collect/lanes/quarantine-resources.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import { probeResources } from "../collect/probe/probe-resources.ts";
import { SerialLines } from "../collect/session/serial-lines.ts";
import type { LivePart } from "../config/live-parts.ts";
import type { Config } from "../config/schema.ts";
import { notificationResources } from "../events/notification-resources.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { untakenJobs } from "../jobs/untaken-jobs.ts";
import { keyResources } from "../keys/key-resources.ts";
import { type EventSink, eventLogSink, tellAll } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import { Metrics, type WorkerPlace } from "../observe/metrics.ts";
import type { Vitals } from "../observe/vitals.ts";
import type { PushListeners, PushListenersOptions } from "../push/receive/push-listeners.ts";
import type { Database } from "../store/database/database.ts";
import type { StoreIntake } from "../store/intake/store-intake.ts";
import { CoverageFolding } from "../store/ledger/coverage-folding.ts";
import { EventLog, type EventLogEntry } from "../store/records/event-log.ts";
import { Upkeep } from "../store/upkeep/upkeep.ts";
import { MeterTraces } from "../trace/meter-traces.ts";
import { traceResources } from "../trace/trace-resources.ts";
import { AddedMeters, type AddedMetersParts } from "./added-meters.ts";
import { DatabaseReturn } from "./database-return.ts";
import { keepEndedRequests } from "./ended-requests.ts";
import type { FleetMeters } from "./fleet-meters.ts";
import { GatewayCalls } from "./gateway-calls.ts";
import { gatewayControl } from "./gateway-control.ts";
import { gatewayKeys, takeSealingKeys } from "./gateway-keys.ts";
import { gatewayList } from "./gateway-list.ts";
import { GatewayNotifications } from "./gateway-notifications.ts";
import { GatewayPlans } from "./gateway-plans.ts";
import { GatewayPush } from "./gateway-push.ts";
import { meterSettingsResources } from "./meter-settings.ts";
import { type GatewayStore, openStore } from "./open-store.ts";
import { SharedMeters } from "./shared-meters.ts";
import { type GatewayApiParts, gatewayApi, listenOutside } from "./start-api.ts";
import { startCollector, startIntake } from "./start-collection.ts";
import { startFleet } from "./start-fleet.ts";
import { gaps, maintain, meterNamed, type StoredReadings, unknownMeter } from "./stored-readings.ts";

/** How long sessions may go on after the order to stop, and when all but the embedded server has ended. */
const STOP_MS = { sessions: 30_000, everything: 45_000 };
/** However late it is: what has been acknowledged gets to the disk. */
const LEAST_STOP_MS = 1000;

export interface GatewayOptions {
  /** Whoever keeps it may change the parts that `configure` takes. */
  readonly config: Config;
  readonly events: EventSink;
  readonly version: string;
  readonly stopMs?: typeof STOP_MS;
  /** With it the start does not need the database; it is given up when this is aborted. */
  readonly stopping?: AbortSignal;
  /** Of sockets that whoever started the process holds. */
  readonly boundSocket?: PushListenersOptions["boundSocket"];
  /** Where it is one of several processes. */
  readonly place?: WorkerPlace | undefined;
}

export class Gateway implements AsyncDisposable {
  readonly database: Database;
  /** Connection string of the database; may hold a password. */
  readonly databaseUrl: string;
  /** A command line for people that opens the embedded database; undefined where it is not ours. */
  readonly psqlCommand: string | undefined;
  /** Resolves, with the reason, when the gateway has to be started anew: it began without the database. */
  readonly restartWanted: Promise<string>;
  readonly vitals: () => Vitals;
  readonly #options: GatewayOptions;
  readonly #closing = new AsyncDisposableStack();
  readonly #deadline: StopDeadline;
  readonly #shared: SharedMeters;
  readonly #meters: FleetMeters;
  readonly #planning: GatewayPlans;
  readonly #fleet: Fleet;
  readonly #live: LiveParts;
  #pages: string | undefined;

  /** Starts everything up to the control socket; polling begins with `run` or `pollOnce`. */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const { config, version, place } = options;
    const { sessions: sessionsMs, everything } = options.stopMs ?? STOP_MS;
    const deadline = new StopDeadline(everything);
    await using stack = new AsyncDisposableStack();
    const store = await openStore(options, stack, deadline);
    const { database } = store;
    const lastMs = () => Math.max(LEAST_STOP_MS, deadline.leftMs);
    const log = stack.adopt(new EventLog(database), (each) => each.stop(lastMs()));
    const stream = stack.adopt(new LiveStream(), (each) => each.close());
    const metrics = new Metrics(version, () => gateway.vitals(), place);
    const events = tellAll(options.events, eventLogSink(log), (event) => stream.tell(event), metrics.sink);
    const databaseReturn = new DatabaseReturn({ ...options, events }, store);
    stack.adopt(coverageFolding(database, events), (each) => deadline.bound(each.stop()));
    const late = stack.use(new AsyncDisposableStack());
    const intake = stack.adopt(await startIntake({ config, events }, store.writing, databaseReturn.ready), (each) =>
      each.stop(lastMs()),
    );
    const known = await startFleet({ config, events }, store, stack);
    const { fleet, meters } = known;
    const startUpkeep = async () => {
      late.adopt(await upkeep(store.url, events), (each) => deadline.bound(each.stop()));
    };
    if (store.record === undefined) await startUpkeep();
    const planning = stack.use(new GatewayPlans(config, database, known));
    const lines = stack.use(new SerialLines());
    const traces = new MeterTraces();
    const pushing = new GatewayPush({ config, database, known, events, traces, boundSocket: options.boundSocket });
    const calling = new GatewayCalls({ config, known, events });
    const { calls } = calling;
    const reading = { config, database, events, pushing, lines, calls, traces };
    const collector = startCollector({ ...reading, plans: planning.meterPlans, intake, databaseReturn });
    const sharing = { config, events, version, url: store.url, database, meters, planning, collector, calls, pushing };
    const shared = await SharedMeters.start(sharing, stack, deadline);
    // Whoever waits for an answer gets it while sessions may still end, and is cut after that.
    const connections = stack.use(new DisposableStack());
    const draining = { loop: shared.loop, sessions: collector.visits, rows: intake.rows };
    stack.defer(() => deadline.bound(drain(draining, sessionsMs, () => deadline.leftMs)));
    const { reception, resources } = await pushing.start({ intake, shared, collector, lastMs, calls: calling }, stack);
    await calling.start({ reception, directory: pushing.directory, shared }, stack);
    const vitals = () => vitalsOf({ loop: shared.loop, intake, listeners: reception.listeners });
    const changing = { config, database, known, planning, pushing, calling, shared, events };
    const live = await startLiveParts(changing, stack);
    const keys = gatewayKeys({ known, shared, collector });
    const started = { store, shared, fleet, meters, planning, databaseReturn, vitals, live };
    const gateway = new Gateway({ options, deadline, ...started });
    const nameOf = (name: string, caller: Caller) => gateway.nameOf(name, caller);
    const logLater = (entry: EventLogEntry) => log.add(entry);
    const onRequestEnded = keepEndedRequests({ database, meters, events, lastMs }, stack);
    const control = gatewayControl({ known, shared, collector, nameOf, log: logLater, onRequestEnded });
    const others = [resources, control, gateway.#resources({ keys, traces, collector })];
    const shown = { fleet, gateway, live: stream, vitals, metrics, place, others, logLater, onRequestEnded };
    const parts = { config, version, database, local: new LocalSocket(), events, ...shown };
    const api = await serveLocally(parts, { socket: config.socket, deadline, connections }, stack);
    stack.defer(() => traces.close());
    stack.use(databaseReturn).await({ known, intake, startUpkeep });
    gateway.#pages = await listenOutside(api, parts);
    gateway.#closing.use(stack.move());
    events({ event: "gatewayStarted", meters: meters.size, database: database.capabilities.edition, version });
    return gateway;
  }

  private constructor(parts: {
    readonly planning: GatewayPlans;
    readonly shared: SharedMeters;
    readonly options: GatewayOptions;
    readonly deadline: StopDeadline;
    readonly store: GatewayStore;
    readonly meters: FleetMeters;
    readonly databaseReturn: DatabaseReturn;
    readonly vitals: () => Vitals;
    readonly fleet: Fleet;
    readonly live: LiveParts;
  }) {
    this.#live = parts.live;
    this.vitals = parts.vitals;
    this.#fleet = parts.fleet;
    this.#options = parts.options;
    this.#deadline = parts.deadline;
    this.databaseUrl = parts.store.url;
    this.psqlCommand = parts.store.psqlCommand;
    this.database = parts.store.database;
    this.#shared = parts.shared;
    this.#meters = parts.meters;
    this.#planning = parts.planning;
    this.restartWanted = parts.databaseReturn.restartWanted;
  }

  /** Where the HTTP API and the pages are; undefined when the configuration wants none. */
  get pages(): string | undefined {
    return this.#pages;
  }

  /** Polls every meter whenever its plans are due, until `stop`. */
  run(): void {
    this.#shared.loop.start();
  }

  /** Takes a part of the configuration as it is now; what runs goes on. Rejects, and goes on as before, where it can't be had. */
  async configure(part: Exclude<LivePart, "log">): Promise<void> {
    await this.#live[part].configure();
  }

  /** Polls every meter once. */
  pollOnce(): Promise<void> {
    return this.#shared.loop.pollOnce();
  }

  /** Reads one thing of one meter before scheduled work. Throws ReadRefusedError. */
  async read(name: string, what: string, wishes?: ReadWishes): Promise<ReadAnswer> {
    return await this.#shared.read(this.#meterOf(name), what, wishes);
  }

  /** Which readings are not there, why, and whether they will still come. Throws ReadRefusedError for an unknown meter. */
  gaps(order: GapOrder): AsyncIterable<GapRow> {
    return gaps(this.#stored, order);
  }

  /** Proves the ledger, makes it anew, or makes rows anew of kept octets. */
  maintain(order: MaintenanceOrder): AsyncIterable<MaintenanceLine> {
    return maintain(this.#stored, order);
  }

  get #stored(): StoredReadings {
    return { database: this.database, meters: this.#meters, plans: this.#planning.meterPlans };
  }

  /** Whether this gateway asks the meter: it is in the configuration, or was added. */
  knows(name: string): boolean {
    return this.#meters.get(name) !== undefined;
  }

  /** The name of a meter that may be read, by name or number. Throws ApiError. */
  nameOf(nameOrNumber: string, { meterKeys }: Caller): string {
    const isSeen = (key: number) => meterKeys?.has(key) ?? true;
    const member = this.#fleet.byName(nameOrNumber) ?? this.#fleet.byNumber(nameOrNumber);
    if (member !== undefined && isSeen(member.key)) return member.name;
    const names = Array.from(this.#meters.values()).flatMap(({ meterKey, target }) => {
      return isSeen(meterKey) ? [target.name] : [];
    });
    throw unknownMeter(nameOrNumber, names);
  }

  #resources(parts: {
    readonly keys: ReturnType<typeof gatewayKeys>;
    readonly traces: MeterTraces;
    readonly collector: Collector;
  }): (api: Api) => void {
    const { keys, traces, collector } = parts;
    const { notifications, meters: adding } = this.#live;
    const nameOf = (name: string, caller: Caller) => this.nameOf(name, caller);
    return (api) => {
      keyResources(api, { ...keys, nameOf });
      notificationResources(api, notifications.orders);
      adding.resources(api);
      gatewayResources(api, { ...gatewayList(this.#shared.share), loop: this.#shared.loop });
      const release = (name: string) => this.#shared.release(this.#meterOf(name));
      const { loop } = this.#shared;
      const meterOf = (name: string) => this.#meterOf(name);
      quarantineResources(api, { loop, nameOf, release });
      this.#planning.resources(api, meterOf);
      const isSeen = (name: string, { meterKeys }: Caller) => {
        const meter = this.#meters.get(name);
        return meterKeys === undefined || (meter !== undefined && meterKeys.has(meter.meterKey));
      };
      this.#shared.questions.answer(JOBS_QUESTION, (what) => {
        const { meter } = jobsQuestion.parse(what);
        return jobsForOthers(loop, this.#shared.share.name, meter === undefined ? undefined : meterOf(meter));
      });
      jobResources(api, {
        loop,
        gateway: this.#shared.share.name,
        questions: this.#shared.questions,
        untaken: (most) => untakenJobs(this.database, most),
        meterOf,
        nameOf,
        isSeen,
      });
      const workedBy = (name: string) => this.#shared.workedBy(this.#meterOf(name));
      traceResources(api, { traces, nameOf, workedBy });
      meterSettingsResources(api, { meters: this.#meters, nameOf });
      probeResources(api, { nameOf, meterOf, workedBy, loop, visits: collector.visits });
    };
  }

  #meterOf(name: string): PolledMeter {
    return meterNamed(this.#meters, name);
  }

  /** Starts nothing new, lets sessions end and rows be written, then closes everything. */
  async stop(signal: string): Promise<void> {
    const startedMs = Date.now();
    this.#deadline.start();
    this.#options.events({ event: "gatewayStopping", signal });
    await this.#closing.disposeAsync();
    this.#options.events({ event: "gatewayStopped", durationMs: Date.now() - startedMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("dispose");
  }
}

interface Configurable {
  /** Takes its part of the configuration as it is now. Rejects, and goes on as before, where it can't be had. */
  configure(): void | Promise<void>;
}

type LiveParts = Awaited<ReturnType<typeof startLiveParts>>;

/** Those that a reload changes. */
async function startLiveParts(
  parts: Omit<AddedMetersParts, "calls" | "planning" | "pushing" | "shared"> & {
    readonly calling: GatewayCalls;
    readonly planning: GatewayPlans;
    readonly pushing: GatewayPush;
    readonly shared: SharedMeters;
  },
  stack: AsyncDisposableStack,
) {
  const { config, database, events, planning, pushing, calling, shared } = parts;
  const notifications = await GatewayNotifications.start({ config, database, events, gatewayId: shared.share.id });
  stack.use(notifications);
  const meters = stack.use(new AddedMeters({ ...parts, calls: calling.calls }));
  return {
    keys: { configure: () => takeSealingKeys(config, parts.known) },
    polling: shared,
    notifications,
    meters,
    plans: planning,
    calls: calling,
    push: pushing,
  } satisfies Record<Exclude<LivePart, "log">, Configurable>;
}

/** Serves the API over the local socket until the stack ends; its connections end with `connections`. */
async function serveLocally(
  parts: GatewayApiParts,
  how: { readonly socket: string; readonly deadline: StopDeadline; readonly connections: DisposableStack },
  stack: AsyncDisposableStack,
): Promise<Api> {
  const api = await gatewayApi(parts);
  stack.defer(() => how.deadline.bound(api.close()));
  const control = await parts.local.listen(api, how.socket);
  how.connections.adopt(control, (each) => each.closeAllConnections());
  stack.adopt(control, (each) => void each.close());
  return api;
}

function vitalsOf({
  loop,
  intake,
  listeners,
}: {
  readonly loop: PollLoop<PolledMeter>;
  readonly intake: StoreIntake;
  readonly listeners: PushListeners;
}): Vitals {
  const { rows, pushes, spool } = intake;
  return {
    meters: loop.heldCount,
    quarantined: loop.quarantinedCount,
    overdueMs: loop.overdueMs,
    stalledMs: { planner: loop.stalledMs, rows: rows.stalledMs, pushes: pushes.stalledMs },
    waitingRows: rows.rows,
    waitingPushes: listeners.waiting,
    pushConnections: listeners.connectionCount,
    spool: { octets: spool.octets, quota: spool.quota, engaged: intake.isSpooling },
  };
}

function upkeep(url: string, events: EventSink): Promise<Upkeep> {
  return Upkeep.start({
    url,
    onFailure: (error) => {
      events({ event: "upkeepFailed", reason: messageOf(error) });
    },
  });
}

function coverageFolding(database: Database, events: EventSink): CoverageFolding {
  return new CoverageFolding(database, (error) => {
    events({ event: "coverageUnfolded", reason: messageOf(error) });
  });
}
