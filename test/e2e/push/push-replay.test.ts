/** Pushes that are held: nobody knows the sender, its key, or what its values are; and what becomes of them later. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { KeyStore } from "../../../src/keys/key-store.ts";
import { KeyTable } from "../../../src/keys/key-table.ts";
import { ALL_ASSOCIATIONS } from "../../../src/keys/sealed-key.ts";
import { heldPushStore } from "../../../src/store/push/held-pushes.ts";
import { keepPushCounters, replayedAmong } from "../../../src/store/push/push-counters.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { type PushStation, type StationMeter, sendTcp, startPushStation } from "./push-station.ts";
import { structure } from "./pushed-values.ts";

const current = useTestDatabase();
const BLOCK_CIPHER_KEY = "000102030405060708090A0B0C0D0E0F";
const AUTHENTICATION_KEY = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";
const KEYS = { blockCipherKey: BLOCK_CIPHER_KEY, authenticationKey: AUTHENTICATION_KEY };

function named(logicalName: string, value: Data, unit?: number): Data {
  const name: Data = { type: "octet-string", value: logicalNameToOctets(logicalName) };
  const scaler = structure({ type: "integer", value: 0 }, { type: "enum", value: unit ?? 0 });
  return unit === undefined ? structure(name, value) : structure(name, value, scaler);
}

/** Number, time, and energy as the seconds of the time. */
function notification(number: string, second: number): Uint8Array {
  const clock = Uint8Array.from([0x07, 0xea, 1, 2, 255, 3, 0, second, 0, 0, 0, 0]);
  const body = structure(
    named("0.0.96.1.0.255", { type: "octet-string", value: Buffer.from(number) }),
    named("0.0.1.0.0.255", { type: "octet-string", value: clock }),
    named("1.0.1.8.0.255", { type: "double-long-unsigned", value: second }, 30),
  );
  return encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: second, body } });
}

function wrapped(apdu: Uint8Array): Uint8Array {
  return encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu });
}

function ciphered(title: string, apdu: Uint8Array, invocationCounter: number): Uint8Array {
  const protection = new ApduProtection({
    suite: 0,
    ownSystemTitle: systemTitle(Buffer.from(title, "hex")),
    keys: {
      blockCipherKey: new SecretKey("blockCipherKey", Buffer.from(BLOCK_CIPHER_KEY, "hex")),
      authenticationKey: new SecretKey("authenticationKey", Buffer.from(AUTHENTICATION_KEY, "hex")),
    },
    nextInvocationCounter: () => invocationCounter,
  });
  return protection.protect(apdu, { control: "authenticated-encrypted", form: "general", keySet: "global" });
}

async function sent(meters: readonly StationMeter[], pushes: readonly Uint8Array[], from: string): Promise<void> {
  await using station = await startPushStation({ database: current().database, meters });
  await sendTcp(station.tcp, pushes, { from });
  await station.settled();
}

function outcomes(from: string): Promise<unknown[][]> {
  return query(
    current().url,
    `select h.outcome, split_part(h.reason, ':', 1), m.meter_number, h.attributed_by, h.replayed_at is not null
     from dlms.push_history h left join public.meters m on m.id = h.meter_id
     where h.peer like $1 || ':%' order by h.received_at, h.push_key`,
    [from],
  );
}

function energies(number: string): Promise<unknown[][]> {
  return query(
    current().url,
    `select extract(second from captured_at)::int, active_import_total_wh::int, source from dlms.instant_profile
     where meter_number = $1 order by 1`,
    [number],
  );
}

async function startedAgain(meters: readonly StationMeter[]): Promise<PushStation> {
  const station = await startPushStation({ database: current().database, meters });
  await station.reception.replay();
  return station;
}

test("replay: what came before the key was known is read when it is, by itself at the next start", async () => {
  const title = "4D4D4D0000000001";
  const from = "127.0.3.1";
  const meter: StationMeter = { number: "RPL1", systemTitle: title };
  const pushes = [1, 2, 3].map((second) => wrapped(ciphered(title, notification("RPL1", second), second)));
  await sent([meter], pushes, from);
  const held = ["rejected", "SECURITY_KEY_MISSING", "RPL1", "system-title", false];
  expect(await outcomes(from)).toEqual([held, held, held]);
  await using station = await startedAgain([{ ...meter, ...KEYS }]);
  const stored = ["stored", null, "RPL1", "system-title", true];
  expect(await outcomes(from)).toEqual([stored, stored, stored]);
  expect(await energies("RPL1")).toEqual([1, 2, 3].map((second) => [second, second, "push"]));
  expect(await station.reception.replay()).toMatchObject({ replayed: 0 });
});

