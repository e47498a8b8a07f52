/** A street of virtual meters, each behind a TCP listener of its own on loopback: for the demo, for tests, for load. */
import { randomBytes } from "node:crypto";
import { Pump } from "../../drivers/pump.ts";
import type { TcpAddress } from "../../drivers/tcp/address.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import type { DataNotification } from "../../protocol/apdu/data-notification.ts";
import type { ServerSessionEvent } from "../../protocol/association/server/server-session.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import type { Protection } from "../../protocol/security/security-control.ts";
import { titleText } from "../../protocol/security/system-title.ts";
import type { AssociationConfig, MeterConfig } from "../config/schema.ts";
import type { MeterFault } from "./faults.ts";
import { callAsMeter, type MeterCall } from "./meter-call.ts";
import { seededSecrets } from "./meter-identity.ts";
import type { PushOrder } from "./push-message.ts";
import { type PushDestination, sendAsConfigured, sendPush } from "./push-sender.ts";
import { HOUSES, type House } from "./street-plan.ts";
import { type MeterMemory, SERVER_SAP, VirtualMeter } from "./virtual-meter.ts";
import { type MeterLink, WiredMeter } from "./wired-meter.ts";

export interface StreetOptions {
  readonly count?: number;
  /** The same seed gives the same meters with the same readings and keys. */
  readonly seed?: number;
  readonly host?: string;
  /** The true time, ms since 1970. */
  readonly clock?: () => number;
  /** Time from a request to its answer. */
  readonly latencyMs?: number;
  /** Faults by the number of the house, from 0. */
  readonly faults?: Readonly<Record<number, MeterFault>>;
  /** Hears what happens in the meters; for logs and tests. */
  readonly onEvent?: (meter: string, event: ServerSessionEvent) => void;
  /** What a meter says to a client between a request and its answer. */
  readonly unasked?: (meter: string) => DataNotification | undefined;
  /** Hears when a connection to a meter is there, and when it has ended. */
  readonly onConnection?: (meter: string, isOpen: boolean) => void;
  /** Hears that a push which a client has asked for could not be sent. */
  readonly onPushFailed?: (meter: string, error: unknown) => void;
}

/** What a head end has to know of a meter. Keys are simulated: anybody can work them out of the seed. */
export interface StreetMeter {
  /** `d1-01`: the model and the number in the street. */
  readonly name: string;
  readonly serial: string;
  readonly model: string;
  readonly type: string;
  readonly companion: MeterConfig["companion"];
  readonly timeZone: string;
  readonly host: string;
  readonly port: number;
  readonly link: MeterLink;
  readonly clientSap: number;
  readonly serverSap: number;
  readonly mechanism: AssociationConfig["mechanism"];
  /** Password or HLS secret, as text. */
  readonly secret: string | undefined;
  readonly security: StreetSecurity | undefined;
  /** Logical names of the push setups. */
  readonly pushSetups: readonly string[];
  readonly fault: MeterFault | undefined;
}

interface StreetSecurity {
  readonly suite: 0;
  readonly protection: Protection;
  /** Hexadecimal, as are the keys. */
  readonly serverSystemTitle: string;
  readonly blockCipherKey: string;
  readonly authenticationKey: string;
  /** Logical name of the object that tells the client's counter. */
  readonly invocationCounter: string;
}

const COUNT = 24;
const SEED = 2026;
const HOST = "127.0.0.1";
/** First meter number of a street. */
const FIRST_NUMBER = 10_001;
/** Counters go on from where a restarted street could have come to: this many a second since they began. */
const COUNTER_ORIGIN_MS = Date.UTC(2025, 0, 1);
const COUNTS_PER_SECOND = 20;

/** A house with its listener. The meter in it is made when somebody calls, and forgotten when nobody does any more. */
class Inhabitant {
  readonly told: StreetMeter;
  readonly #listener: TcpListener;
  readonly #resident: Resident;

  constructor(told: StreetMeter, listener: TcpListener, resident: Resident) {
    this.told = told;
    this.#listener = listener;
    this.#resident = resident;
  }

