/** What of the gateway has to do with pushes: wires reception, what it has to know of meters, and their push setups. */
import { z } from "zod";
import type { Api } from "../api/http-api.ts";
import { pushResources } from "../api/resources/push-resources.ts";
import type { Collector } from "../collect/collector.ts";
import { pushedRows } from "../collect/keeping/pushed-rows.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import { readPushLayout } from "../collect/read/push-layout-reader.ts";
import type { MeterConnection } from "../collect/session/meter-connection.ts";
import { silenceResources } from "../collect/silence/silence-resources.ts";
import { SilenceWatch } from "../collect/silence/silence-watch.ts";
import type { Config } from "../config/schema.ts";
import { SaidNames } from "../fleet/said-names.ts";
import type { EventSink } from "../observe/events.ts";
import { messageOf } from "../observe/message-of.ts";
import { PUSH_MAPPING } from "../profiles/push-mapping.ts";
import type { PushListenersOptions } from "../push/receive/push-listeners.ts";
import { PushReception } from "../push/receive/push-reception.ts";
import { FleetSenders } from "../push/senders/fleet-senders.ts";
import { LearnedElsewhere } from "../push/senders/learned-elsewhere.ts";
import type { SenderDirectory } from "../push/senders/sender-directory.ts";
import { SenderLearning } from "../push/senders/sender-learning.ts";
import { StoredSenderKeys } from "../push/senders/stored-sender-keys.ts";
import {
  type CampaignMeter,
  type CampaignResult,
  campaignOrderSchema,
  SetupCampaigns,
} from "../push/setups/setup-campaign.ts";
import { SetupDrift } from "../push/setups/setup-drift.ts";
import { SetupRepairs } from "../push/setups/setup-repairs.ts";
import { setupResources } from "../push/setups/setup-resources.ts";
import type { Database } from "../store/database/database.ts";
import type { StoreIntake } from "../store/intake/store-intake.ts";
import { READING_KINDS } from "../store/profiles/profile-tables.ts";
import { heldPushStore } from "../store/push/held-pushes.ts";
import { keepPushLayout, LEARNED_CHANNEL, loadPushLayouts, tellLearned } from "../store/push/push-layouts.ts";
import { keepSetupRecord, type SetupRecord, setupHistory, unsettledSetups } from "../store/push/push-setup-history.ts";
import { keepPushSetups } from "../store/push/push-setups.ts";
import { NoticedEvents } from "../store/records/noticed-events.ts";
import type { MeterTraces } from "../trace/meter-traces.ts";
import type { GatewayCalls } from "./gateway-calls.ts";
import type { SharedMeters } from "./shared-meters.ts";
import type { StartedFleet } from "./start-fleet.ts";

export interface GatewayPushOptions {
  readonly config: Config;
  readonly database: Database;
  readonly known: StartedFleet;
  readonly events: EventSink;
  readonly traces: MeterTraces;
  /** Of sockets that whoever started the process holds. */
  readonly boundSocket?: PushListenersOptions["boundSocket"];
}

export interface GatewayPushParts {
  readonly calls: GatewayCalls;
  readonly intake: StoreIntake;
  readonly shared: SharedMeters;
  readonly collector: Collector;
  /** How long the last work of a stop may take. */
  readonly lastMs: () => number;
}

export interface StartedPush {
  readonly reception: PushReception;
  readonly resources: (api: Api) => void;
}

/** For the next call of a meter that calls in. */
const LONGEST_WAIT_MS = 7 * 86_400_000;
const PUSH_SETUP = { lane: "on_demand", what: "push setup" } as const;
const readingsSchema = z.array(z.enum(READING_KINDS));

/** What another gateway of this version made. */
const resultSchema = z.custom<CampaignResult>((value) => {
  return typeof value === "object" && value !== null && "setup" in value && "state" in value;
});

export class GatewayPush {
  readonly #options: GatewayPushOptions;
  readonly #senders: FleetSenders;
  readonly #keys: StoredSenderKeys;
  readonly #learning: SenderLearning;
  #shared: SharedMeters | undefined;
  #reception: PushReception | undefined;
  #silence: SilenceWatch | undefined;
  #watchAgain: (() => Promise<void>) | undefined;
  #repairs: SetupRepairs<MeterConnection> | undefined;