test("replay: what a stranger sent is its meter's when that is added", async () => {
  const from = "127.0.3.2";
  await sent([], [wrapped(notification("RPL2", 1)), wrapped(notification("RPL2", 2))], from);
  const held = ["partial", "the sender is not known", null, null, false];
  expect(await outcomes(from)).toEqual([held, held]);
  await using _ = await startedAgain([{ number: "RPL2" }]);
  const stored = ["stored", null, "RPL2", "identity", true];
  expect(await outcomes(from)).toEqual([stored, stored]);
  expect(await energies("RPL2")).toEqual([
    [1, 1, "push"],
    [2, 2, "push"],
  ]);
});

test("replay: a push that was refused as a repetition does not come in by the back door", async () => {
  const title = "4D4D4D0000000003";
  const from = "127.0.3.3";
  const rules = { push: { least: "none", replay: "refuse" } } as const;
  const meter: StationMeter = { number: "RPL3", systemTitle: title, ...KEYS, known: rules };
  const push = wrapped(ciphered(title, notification("RPL3", 1), 7));
  await sent([meter], [push, push], from);
  await using _ = await startedAgain([meter]);
  expect((await outcomes(from)).map(([outcome, reason]) => [outcome, reason])).toEqual([
    ["stored", null],
    ["rejected", "SECURITY_COUNTER_REPLAYED"],
  ]);
});

test("replay: a counter that came before a restart is refused after it, or marked", async () => {
  const title = "4D4D4D0000000007";
  const from = "127.0.3.7";
  const meter: StationMeter = { number: "RPL7", systemTitle: title, ...KEYS, known: { push: { replay: "refuse" } } };
  const push = (counter: number) => wrapped(ciphered(title, notification("RPL7", counter), counter));
  await sent([meter], [push(7), push(9)], from);
  await sent([meter], [push(7), push(8), push(9), push(10)], from);
  const refused = ["rejected", "SECURITY_COUNTER_REPLAYED"];
  expect((await outcomes(from)).map(([outcome, reason]) => [outcome, reason])).toEqual([
    ["stored", null],
    ["stored", null],
    refused,
    refused,
    refused,
    ["stored", null],
  ]);
  const marked: StationMeter = { ...meter, known: { push: { replay: "mark" } } };
  await sent([marked], [push(3), push(11)], from);
  const marks = await query(
    current().url,
    "select marks from dlms.push_history where peer like $1 || ':%' order by push_key desc limit 2",
    [from],
  );
  expect(marks).toEqual([[[]], [["counter-replayed"]]]);
});

test("replay: what came to one gateway before is refused by another, or marked, also while both listen", async () => {
  const title = "4D4D4D000000000A";
  const from = "127.0.3.10";
  const rule = (replay: "refuse" | "mark") => ({
    number: "RPL10",
    systemTitle: title,
    ...KEYS,
    known: { push: { replay } },
  });
  const push = (counter: number) => wrapped(ciphered(title, notification("RPL10", counter), counter));
  const { database } = current();
  await using first = await startPushStation({ database, meters: [rule("refuse")] });
  await using second = await startPushStation({ database, meters: [rule("refuse")] });
  await using marking = await startPushStation({ database, meters: [rule("mark")] });
  const send = async (station: PushStation, counter: number) => {
    await sendTcp(station.tcp, [push(counter)], { from });
    await station.settled();
  };
  await send(first, 7);
  await send(second, 9);
  await send(first, 9);
  await send(first, 8);
  await send(first, 10);
  await send(second, 10);
  await send(marking, 8);
  const [stored, refused] = [
    ["stored", null],
    ["rejected", "SECURITY_COUNTER_REPLAYED"],
  ];
  expect((await outcomes(from)).map(([outcome, reason]) => [outcome, reason])).toEqual([
    stored,
    stored,
    refused,
    refused,
    stored,
    refused,
    stored,
  ]);
  expect((await energies("RPL10")).map(([second]) => second)).toEqual([7, 8, 9, 10]);
  const marks = await query(
    current().url,
    "select marks from dlms.push_history where peer like $1 || ':%' order by push_key desc limit 1",
    [from],
  );
  expect(marks).toEqual([[["counter-replayed"]]]);
  expect(first.events.filter(({ event }) => event === "pushRejected")).toHaveLength(2);
});

