import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { type SealingKey, SecretKey } from "../../protocol/security/secret-key.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import type { CounterName } from "../../src/keys/counter-reservations.ts";
import { CounterTable } from "../../src/keys/counter-table.ts";
import { KeyStore } from "../../src/keys/key-store.ts";
import { KeyTable } from "../../src/keys/key-table.ts";
import { ALL_ASSOCIATIONS } from "../../src/keys/sealed-key.ts";
import { useTestDatabase } from "./test-database.ts";

const randomOctets = (length: number) => new Uint8Array(randomBytes(length));
const sealingKey: SealingKey = new SecretKey("sealingKey", randomOctets(32));
const meters: string[] = [];
const current = useTestDatabase(async (database) => {
  for (const number of ["1", "2"]) {
    const [row] = await database.query<{ id: string }>(
      "insert into public.meters (meter_number, name) values ($1::text, $1::text) returning id",
      [number],
    );
    meters.push(row?.id ?? "");
  }
});

function store(...sealingKeys: [SealingKey, ...SealingKey[]]): KeyStore {
  return new KeyStore({ storage: new KeyTable(current().database), sealingKeys, randomOctets });
}

function newKey() {
  return new SecretKey("blockCipherKey", randomOctets(16));
}

test("key table: keys come back as they were put, a client's own before the meter's", async () => {
  const [meterId = ""] = meters;
  const keys = store(sealingKey);
  const [general, own] = [newKey(), newKey()];
  const secret = new SecretKey("hlsSecret", new TextEncoder().encode("wwwwwwwwwwwwwwww"));
  expect(await keys.put({ meterId, clientSap: ALL_ASSOCIATIONS }, general)).toBe(1);
  expect(await keys.put({ meterId, clientSap: 48 }, own)).toBe(1);
  await keys.put({ meterId, clientSap: 48 }, secret);
  const found = await keys.keysFor(meterId, 48);
  expect(found.blockCipherKey?.equals(own)).toBe(true);
  expect(found.hlsSecret?.equals(secret)).toBe(true);
  expect((await keys.keysFor(meterId, 32)).blockCipherKey?.equals(general)).toBe(true);
});

test("key table: a pending key changes nothing until it is activated, and then replaces the one before", async () => {
  const [, meterId = ""] = meters;
  const keys = store(sealingKey);
  const name = { meterId, clientSap: ALL_ASSOCIATIONS, role: "blockCipherKey" } as const;
  const [old, changed, refused] = [newKey(), newKey(), newKey()];
  await keys.put(name, old);
  expect(await keys.put(name, changed, "pending")).toBe(2);
  expect((await keys.keysFor(meterId, 1)).blockCipherKey?.equals(old)).toBe(true);
  expect((await keys.pendingKeys(meterId)).map((each) => each.version)).toEqual([2]);
  expect(await keys.activate(name, 2)).toBe(true);
  expect(await keys.activate(name, 2)).toBe(false);
  expect((await keys.keysFor(meterId, 1)).blockCipherKey?.equals(changed)).toBe(true);
  expect(await keys.put(name, refused, "pending")).toBe(3);
  await keys.giveUp(name, 3);
  expect(await keys.pendingKeys(meterId)).toEqual([]);
});

test("key table: a row moved to another meter, role or version opens nowhere", async () => {
  const [meterId = "", thief = ""] = meters;
  const { database } = current();
  await database.query(
    `insert into dlms.keys (meter_id, client_sap, role, version, state, sealed)
     select $2::uuid, 99, role, version, state, sealed from dlms.keys where meter_id = $1::uuid and client_sap = 48`,
    [meterId, thief],
  );
  await expect(store(sealingKey).keysFor(thief, 99)).rejects.toMatchObject({ code: "SECURITY_ENVELOPE_DAMAGED" });
  await database.query("delete from dlms.keys where client_sap = 99");
});

test("key table: another sealing key is told from damage, and resealing changes over to a new one", async () => {
  const [meterId = ""] = meters;
  const newer: SealingKey = new SecretKey("sealingKey", randomOctets(32));
  await expect(store(newer).keysFor(meterId, 48)).rejects.toMatchObject({ code: "SECURITY_SEALING_KEY_UNKNOWN" });
  const before = await store(sealingKey).keysFor(meterId, 48);
  expect(await store(newer, sealingKey).reseal()).toBeGreaterThan(3);
  const after = await store(newer).keysFor(meterId, 48);
  expect(after.blockCipherKey && before.blockCipherKey?.equals(after.blockCipherKey)).toBe(true);
  await expect(store(sealingKey).keysFor(meterId, 48)).rejects.toMatchObject({ code: "SECURITY_SEALING_KEY_UNKNOWN" });
});

test("key table: the octets of no key are in the database", async () => {
  const [meterId = ""] = meters;
  const canary = randomOctets(16);
  await store(sealingKey).put({ meterId, clientSap: 7 }, new SecretKey("authenticationKey", canary));
  const rows = await current().database.query<{ line: string }>(
    "select encode(sealed, 'hex') || keys::text as line from dlms.keys as keys",
  );
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter((row) => row.line.includes(toHex(canary)))).toEqual([]);
});

const NAME: CounterName = {
  keyId: "meter 1/blockCipherKey/1",
  systemTitle: systemTitle(fromHex("4d4d4d0000000001")),
  association: "48",
};

test("counter table: many gateways at once get ranges that do not touch", async () => {
  const table = new CounterTable(current().database);
  const firsts = await Promise.all(Array.from({ length: 40 }, () => table.reserve(NAME, 10, 0)));
  expect([...firsts].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => 10 * i));
  expect(await table.reserve({ ...NAME, association: "" }, 1, 5)).toBe(5);
});

test("counter table: a floor raises, never lowers; the highest counter is the last", async () => {
  const table = new CounterTable(current().database);
  const name = { ...NAME, keyId: "another" };
  expect(await table.reserve(name, 10, 1000)).toBe(1000);
  expect(await table.reserve(name, 10, 5)).toBe(1010);
  expect(await table.reserve(name, 1, 0xffff_ffff)).toBe(0xffff_ffff);
  await expect(table.reserve(name, 1, 0)).rejects.toMatchObject({ code: "SECURITY_COUNTER_EXHAUSTED" });
  await expect(table.reserve({ ...name, keyId: "new" }, 2, 0xffff_ffff)).rejects.toMatchObject({
    code: "SECURITY_COUNTER_EXHAUSTED",
  });
});