  constructor(options: GatewayPushOptions) {
    const { database, known } = options;
    this.#options = options;
    this.#senders = new FleetSenders(known.fleet, known.meters.values(), (...doubt) => this.#doubt(...doubt));
    this.#keys = new StoredSenderKeys({ store: known.keys, fleet: known.fleet, senders: this.#senders });
    this.#learning = new SenderLearning({
      fleet: known.fleet,
      senders: this.#senders,
      readLayout: (source, target, lists) => readPushLayout(source, target, { lists, nowMs: Date.now }),
      keep: async (meterId, setups, version) => {
        await keepPushSetups(database, meterId, setups);
        await this.#silence?.learn([meterId]);
        if (version !== undefined) await keepPushLayout(database, meterId, version);
      },
      onLearned: (meterId) => {
        void this.#reception?.replay({ meterId }).catch(() => undefined);
        void tellLearned(database, this.#shared?.share.id ?? "", meterId).catch(() => undefined);
      },
    });
  }

  /** What is known of the meters that may be sending. */
  get directory(): SenderDirectory {
    return this.#senders;
  }

  /** Whether this gateway hears now what meters send by themselves. */
  get listens(): boolean {
    const { push, calls } = this.#options.config;
    return push.listen.length + calls.listen.length > 0;
  }

  /** Another meter has come: what it sends is its own. */
  add(meter: PolledMeter): void {
    this.#senders.add(meter);
  }

  /** Other meters have come: when they push is known from now on. Throws StoreError. */
  async expect(meters: readonly PolledMeter[]): Promise<void> {
    await this.#silence?.add(meters);
  }

  remove(meter: PolledMeter): void {
    this.#senders.remove(meter);
    this.#silence?.remove(meter);
  }

  /** What there is to find out for whoever listens, and to mend, while a meter is on the line. */
  async duringVisit(meter: PolledMeter, connection: MeterConnection): Promise<void> {
    if (this.#shared?.isAnyListening === true) await this.#learning.learn(meter, connection);
    await this.#repairs?.repair({ meterId: meter.meterId, name: meter.target.name }, connection);
  }

  /** Keeps an unsolicited message of a meter that is visited; whether it is kept. */
  async keepUnsolicited(...message: Parameters<PushReception["keepUnsolicited"]>): Promise<boolean> {
    return (await this.#reception?.keepUnsolicited(...message)) ?? false;
  }

  /** Takes the listeners, and what is expected, of the configuration as it is now. Rejects when an address can't be had. */
  async configure(): Promise<void> {
    await this.#reception?.listeners.take(this.#options.config.push.listen);
    await this.#watchAgain?.();
  }

  /** Listens, and works on push setups from now on; ends with the stack. */
  async start(parts: GatewayPushParts, stack: AsyncDisposableStack): Promise<StartedPush> {
    const { database } = this.#options;
    const { shared } = parts;
    this.#shared = shared;
    const noticed = this.#noticed(parts, stack);
    stack.defer(() => this.#silence?.[Symbol.dispose]());
    this.#watchAgain = async () => {
      const before = this.#silence;
      this.#silence = this.listens ? await this.#watch(parts, noticed) : undefined;
      before?.[Symbol.dispose]();
    };
    await this.#watchAgain();
    const names = stack.adopt(new SaidNames(this.#options.known.fleet), (each) => each.stop(parts.lastMs()));
    const reception = stack.use(await this.#receive(parts, names));
    this.#reception = reception;
    const campaigns = stack.use(await this.#campaigns(parts, { reception, noticed }));
    shared.handle("setup", (meter, what) =>
      campaigns.runFor({ ...campaignOrderSchema.parse(what), meter: meter.target.name }),
    );
    shared.handle("want", async (meter, what) => shared.loop.want(meter, readingsSchema.parse(what)));
    shared.handle("doubt", async ({ meterKey }, what) => this.#senders.doubt(meterKey, z.string().parse(what)));
    const learned = new LearnedElsewhere((meterIds) => this.#takeOver(meterIds));
    shared.listen(LEARNED_CHANNEL, (told) => {
      const [gatewayId, meterId = ""] = told.split(" ");
      if (this.listens && gatewayId !== shared.share.id) learned.add(meterId);
    });
    const resources = (api: Api) => {
      pushResources(api, { database, reception });
      silenceResources(api, () => this.#silence?.expected() ?? []);
      setupResources(api, campaigns, (order) => setupHistory(database, order));
    };
    return { reception, resources };
  }

  /** The gateway that works the meter asks it again what its pushes are. */
  #doubt(meterKey: number, pushSetup: string): void {
    const meter = this.#options.known.meters.byKey(meterKey);
    if (meter !== undefined && this.#shared?.isElsewhere(meter) === true) this.#shared.tell(meter, "doubt", pushSetup);
  }

  /** Throws StoreError. */
  async #takeOver(meterIds: readonly string[]): Promise<void> {
    const { database, known } = this.#options;
    await known.fleet.refresh(meterIds);
    const layouts = await loadPushLayouts(database, meterIds);
    for (const [meterKey, versions] of layouts) this.#senders.learnLayouts(meterKey, versions);
    await this.#silence?.learn(meterIds);
    for (const meterId of meterIds) await this.#reception?.replay({ meterId });
  }

  #noticed({ lastMs }: GatewayPushParts, stack: AsyncDisposableStack): NoticedEvents {
    const { database, events } = this.#options;
    const onLost = (error: unknown) => {
      events({ event: "noticeLost", reason: messageOf(error) });
    };
    return stack.adopt(new NoticedEvents(database, onLost), (each) => each.stop(lastMs()));
  }

  /** Nothing is expected where nobody listens. */
  async #watch({ shared }: GatewayPushParts, noticed: NoticedEvents): Promise<SilenceWatch> {
    const { config, database, known, events } = this.#options;
    return await SilenceWatch.start({
      config: config.push,
      database,
      meters: known.meters.values(),
      noticed,
      want: (meter, readings) => shared.tell(meter, "want", readings),
      tells: (meter) => shared.listensFor(meter),
      events,
    });
  }

  async #receive({ intake, shared, calls }: GatewayPushParts, names: SaidNames): Promise<PushReception> {
    const { config, database, known, events, boundSocket, traces } = this.#options;
    for (const [meterKey, versions] of known.pushLayouts) this.#senders.learnLayouts(meterKey, versions);
    const putRows = pushedRows((batch) => intake.rows.put(batch), {
      meterOf: (meterKey) => known.meters.byKey(meterKey),
      seen: (meter) => shared.loop.seen(meter),
    });
    const held = heldPushStore(database);
    return await PushReception.start({
      config: config.push,
      fleet: known.fleet,
      senders: this.#senders,
      names,
      store: {
        putPush: intake.pushes.put.bind(intake.pushes),
        putRows,
        ...held,
        pushCounters: async () => (intake.isSpooling ? undefined : held.pushCounters()),
        drained: () => intake.drained(),
      },
      mapping: PUSH_MAPPING,
      boundSocket,
      events,
      onPush: (push) => {
        this.#silence?.heard(push);
        calls.heard(push);
      },
      onLook: (push, sender) => traces.pushed(push, sender),
      onAdopted: () => calls.lookAgain(),
      refreshKeys: (meterKeys) => this.#keys.refresh(meterKeys),
    });
  }

  /** Meters are visited for their push setups in their turn, before scheduled work. */
  async #campaigns(
    { shared, collector, calls: calling }: GatewayPushParts,
    { reception, noticed }: { readonly reception: PushReception; readonly noticed: NoticedEvents },
  ): Promise<SetupCampaigns<MeterConnection>> {
    const { calls } = calling;
    const { config, database, known, events } = this.#options;
    const keep = (record: SetupRecord, recordKey?: bigint) => keepSetupRecord(database, record, recordKey);
    const { mixed, drifted } = await unsettledSetups(database);
    const repairs = new SetupRepairs<MeterConnection>(
      {
        setups: () => config.push.setups,
        keep,
        relearn: async (meterId, connection) => {
          const meter = known.meters.byId(meterId);
          if (meter !== undefined) await this.#learning.learnAgain(meter, connection);
        },
        events,
      },
      mixed,
    );
    this.#repairs = repairs;
    const campaignMeter = (meter: PolledMeter): CampaignMeter<MeterConnection> => ({
      meterId: meter.meterId,
      name: meter.target.name,
      companion: meter.target.companion,
      nextCall: () => (calls.isReachable(meter) ? undefined : calls.untilReachable(meter, LONGEST_WAIT_MS)),
      visit: (work) => shared.loop.readNow(meter, () => collector.visits.visit(meter, work), PUSH_SETUP),
      relearn: (connection) => this.#learning.learnAgain(meter, connection),
    });
    return new SetupCampaigns<MeterConnection>({
      config: () => config.push,
      meters: (name) => {
        if (name === undefined) return known.meters.values().map(campaignMeter);
        const meter = known.meters.get(name);
        return meter === undefined ? [] : [campaignMeter(meter)];
      },
      arrivals: reception.arrivals,
      isHere: (name) => {
        const meter = known.meters.get(name);
        return meter !== undefined && !shared.isElsewhere(meter);
      },
      elsewhere: (name, order) => {
        const meter = known.meters.get(name);
        if (meter === undefined || !shared.isElsewhere(meter)) return undefined;
        return shared.elsewhere(meter, { kind: "setup", what: order }).then((answer) => resultSchema.parse(answer));
      },
      keep,
      drift: new SetupDrift({ noticed, events }, drifted),
      repairs,
      events,
    });
  }
}
