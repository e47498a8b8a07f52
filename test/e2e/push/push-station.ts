/** Listeners for pushes over a database and a fleet, and senders that behave as meters do. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { meterSchema } from "../../../src/config/schema.ts";
import { Fleet } from "../../../src/fleet/fleet.ts";
import { SaidNames } from "../../../src/fleet/said-names.ts";
import type { KeyStore } from "../../../src/keys/key-store.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { PROFILE_COLUMNS } from "../../../src/profiles/columns.ts";
import { PUSH_MAPPING } from "../../../src/profiles/push-mapping.ts";
import type { PushLayoutVersion } from "../../../src/push/receive/push-layouts.ts";
import type { PushLimits, PushListenConfig, PushListeners } from "../../../src/push/receive/push-listeners.ts";
import { PushReception } from "../../../src/push/receive/push-reception.ts";
import { FleetSenders, type KnownMeter } from "../../../src/push/senders/fleet-senders.ts";
import { StoredSenderKeys } from "../../../src/push/senders/stored-sender-keys.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { BatchQueue } from "../../../src/store/intake/batch-queue.ts";
import { ProfileWriter } from "../../../src/store/profiles/profile-writer.ts";
import { heldPushStore } from "../../../src/store/push/held-pushes.ts";
import { openPushQueue } from "../../../src/store/push/push-history.ts";

export interface StationMeter {
  readonly number: string;
  readonly companion?: string;
  readonly timeZone?: string;
  /** Where it is reached, and from where it pushes. */
  readonly host?: string;
  readonly systemTitle?: string;
  /** Hexadecimal. */
  readonly blockCipherKey?: string;
  readonly authenticationKey?: string;
  /** Layouts, clock and whatever else polls would have found out. */
  readonly known?: Partial<KnownMeter["target"]>;
  /** A serial port that it is on, instead of an address. */
  readonly serial?: string;
}

export interface PushStation extends AsyncDisposable {
  readonly tcp: string;
  readonly udp: string;
  readonly events: GatewayEvent[];
  readonly listeners: PushListeners;
  readonly reception: PushReception;
  /** As if the meter had been asked what its setups send. */
  learnLayouts(number: string, ...versions: readonly Partial<PushLayoutVersion["layout"]>[]): void;
  /** Ends when everything that came is kept. */
  settled(): Promise<void>;
  /** As `settled`, while a serial line goes on. */
  settledPushes(): Promise<void>;
}

export interface PushStationOptions {
  readonly database: Database;
  readonly meters: readonly StationMeter[];
  readonly limits?: Partial<PushLimits>;
  /** Serial ports to listen on as well. */
  readonly serial?: readonly Pick<PushListenConfig, "serial" | "speed" | "parity">[];
  /** Where keys of adopted meters lie. */
  readonly keys?: KeyStore;
  /** Until then it is not known what came before. */
  readonly drained?: PromiseWithResolvers<void>;
}

export async function startPushStation({
  database,
  meters,
  limits,
  serial = [],
  keys,
  drained,
}: PushStationOptions): Promise<PushStation> {
  const events: GatewayEvent[] = [];
  const fleet = await Fleet.load(database);
  const members = await fleet.put(meters.map(configOf));
  const known = members.map((member, index) => knownMeter(member.key, meters[index] ?? { number: "" }));
  const pushes = openPushQueue(database);
  const writer = new ProfileWriter(database, PROFILE_COLUMNS);
  const rows = new BatchQueue({ write: (batches) => writer.write(batches), writers: 1, groupDelayMs: 5 });
  const senders = new FleetSenders(fleet, known);
  const held = heldPushStore(database);
  let isDrained = drained === undefined;
  const names = new SaidNames(fleet);
  const storedKeys = new StoredSenderKeys({ store: keys, fleet, senders });
  const reception = await PushReception.start({
    config: {
      listen: [
        { address: "127.0.0.1:0", transport: "udp" },
        { address: "0.0.0.0:0", transport: "tcp" },
        ...serial.map((each) => ({ ...each, transport: "tcp" as const })),
      ],
    },
    fleet,
    senders,
    names,
    store: {
      putPush: (push) => pushes.put(push),
      putRows: (batch) => rows.put(batch),
      ...held,
      pushCounters: async () => (isDrained ? held.pushCounters() : undefined),
      drained: async () => {
        await drained?.promise;
        isDrained = true;
      },
    },
    mapping: PUSH_MAPPING,
    events: (event) => events.push(event),
    refreshKeys: (meterKeys) => storedKeys.refresh(meterKeys),
    ...(limits && { limits }),
  });
  const { listeners } = reception;
  const { tcp, udp } = listeners.addresses;
  return {
    tcp: (tcp[0] ?? "").replace("0.0.0.0", "127.0.0.1"),
    udp: udp[0] ?? "",
    events,
    listeners,
    reception,
    learnLayouts: (number, ...versions) => {
      const meter = fleet.byNumber(number);
      const known = versions.map((layout, index) => {
        const nothing = { lists: new Map(), scalers: [], profiles: new Map() };
        return { firmware: `v${index + 1}`, readAt: new Date(index), layout: { ...nothing, ...layout } };
      });
      if (meter !== undefined) senders.learnLayouts(meter.key, known);
    },
    settled: async () => {
      while (listeners.connectionCount > 0 || listeners.waiting > 0) await sleep(5);
    },
    settledPushes: async () => {
      while (listeners.waiting > 0) await sleep(5);
    },
    async [Symbol.asyncDispose]() {
      await reception[Symbol.asyncDispose]();
      await names.stop(5000);
      await pushes.stop(5000);
      await rows.stop(5000);
    },
  };
}