  get meter(): VirtualMeter {
    return this.#resident.meter;
  }

  get connectionCount(): number {
    return this.#listener.connectionCount;
  }

  async close(): Promise<void> {
    await this.#listener.close();
  }
}

/** Keeps what a meter must not forget, and the meter itself only as long as somebody uses it. */
class Resident {
  readonly #make: (memory: MeterMemory | undefined) => VirtualMeter;
  #memory: MeterMemory | undefined;
  #meter: WeakRef<VirtualMeter> | undefined;

  constructor(make: (memory: MeterMemory | undefined) => VirtualMeter) {
    this.#make = make;
  }

  get meter(): VirtualMeter {
    const present = this.#meter?.deref();
    if (present !== undefined) return present;
    const meter = this.#make(this.#memory);
    this.#memory = meter.memory;
    this.#meter = new WeakRef(meter);
    return meter;
  }
}

/** The open listeners of a street. Close it, or bind it with `await using`. */
export class Street implements AsyncDisposable {
  readonly #inhabitants: readonly Inhabitant[];

  constructor(inhabitants: readonly Inhabitant[]) {
    this.#inhabitants = inhabitants;
  }

  get meters(): readonly StreetMeter[] {
    return this.#inhabitants.map(({ told }) => told);
  }

  /** The meter itself, to look behind the wire. Throws for a name that is not in the street. */
  meter(name: string): VirtualMeter {
    return this.#inhabitant(name).meter;
  }

  /** Has a meter send a push, protected as its association is. Rejects with a ChannelError. */
  async push(name: string, setup: string, destination: PushDestination): Promise<void> {
    const { told, meter } = this.#inhabitant(name);
    await sendPush(meter, pushOrder(setup, told.security?.protection), destination);
  }

  /** Has a meter call in. Rejects with a ChannelError where nobody takes the call. */
  call(name: string, address: TcpAddress, says: { greeting?: string; push?: string } = {}): Promise<MeterCall> {
    const { told, meter } = this.#inhabitant(name);
    const push = says.push === undefined ? undefined : pushOrder(says.push, told.security?.protection);
    return callAsMeter(address, { meter, link: told.link, greeting: says.greeting, push });
  }

  get connectionCount(): number {
    return this.#inhabitants.reduce((sum, { connectionCount }) => sum + connectionCount, 0);
  }

