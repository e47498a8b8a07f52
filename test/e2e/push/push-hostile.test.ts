/** Bad senders, bad octets and a database that does not keep up: bounded, told, and no harm to the others. */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { PUSH_MAPPING } from "../../../src/profiles/push-mapping.ts";
import { PushListeners } from "../../../src/push/receive/push-listeners.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { type PushStation, sendTcp, sendUdp, startPushStation } from "./push-station.ts";

const current = useTestDatabase();
const TITLE = "434E525900000001";
/** Printable, so that it would show in any text as well. */
const CANARY_KEY = Buffer.from("CANARYcanary0001").toString("hex");
const CANARY_AUTHENTICATION_KEY = Buffer.from("CANARYcanary0002").toString("hex");
const LIMITS = { connectionsPerHost: 200, idleMs: 3000, fruitlessOctets: 64 * 1024 };

let station: PushStation;
beforeAll(async () => {
  station = await startPushStation({
    database: current().database,
    meters: [
      {
        number: "CANARY1",
        systemTitle: TITLE,
        blockCipherKey: CANARY_KEY,
        authenticationKey: CANARY_AUTHENTICATION_KEY,
      },
    ],
    limits: LIMITS,
  });
});
afterAll(() => station[Symbol.asyncDispose]());

const protection = new ApduProtection({
  suite: 0,
  ownSystemTitle: systemTitle(Buffer.from(TITLE, "hex")),
  keys: {
    blockCipherKey: new SecretKey("blockCipherKey", Buffer.from(CANARY_KEY, "hex")),
    authenticationKey: new SecretKey("authenticationKey", Buffer.from(CANARY_AUTHENTICATION_KEY, "hex")),
  },
  nextInvocationCounter: (() => {
    let counter = 0;
    return () => counter++;
  })(),
});

function notification(value: number): Uint8Array {
  const body = { type: "structure", value: [{ type: "double-long-unsigned", value }] } as const;
  return encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: value, body } });
}

function wrapped(apdu: Uint8Array): Uint8Array {
  return encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu });
}

/** A push of the meter that behaves, ciphered and authenticated. */
function good(value: number): Uint8Array {
  return wrapped(
    protection.protect(notification(value), { control: "authenticated-encrypted", form: "general", keySet: "global" }),
  );
}

async function stored(): Promise<string[]> {
  const rows = await query(
    current().url,
    `select v.value from dlms.push_values v join dlms.push_history h using (push_key)
     join public.meters m on m.id = h.meter_id where m.meter_number = 'CANARY1' order by v.value::int`,
  );
  return rows.map(([value]) => String(value));
}

async function countOf(outcome: string): Promise<number> {
  const rows = await query(current().url, "select count(*)::int from dlms.push_history where outcome = $1", [outcome]);
  return Number(rows[0]?.[0]);
}

function open(): Promise<Socket> {
  const socket = connect(tcpAddress(station.tcp));
  socket.on("error", () => undefined);
  return new Promise((resolve) => socket.once("connect", () => resolve(socket)));
}

async function ended(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}

test("push hostility: garbage on hundreds of lines costs a good meter nothing", async () => {
  const noise = Array.from({ length: 400 }, async (_, index) => {
    await sendTcp(station.tcp, [randomBytes(1 + ((index * 37) % 900))]);
  });
  const pushes = Array.from({ length: 50 }, (_, value) => sendTcp(station.tcp, [good(value)], { from: "127.0.0.2" }));
  await Promise.all([...noise, ...pushes]);
  await station.settled();
  expect(await stored()).toEqual(Array.from({ length: 50 }, (_, value) => String(value)));
  expect(await countOf("rejected")).toBeGreaterThan(100);
});

test("push hostility: noise of one host is kept within its budget", async () => {
  const before = await countOf("rejected");
  const frame = wrapped(Uint8Array.of(0xff, 0xff));
  const flood = Buffer.concat(Array.from({ length: 3000 }, () => frame));
  await sendTcp(station.tcp, [flood], { from: "127.0.0.3" });
  await station.settled();
  const kept = (await countOf("rejected")) - before;
  expect(kept).toBeGreaterThanOrEqual(1000);
  expect(kept).toBeLessThan(1100);
});

test("push hostility: a connection without one readable push is closed after its octets", async () => {
  const socket = await open();
  const junk = randomBytes(16 * 1024);
  for (let sent = 0; sent < 64 && !socket.destroyed; sent++) {
    socket.write(junk);
    await sleep(1);
  }
  await ended(socket);
  await station.settled();
  const [[reason] = []] = await query(
    current().url,
    "select reason from dlms.push_history where peer like '127.0.0.1:%' order by push_key desc limit 1",
  );
  expect(reason).toMatch(/^(LENGTH_OVER_LIMIT|FRAME_|APDU_|DATA_)/);
});

