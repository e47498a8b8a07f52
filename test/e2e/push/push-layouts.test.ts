/**
 * The pushes of an Indian meter, each identified by the logical name of its setup: decoded with the meter's own list,
 * which is read once for each firmware and kept; profiles that are pushed whole become rows.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { captureObjectsToData } from "../../../protocol/cosem/capture-object.ts";
import { streetConfiguration } from "../../../src/cli/demo/demo-street.ts";
import { type Config, configSchema } from "../../../src/config/schema.ts";
import { Gateway } from "../../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { PUSHES } from "../../../src/simulator/models/is15959.ts";
import { setEventStatus } from "../../../src/simulator/push-message.ts";
import { type Street, type StreetMeter, startStreet } from "../../../src/simulator/street.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";

const current = useTestDatabase();
const URL_NAME = "DLMS_GATEWAY_PUSH_LAYOUTS_TEST";
const MAGNET = 81;
/** The place of `push` among the sources. */
const PUSH = 2;

let street: Street;
let meter: StreetMeter;
let directory: string;
let config: Config;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-layouts-"));
  await chmod(directory, 0o711);
  street = await startStreet({ count: 1 });
  meter = street.meters[0]!;
  process.env[URL_NAME] = current().url;
  config = configSchema.parse({
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    database: { url: `env:${URL_NAME}` },
    meters: await streetConfiguration(street.meters, join(directory, "keys")),
    plans: [{ profile: "instant", every: "15m" }],
    push: { listen: [{ address: "127.0.0.1:0", transport: "tcp" }] },
  });
});
afterAll(async () => {
  await street.close();
  await rm(directory, { recursive: true, force: true });
});

interface Running extends AsyncDisposable {
  readonly gateway: Gateway;
  push(setup: string): Promise<void>;
}

async function running(): Promise<Running> {
  const events: GatewayEvent[] = [];
  const gateway = await Gateway.start({ config, version: "test", events: (event) => events.push(event) });
  const received = () => events.filter(({ event }) => event === "pushReceived" || event === "pushRejected").length;
  const listening = events.find((each) => each.event === "pushListening");
  return {
    gateway,
    push: async (setup) => {
      const before = received();
      await street.push(meter.name, setup, { ...tcpAddress(listening?.address ?? ""), transport: "tcp" });
      while (received() === before) await sleep(5);
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

function write(logicalName: string, value: Data): void {
  street.meter(meter.name).model.state.write(logicalName, 2, value);
}

function history(): Promise<unknown[][]> {
  return query(current().url, "select push_setup, outcome, reason from dlms.push_history order by push_key");
}

function versions(): Promise<unknown[][]> {
  return query(
    current().url,
    `select v.version, jsonb_array_length(l.layout -> 'lists') from dlms.meter_push_layouts v
     join dlms.push_layouts l using (push_layout_key) order by 1`,
  );
}

async function countOf(table: string, where = "true"): Promise<unknown> {
  const [[count] = []] = await query(current().url, `select count(*)::int from ${table} where ${where}`);
  return count;
}

test("push layouts: every push of the meter goes where its setup says, with units", async () => {
  await using run = await running();
  await run.gateway.pollOnce();
  expect(await versions()).toEqual([[1, Object.keys(PUSHES).length]]);
  setEventStatus(street.meter(meter.name), { [MAGNET]: true });
  for (const setup of Object.values(PUSHES)) await run.push(setup);
  expect(await history()).toEqual(Object.values(PUSHES).map((setup) => [setup, "stored", null]));
  // What was polled of the moment is one row, what was pushed another.
  expect(await countOf("dlms.instant_profile", "source = 'push' and voltage_l1_v between 200 and 260")).toBeGreaterThan(
    0,
  );
  expect(
    await query(current().url, "select source, interval_s, voltage_l1_v > 200 from dlms.block_load_profile"),
  ).toEqual([["push", 1800, true]]);
  for (const table of ["daily_load", "billing"]) {
    const rows = await query(current().url, `select source, active_import_total > 0 from dlms.${table}_profile_data`);
    expect(rows).toEqual([[PUSH, true]]);
  }
  const logs = await query(
    current().url,
    "select distinct log, source from public.meter_events where log <> 'gateway' order by 1",
  );
  expect(logs).toEqual([
    ["0.0.94.91.18.255", "push"],
    ["0.0.99.98.4.255", "push"],
  ]);
});

test("push layouts: what was read serves a later run of the gateway before it talks to the meter", async () => {
  await using run = await running();
  await run.push(PUSHES.block);
  expect((await history()).at(-1)).toEqual([PUSHES.block, "stored", null]);
  const raw = await query(
    current().url,
    "select capture_object from dlms.push_values where capture_object like '%@raw' and capture_object not like '71:%' or capture_object like 'push[%'",
  );
  expect(raw).toEqual([]);
  await run.gateway.pollOnce();
  expect(await versions()).toEqual([[1, Object.keys(PUSHES).length]]);
});

const wholeList = (setup: string, profile: string) =>
  captureObjectsToData([
    { classId: 1, logicalName: "0.0.96.1.2.255", attributeId: 2, dataIndex: 0 },
    { classId: 40, logicalName: setup, attributeId: 1, dataIndex: 0 },
    { classId: 7, logicalName: profile, attributeId: 2, dataIndex: 0 },
  ]);

test("push layouts: after a new firmware has whole profiles pushed, the held push becomes rows at the next visit", async () => {
  await using run = await running();
  await run.gateway.pollOnce();
  write(PUSHES.daily, wholeList(PUSHES.daily, "1.0.99.2.0.255"));
  write(PUSHES.billing, wholeList(PUSHES.billing, "1.0.98.1.0.255"));
  write(PUSHES.event, wholeList(PUSHES.event, "0.0.99.98.4.255"));
  write("1.0.0.2.0.255", { type: "visible-string", value: new TextEncoder().encode("9.99") });
  await run.push(PUSHES.daily);
  const [setup, outcome] = (await history()).at(-1) ?? [];
  expect([setup, outcome]).toEqual([PUSHES.daily, "partial"]);
  expect(await countOf("dlms.daily_load_profile_data")).toBe(1);
  await run.gateway.pollOnce();
  expect(await versions()).toHaveLength(2);
  while ((await history()).at(-1)?.[1] === "partial") await sleep(20);
  expect(await countOf("dlms.daily_load_profile_data", `source = ${PUSH} and interval_s = 86400`)).toBeGreaterThan(30);
  await run.push(PUSHES.billing);
  expect(await countOf("dlms.billing_profile")).toBeGreaterThan(5);
  await run.push(PUSHES.event);
  expect(await countOf("public.meter_events", "log = '0.0.99.98.4.255' and source = 'push'")).toBeGreaterThan(5);
  expect(await query(current().url, "select firmware from public.meters")).toEqual([["9.99"]]);
});