function counted(counter: number, ms: number) {
  return {
    receivedAt: new Date(Date.UTC(2026, 0, 2) + ms),
    counter: { keyId: "k", systemTitle: Buffer.from("4D4D4D000000000B", "hex"), invocationCounter: counter },
  };
}

test("replay: pushes that gateways take at the same time are none that came before, whichever is written first", async () => {
  const { database } = current();
  const judge = (push: ReturnType<typeof counted>) =>
    database.transaction(async (client) => {
      const isReplayed = (await replayedAmong(client, [push])).has(push);
      await keepPushCounters(client, [push]);
      return isReplayed;
    });
  expect(await judge(counted(12, 20))).toBe(false);
  expect(await judge(counted(11, 10))).toBe(false);
  expect(await judge(counted(12, 10))).toBe(true);
  expect(await judge(counted(11, 30))).toBe(true);
  expect(await judge(counted(13, 30))).toBe(false);
});

test("replay: while nobody knows what came before, a meter that refuses it has its pushes held, and taken then", async () => {
  const title = "4D4D4D0000000008";
  const from = "127.0.3.8";
  const meter: StationMeter = { number: "RPL8", systemTitle: title, ...KEYS, known: { push: { replay: "refuse" } } };
  const push = (counter: number) => wrapped(ciphered(title, notification("RPL8", counter), counter));
  await sent([meter], [push(7)], from);
  const drained = Promise.withResolvers<void>();
  await using station = await startPushStation({ database: current().database, meters: [meter], drained });
  await sendTcp(station.tcp, [push(7), push(8)], { from });
  await station.settled();
  const unknown = ["rejected", "SECURITY_COUNTER_UNKNOWN", "RPL8", "system-title", false];
  const stored = ["stored", null, "RPL8", "system-title"];
  expect(await outcomes(from)).toEqual([[...stored, false], unknown, unknown]);
  drained.resolve();
  while (!station.events.some(({ event }) => event === "pushesReplayed")) await sleep(10);
  expect(await outcomes(from)).toEqual([[...stored, false], unknown, [...stored, true]]);
});

test("adoption: of a sender that ciphers, by keys that come to the key store before or after, without a new start", async () => {
  const { database } = current();
  const keys = new KeyStore({
    storage: new KeyTable(database),
    sealingKeys: [new SecretKey("sealingKey", new Uint8Array(32).fill(9))],
    randomOctets: (length) => new Uint8Array(randomBytes(length)),
  });
  await using station = await startPushStation({ database, meters: [], keys });
  const from = "127.0.3.9";
  const title = "4D4D4D0000000009";
  const push = (counter: number) => wrapped(ciphered(title, notification("RPL9", counter), counter));
  await sendTcp(station.tcp, [push(1), push(2)], { from });
  await station.settled();
  const adopted = await station.reception.adopt({
    sender: title,
    name: "attic",
    number: "RPL9",
    companion: "none",
    timeZone: "UTC",
  });
  expect(adopted).toMatchObject({ held: 2, stored: 0, keyWanted: true });
  const meterId = adopted?.meter.id ?? "";
  for (const key of [
    new SecretKey("blockCipherKey", Buffer.from(BLOCK_CIPHER_KEY, "hex")),
    new SecretKey("authenticationKey", Buffer.from(AUTHENTICATION_KEY, "hex")),
  ]) {
    await keys.put({ meterId, clientSap: ALL_ASSOCIATIONS }, key);
  }
  expect(await station.reception.replay({ sender: title })).toEqual({ held: 2, replayed: 2, stored: 2 });
  await sendTcp(station.tcp, [push(3), wrapped(notification("RPL9", 4))], { from });
  await station.settled();
  const stored = ["stored", null, "RPL9", "system-title"];
  expect(await outcomes(from)).toEqual([
    [...stored, true],
    [...stored, true],
    [...stored, false],
    ["rejected", "SECURITY_WEAKER_THAN_REQUIRED", "RPL9", "identity", false],
  ]);
  expect((await energies("RPL9")).map(([second]) => second)).toEqual([1, 2, 3]);
});