test("push hostility: half frames are given up with the silent line, and leave a record", async () => {
  const before = await countOf("rejected");
  const halves = await Promise.all(Array.from({ length: 20 }, open));
  for (const [index, socket] of halves.entries()) socket.write(good(1000).subarray(0, 5 + index));
  await Promise.all(halves.map(ended));
  await station.settled();
  expect((await countOf("rejected")) - before).toBe(20);
});

test("push hostility: one host holds so many connections and no more; others come in", async () => {
  const sockets = await Promise.all(Array.from({ length: LIMITS.connectionsPerHost + 60 }, open));
  await sleep(50);
  expect(station.listeners.connectionCount).toBeLessThanOrEqual(LIMITS.connectionsPerHost);
  await sendTcp(station.tcp, [good(60)], { from: "127.0.0.4" });
  for (const socket of sockets) socket.destroy();
  await station.settled();
  expect(await stored()).toContain("60");
});

test("push hostility: thousands of connections that say nothing leave nothing", async () => {
  const before = await countOf("rejected");
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = await open();
        socket.destroy();
      }),
    );
  }
  await station.settled();
  expect([station.listeners.connectionCount, station.listeners.waiting]).toEqual([0, 0]);
  expect(await countOf("rejected")).toBe(before);
});

test("push hostility: damaged, replayed and foreign pushes are told apart from good ones", async () => {
  const fine = good(70);
  const damaged = Uint8Array.from(fine);
  damaged.set([(damaged.at(-1) ?? 0) ^ 1], damaged.length - 1);
  const foreign = Uint8Array.from(fine);
  foreign.set([0x58], 10);
  await sendTcp(station.tcp, [damaged, foreign, fine, fine], { from: "127.0.0.5" });
  await station.settled();
  const rows = await query(
    current().url,
    "select outcome, split_part(reason, ':', 1), marks from dlms.push_history where peer like '127.0.0.5:%' order by push_key",
  );
  expect(rows).toEqual([
    ["rejected", "SECURITY_TAG_MISMATCH", []],
    ["rejected", "SECURITY_KEY_MISSING", []],
    ["stored", null, []],
    ["stored", null, ["counter-replayed"]],
  ]);
});

test("push hostility: datagrams of any kind end in the record, a confirmed push is confirmed", async () => {
  const before = await countOf("rejected");
  const { answer } = await sendUdp(station.udp, [randomBytes(40), good(80).subarray(0, 30), new Uint8Array(0)], 0);
  expect(answer).toHaveLength(0);
  const confirmed = await sendUdp(station.udp, [wrapped(notification(0x4000_0051))], 5000);
  await station.settled();
  expect(Buffer.from(confirmed.answer).toString("hex")).toBe("0001004000010006104000005100");
  expect((await countOf("rejected")) - before).toBe(2);
});

test("push hostility: a key is in no row, no event and no error", async () => {
  const rows = await query(current().url, "select h::text from dlms.push_history h");
  const values = await query(current().url, "select v::text from dlms.push_values v");
  const everything = JSON.stringify([rows, values, station.events]);
  expect(everything).not.toMatch(/CANARYcanary/);
  expect(everything.toLowerCase()).not.toContain(CANARY_KEY.slice(0, 24));
  expect(everything.toLowerCase()).toContain(TITLE.toLowerCase());
});

/** A count that grows, when it has stopped to. */
async function atRest(count: () => number): Promise<number> {
  for (let before = 0; ; ) {
    await sleep(1000);
    if (count() === before && before > 0) return before;
    before = count();
  }
}

test("push hostility: while the store takes nothing, peers wait and memory stays; then everything arrives", async () => {
  const gate = Promise.withResolvers<void>();
  let puts = 0;
  const written = Promise.resolve("kept" as const);
  const listeners = await PushListeners.start([{ address: "127.0.0.1:0", transport: "tcp" }], {
    directory: { bySystemTitle: () => [], byIdentity: () => [], byHost: () => [], countAt: () => 0 },
    store: {
      putPush: async () => {
        puts += 1;
        await gate.promise;
        return { written };
      },
      putRows: async () => ({ written: Promise.resolve() }),
    },
    mapping: PUSH_MAPPING,
    events: () => undefined,
    limits: { waiting: 100 },
  });
  const [address = ""] = listeners.addresses.tcp;
  const socket = connect(tcpAddress(address));
  const total = 200_000;
  const one = wrapped(notification(1));
  const many = Buffer.concat(Array.from({ length: 1000 }, () => one));
  for (let sent = 0; sent < total; sent += 1000) socket.write(many);
  const waiting = await atRest(() => puts);
  // What had come in one piece before the pause is taken; the rest waits in the sockets.
  expect(waiting).toBeLessThan(20_000);
  expect(waiting).toBeGreaterThan(0);
  gate.resolve();
  socket.end();
  await ended(socket);
  await listeners.close();
  expect(puts).toBe(total);
});
