import { expect, test } from "vitest";
import { type MeterConfig, meterSchema } from "../../src/config/schema.ts";
import { Fleet } from "../../src/fleet/fleet.ts";
import { query } from "./query.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();
const TITLE = "4D4D4D0000BC614E";

function meter(number: string, name: string, changes: Record<string, unknown> = {}): MeterConfig {
  return meterSchema.parse({
    name,
    number,
    companion: "is15959",
    timeZone: "Asia/Kolkata",
    connection: { tcp: "192.0.2.1:4059" },
    ...changes,
  });
}

const SECURED = {
  connection: { tcp: "192.0.2.2:4060", link: "hdlc", physicalAddress: 300, responseTimeout: "7s" },
  association: {
    clientSap: 48,
    mechanism: "hls-5",
    security: {
      suite: 0,
      clientSystemTitle: "4845530000000001",
      serverSystemTitle: TITLE,
      blockCipherKey: "env:SECRET_KEY",
    },
  },
};

test("fleet: meters of the configuration are found by name, number, key and system title", async () => {
  const fleet = new Fleet(current().database);
  const [plain, secured] = await fleet.put([meter("F1", "one"), meter("F2", "two", SECURED)]);
  expect(plain).toMatchObject({ number: "F1", name: "one", companion: "is15959", timeZone: "Asia/Kolkata" });
  expect(fleet.byName("two")).toBe(secured);
  expect(fleet.byNumber("F2")).toBe(secured);
  expect(fleet.byKey(secured?.key ?? 0)).toBe(secured);
  expect(fleet.bySystemTitle(Buffer.from(TITLE, "hex"))).toEqual([secured]);
  expect(fleet.byName("three")).toBeUndefined();
  const loaded = await Fleet.load(current().database);
  expect(loaded.byNumber("F2")).toEqual(secured);
  const rows = await query(
    current().url,
    `select c.transport, c.address, c.link, a.client_sap, a.server_sap, a.physical_address, a.mechanism,
       a.security_suite, a.protection, encode(a.client_system_title, 'hex'), a.response_timeout_ms
     from dlms.associations a join dlms.connections c using (connection_key)
     join public.meters m on m.id = a.meter_id where m.meter_number in ('F1', 'F2') order by m.meter_number`,
  );
  expect(rows).toEqual([
    ["tcp", "192.0.2.1:4059", "wrapper", 16, 1, null, "none", null, null, null, 10_000],
    ["tcp", "192.0.2.2:4060", "hdlc", 48, 1, 300, "hls-5", 0, "authenticated-encrypted", "4845530000000001", 7000],
  ]);
});

test("fleet: the same address in another network is another connection", async () => {
  const fleet = new Fleet(current().database);
  const tcp = "10.0.0.7:4059";
  await fleet.put([
    meter("N1", "north-1", { connection: { tcp, network: "north" } }),
    meter("N2", "south-1", { connection: { tcp, network: "south" } }),
  ]);
  const rows = await query(
    current().url,
    `select c.network, m.meter_number from dlms.connections c join dlms.associations a using (connection_key)
     join public.meters m on m.id = a.meter_id where c.address = '${tcp}' order by 1`,
  );
  expect(rows).toEqual([
    ["north", "N1"],
    ["south", "N2"],
  ]);
});

test("fleet: the port of a serial line is the address of a connection that its meters share", async () => {
  const fleet = new Fleet(current().database);
  const serial = "/dev/serial/by-id/x";
  await fleet.put([
    meter("L1", "line-1", { connection: { serial, physicalAddress: 17 } }),
    meter("L2", "line-2", { connection: { serial, physicalAddress: 18 } }),
  ]);
  const rows = await query(
    current().url,
    `select c.transport, c.address, c.link, array_agg(a.physical_address order by 1) from dlms.connections c
     join dlms.associations a using (connection_key) where c.transport = 'serial' group by 1, 2, 3`,
  );
  expect(rows).toEqual([["serial", serial, "hdlc", [17, 18]]]);
});

test("fleet: putting the same again changes nothing, not even the time of the last change", async () => {
  const fleet = new Fleet(current().database);
  const configs = [meter("S1", "same-1"), meter("S2", "same-2", SECURED)];
  const times = "select id, meter_key, updated_at from public.meters where meter_number in ('S1', 'S2') order by 1";
  await fleet.put(configs);
  const before = await query(current().url, times);
  const again = await fleet.put(configs);
  expect(await query(current().url, times)).toEqual(before);
  expect(again.map((each) => each.name)).toEqual(["same-1", "same-2"]);
  await fleet.put([meter("S1", "same-1", { timeZone: "Europe/Vienna" })]);
  expect(await query(current().url, times)).not.toEqual(before);
  expect(fleet.byName("same-1")?.timeZone).toBe("Europe/Vienna");
});

test("fleet: an exchanged meter takes the name, the former keeps its rows under its number", async () => {
  const fleet = new Fleet(current().database);
  const [former] = await fleet.put([meter("OLD", "feeder")]);
  const [next] = await fleet.put([meter("NEW", "feeder")]);
  expect(fleet.byName("feeder")).toBe(next);
  expect(next?.id).not.toBe(former?.id);
  expect(fleet.byNumber("OLD")).toMatchObject({ id: former?.id, name: "feeder~OLD" });
});

test("fleet: two meters may swap their names", async () => {
  const fleet = new Fleet(current().database);
  await fleet.put([meter("X1", "left"), meter("X2", "right")]);
  await fleet.put([meter("X1", "right"), meter("X2", "left")]);
  expect([fleet.byName("left")?.number, fleet.byName("right")?.number]).toEqual(["X2", "X1"]);
});

test("fleet: a learned system title finds the meter, the configuration's silence does not forget it", async () => {
  const fleet = new Fleet(current().database);
  const [learner] = await fleet.put([meter("L1", "learner")]);
  if (learner === undefined) throw new Error("the meter was not put in");
  const title = Buffer.from("0102030405060708", "hex");
  await fleet.learnSystemTitle(learner, title);
  await fleet.put([meter("L1", "learner")]);
  expect(fleet.bySystemTitle(title).map((each) => each.number)).toEqual(["L1"]);
  await fleet.learnSystemTitle(learner, Buffer.from("1112131415161718", "hex"));
  expect(fleet.bySystemTitle(title)).toEqual([]);
});

test("fleet: thousands of meters are put and loaded in little time", async () => {
  const fleet = new Fleet(current().database);
  const configs = Array.from({ length: 12_000 }, (_, index) => meter(`M${index}`, `many-${index}`));
  const began = performance.now();
  await fleet.put(configs);
  const loaded = await Fleet.load(current().database);
  expect(performance.now() - began).toBeLessThan(30_000);
  expect(loaded.byName("many-11999")?.number).toBe("M11999");
});