function configOf({ number, companion, timeZone, host, systemTitle, serial }: StationMeter) {
  return meterSchema.parse({
    name: `meter-${number.replaceAll(/[^A-Za-z0-9]/g, "-")}`,
    number,
    companion,
    timeZone,
    connection: serial === undefined ? { tcp: `${host ?? "192.0.2.1"}:4059` } : { serial },
    ...(systemTitle !== undefined && {
      association: {
        security: {
          clientSystemTitle: "4845530000000001",
          serverSystemTitle: systemTitle,
          blockCipherKey: "env:NOT_ASKED_FOR",
        },
      },
    }),
  });
}

function knownMeter(meterKey: number, meter: StationMeter): KnownMeter {
  const { name, number, companion, timeZone, connection, association } = configOf(meter);
  const { blockCipherKey, authenticationKey } = meter;
  return {
    meterKey,
    target: {
      name,
      number,
      companion,
      zone: namedZone(timeZone),
      connection,
      association,
      secrets: {
        secret: undefined,
        blockCipherKey: blockCipherKey === undefined ? undefined : key("blockCipherKey", blockCipherKey),
        authenticationKey: authenticationKey === undefined ? undefined : key("authenticationKey", authenticationKey),
      },
      quirks: new Set(),
      ways: new Map(),
      layouts: new Map(),
      clock: undefined,
      ...meter.known,
    },
  };
}

function key<R extends "blockCipherKey" | "authenticationKey">(role: R, hex: string): SecretKey<R> {
  return new SecretKey(role, Buffer.from(hex, "hex"));
}

export interface Sending {
  /** The local address to send from. */
  readonly from?: string;
  /** Ends the connection after this time instead of at once. */
  readonly lingerMs?: number;
}

export interface Sent {
  /** As the history names it. */
  readonly peer: string;
  readonly answer: Uint8Array;
}

/** Sends octets in a connection of its own, and returns when the connection has ended. */
export async function sendTcp(to: string, chunks: readonly Uint8Array[], sending: Sending = {}): Promise<Sent> {
  const { from, lingerMs = 0 } = sending;
  const socket = connect({ ...tcpAddress(to), ...(from !== undefined && { localAddress: from }) });
  const { promise, resolve } = Promise.withResolvers<void>();
  const answer: Uint8Array[] = [];
  let peer = "";
  socket.on("error", () => undefined);
  socket.on("data", (octets) => answer.push(octets));
  socket.once("close", () => resolve());
  socket.once("connect", () => {
    peer = `${socket.localAddress}:${socket.localPort}`;
  });
  for (const chunk of chunks) socket.write(chunk);
  if (lingerMs > 0) await sleep(lingerMs);
  socket.end();
  await promise;
  return { peer, answer: new Uint8Array(Buffer.concat(answer)) };
}

/** Sends datagrams from one port; returns the peer's name and what came back within `waitMs`. */
export async function sendUdp(to: string, datagrams: readonly Uint8Array[], waitMs = 0): Promise<Sent> {
  const { host, port } = tcpAddress(to);
  const socket = createSocket("udp4");
  const answer: Uint8Array[] = [];
  socket.on("message", (message) => answer.push(message));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const peer = `127.0.0.1:${socket.address().port}`;
  for (const each of datagrams) await new Promise<void>((resolve) => socket.send(each, port, host, () => resolve()));
  for (let waited = 0; waited < waitMs && answer.length === 0; waited += 5) await sleep(5);
  socket.close();
  return { peer, answer: new Uint8Array(Buffer.concat(answer)) };
}