test("adoption: unknown senders are listed with what is known of them, and adopting one replays what it sent", async () => {
  const from = "127.0.3.4";
  await using station = await startPushStation({ database: current().database, meters: [] });
  const pushes = [1, 2].map((second) => wrapped(notification("ADOPT4", second)));
  await sendTcp(station.tcp, pushes, { from });
  await station.settled();
  const listed = await station.reception.unknownSenders();
  expect(listed.find(({ sender }) => sender === "ADOPT4")).toMatchObject({
    names: ["ADOPT4"],
    hosts: [from],
    transports: ["tcp"],
    pushes: 2,
    reason: "the sender is not known",
  });
  const adoption = { sender: "ADOPT4", name: "cellar", companion: "idis", timeZone: "Europe/Vienna" };
  expect(await station.reception.adopt({ ...adoption, sender: "NOBODY" })).toBeUndefined();
  expect(await station.reception.adopt(adoption)).toMatchObject({
    meter: { name: "cellar", number: "ADOPT4" },
    held: 2,
    replayed: 2,
    stored: 2,
    keyWanted: false,
  });
  expect(await energies("ADOPT4")).toHaveLength(2);
  await sendTcp(station.tcp, [wrapped(notification("ADOPT4", 3))], { from });
  await station.settled();
  expect((await outcomes(from)).at(-1)).toEqual(["stored", null, "ADOPT4", "identity", false]);
  expect((await station.reception.unknownSenders()).map(({ sender }) => sender)).not.toContain("ADOPT4");
});

test("adoption: a meter that is known under another number keeps it, also after a new start", async () => {
  const from = "127.0.3.5";
  const meter = { number: "RPL5", timeZone: "Europe/Vienna" };
  await sent([meter], [wrapped(notification("DEVICE-ID-5", 1))], from);
  {
    await using station = await startPushStation({ database: current().database, meters: [meter] });
    const adopted = await station.reception.adopt({
      sender: "DEVICE-ID-5",
      name: "meter-RPL5",
      companion: "none",
      timeZone: "UTC",
    });
    expect(adopted).toMatchObject({ meter: { number: "RPL5" }, replayed: 1 });
  }
  await sent([meter], [wrapped(notification("DEVICE-ID-5", 2))], from);
  expect((await outcomes(from)).map(([outcome, , number]) => [outcome, number])).toEqual([
    ["stored", "RPL5"],
    ["stored", "RPL5"],
  ]);
});

test("attribution: the stronger clue decides, and weaker ones that point elsewhere are shown", async () => {
  const title = "4D4D4D0000000006";
  const from = "127.0.3.6";
  const meters: StationMeter[] = [
    { number: "RPL6A", systemTitle: title, ...KEYS },
    { number: "RPL6B" },
    { number: "RPL6C", host: from },
  ];
  const pushes = [wrapped(ciphered(title, notification("RPL6B", 1), 1)), wrapped(notification("RPL6B", 2))];
  await sent(meters, pushes, from);
  const rows = await query(
    current().url,
    `select m.meter_number, h.attributed_by, h.marks from dlms.push_history h join public.meters m on m.id = h.meter_id
     where h.peer like $1 || ':%' order by h.received_at, h.push_key`,
    [from],
  );
  const address = "sender-conflict: the address is that of meter-RPL6C";
  expect(rows).toEqual([
    ["RPL6A", "system-title", ["sender-conflict", "sender-conflict: the payload names meter-RPL6B", address]],
    ["RPL6B", "identity", ["sender-conflict", address]],
  ]);
  const conflicts = (await heldPushStore(current().database).senderConflicts()).map((each) => {
    return `${each.meterNumber}, ${each.otherClue}, ${each.pushes}`;
  });
  const clue = "the address is that of meter-RPL6C";
  expect(conflicts.toSorted((a, b) => a.localeCompare(b))).toEqual([
    `RPL6A, ${clue}, 1`,
    "RPL6A, the payload names meter-RPL6B, 1",
    `RPL6B, ${clue}, 1`,
  ]);
});