  /** Closes all listeners and the connections that are open. */
  async close(): Promise<void> {
    await Promise.all(this.#inhabitants.map((inhabitant) => inhabitant.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #inhabitant(name: string): Inhabitant {
    const inhabitant = this.#inhabitants.find(({ told }) => told.name === name);
    if (inhabitant === undefined) throw new RangeError(`nobody of the name ${name} lives in this street`);
    return inhabitant;
  }
}

function pushOrder(setup: string, protection: Protection | undefined): PushOrder {
  return { setup, ...(protection && { protection }) };
}

/** Opens one listener for each meter. Rejects with a ChannelError when one can't be had; then none stays open. */
export async function startStreet(options: StreetOptions = {}): Promise<Street> {
  const count = options.count ?? COUNT;
  const rows = HOUSES.slice(0, count).map((house) => ({ house, facts: factsOf(house) }));
  const numbers = Array.from({ length: count }, (_, index) => index);
  const opened = await Promise.allSettled(numbers.map((index) => moveIn(index, rows[index % rows.length], options)));
  const inhabitants = opened.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failed = opened.find((each) => each.status === "rejected");
  if (failed === undefined) return new Street(inhabitants);
  await Promise.all(inhabitants.map((inhabitant) => inhabitant.close()));
  throw failed.reason;
}

async function moveIn(index: number, row: HouseRow | undefined, options: StreetOptions): Promise<Inhabitant> {
  if (row === undefined) throw new RangeError("the plan of the street has no houses");
  const { house } = row;
  const { host = HOST, latencyMs = 0, onEvent, onConnection, unasked } = options;
  const name = `${house.kind}-${String(index + 1).padStart(2, "0")}`;
  const startedMs = (options.clock ?? Date.now)();
  const resident: Resident = new Resident((memory) =>
    makeMeter(house, { index, options, startedMs, memory, push: (setup) => pushAsConfigured(setup) }),
  );
  const pushAsConfigured = (setup: string): void => {
    const sent = sendAsConfigured(resident.meter, pushOrder(setup, house.protection));
    sent.catch((error: unknown) => options.onPushFailed?.(name, error));
  };
  const listener = await TcpListener.listen({ host, port: 0 }, (channel) => {
    const machine = new WiredMeter({
      meter: resident.meter,
      link: house.link,
      latencyMs,
      ...(unasked && { unasked: () => unasked(name) }),
    });
    const pump = new Pump(machine, channel, {
      event: (event) => onEvent?.(name, event),
      closed: () => {
        onConnection?.(name, false);
        machine.command({ type: "channelEnded" }, performance.now());
      },
    });
    onConnection?.(name, true);
    pump.start();
    pump.command({ type: "open" });
  });
  return new Inhabitant(tell(row, { name, address: listener.address, index, options }), listener, resident);
}

interface Making {
  readonly index: number;
  readonly options: StreetOptions;
  readonly startedMs: number;
  readonly memory: MeterMemory | undefined;
  readonly push: (setup: string) => void;
}

function makeMeter(house: House, { index, options, startedMs, memory, push }: Making): VirtualMeter {
  const seed = seedOf(index, options);
  const identity = house.identity(FIRST_NUMBER + index);
  const fault = options.faults?.[index];
  return new VirtualMeter({
    description: house.describe(identity),
    identity,
    secrets: seededSecrets(seed),
    seed,
    clock: options.clock ?? Date.now,
    randomOctets: (length) => new Uint8Array(randomBytes(length)),
    firstInvocationCounter: Math.floor(((startedMs - COUNTER_ORIGIN_MS) / 1000) * COUNTS_PER_SECOND),
    push,
    ...(fault && { fault }),
    ...(memory && { memory }),
  });
}

function seedOf(index: number, { seed = SEED }: StreetOptions): number {
  return seed * 1_000 + index;
}

interface Telling {
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number };
  readonly index: number;
  readonly options: StreetOptions;
}

/** What the descriptions of all meters in houses of one row have in common. */
interface HouseFacts {
  readonly model: string;
  readonly timeZone: string;
  readonly pushSetups: readonly string[];
}

interface HouseRow {
  readonly house: House;
  readonly facts: HouseFacts;
}

const PUSH_SETUP_CLASS = 40;

function factsOf(house: House): HouseFacts {
  const { model, timeZone, objects } = house.describe(house.identity(FIRST_NUMBER));
  const setups = objects.filter(({ classId }) => classId === PUSH_SETUP_CLASS);
  return { model, timeZone, pushSetups: setups.map(({ logicalName }) => logicalName) };
}

/** What the head end is told; a meter with a fault may have other keys. */
function tell({ house, facts }: HouseRow, { name, address, index, options }: Telling): StreetMeter {
  const secrets = seededSecrets(seedOf(index, options));
  const identity = house.identity(FIRST_NUMBER + index);
  const secret = house.mechanism === "lls" ? secrets.lowLevelSecret : secrets.highLevelSecret;
  const { protection, invocationCounter, mechanism } = house;
  const security =
    protection === undefined || invocationCounter === undefined
      ? undefined
      : {
          suite: 0 as const,
          protection,
          serverSystemTitle: titleText(identity.systemTitle),
          blockCipherKey: toHex(secrets.blockCipherKey.reveal()),
          authenticationKey: toHex(secrets.authenticationKey.reveal()),
          invocationCounter,
        };
  return {
    name,
    serial: identity.serial,
    type: house.type,
    companion: house.companion,
    ...facts,
    host: address.host,
    port: address.port,
    link: house.link,
    clientSap: house.clientSap,
    serverSap: SERVER_SAP,
    mechanism,
    secret: mechanism === "hls-5" || mechanism === "none" ? undefined : new TextDecoder().decode(secret),
    security,
    fault: options.faults?.[index],
  };
}
