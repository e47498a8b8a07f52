/**
 * Push setups of class versions 1 and 2 through a whole gateway, with all that a destination needs; and meters that drift
 * from them later, found on schedule.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Data } from "../../../protocol/axdr/data.ts";
import { readable } from "../../../protocol/cosem/plain-value.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { Gateway } from "../../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { seededSecrets } from "../../../src/simulator/meter-identity.ts";
import { describedMeter, listenAsMeter } from "../../../src/simulator/meter-listener.ts";
import { meterFromDump } from "../../../src/simulator/object-dump.ts";
import { dataToJson } from "../../../src/simulator/typed-json.ts";
import { array, nameOctets, numeric, structure, textOctets } from "../../../src/simulator/typed-values.ts";
import type { VirtualMeter } from "../../../src/simulator/virtual-meter.ts";
import { freePort } from "../free-port.ts";
import { applySetup, pushCommand } from "./push-orders.ts";

const SETUP = "0.0.25.9.0.255";
const SCHEDULE = "0.0.15.0.4.255";
const SCRIPTS = "0.0.10.0.108.255";
const PORT = "0.0.25.0.0.255";
const HDLC = "0.0.22.0.0.255";
const MODEM = "0.0.25.4.0.255";
const DEVICE = "0.0.96.1.0.255";
/** Title of the head end, for which what is pushed is protected. */
const RECIPIENT = "0x4845413030303031";

type Attributes = Readonly<Record<number, Data>>;

const long = (value: number) => numeric("long-unsigned", value);
const anyTime = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 0x80, 0, 255);
const dateTime: Data = { type: "octet-string", value: anyTime };

function pushSetup(version: 1 | 2): Attributes {
  const first: Attributes = {
    2: array(),
    3: structure(numeric("enum", 0), textOctets("192.0.2.1:4059"), numeric("enum", 0)),
    4: array(),
    5: long(0),
    6: numeric("unsigned", 1),
    7: long(10),
    8: nameOctets("0.0.0.0.0.0"),
    9: numeric("integer", 1),
    10: array(),
  };
  if (version === 1) return first;
  const repetition = structure(long(10), long(100), long(10));
  const confirmation = structure(dateTime, numeric("double-long-unsigned", 0));
  return { ...first, 7: repetition, 11: numeric("enum", 0), 12: confirmation, 13: dateTime };
}

function object(classId: number, logicalName: string, attributes: Attributes, version = 0) {
  const values = Object.entries(attributes).map(([id, value]) => [id, dataToJson(value)]);
  return { class: classId, version, logicalName, attributes: Object.fromEntries(values) };
}

function meterOf(serial: string, version: 1 | 2): VirtualMeter {
  const loaded = meterFromDump({
    meter: { serial, systemTitle: "5445535400000001" },
    associations: [{ name: "all", clientSap: 1, logicalName: "0.0.40.0.1.255", write: true }],
    objects: [
      object(1, DEVICE, { 2: textOctets(serial) }),
      object(40, SETUP, pushSetup(version), version),
      object(22, SCHEDULE, {
        2: structure(nameOctets("0.0.0.0.0.0"), long(0)),
        3: numeric("enum", 1),
        4: array(),
      }),
      object(9, SCRIPTS, { 2: array() }),
      object(41, PORT, {
        2: long(4059),
        3: nameOctets("0.0.25.1.0.255"),
        4: long(576),
        5: numeric("unsigned", 1),
        6: long(180),
      }),
      object(23, HDLC, { 2: numeric("enum", 5), 3: numeric("unsigned", 1), 8: long(120), 9: long(16) }),
      object(45, MODEM, { 2: textOctets("internet"), 3: long(0) }),
    ],
  });
  return describedMeter(loaded, seededSecrets(version));
}

const METERS = { "version-1": meterOf("VERSION1", 1), "version-2": meterOf("VERSION2", 2) };
type Name = keyof typeof METERS;
const NAMES = ["version-1", "version-2"] as const;

let gateway: Gateway;
let stack: AsyncDisposableStack;
let destination = "";
let socket = "";
const events: GatewayEvent[] = [];

beforeAll(async () => {
  await using opened = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-test-"));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  socket = join(directory, "control.sock");
  destination = `127.0.0.1:${await freePort()}`;
  const meters = [];
  for (const name of NAMES) {
    const listener = opened.use(
      await listenAsMeter({ meter: METERS[name], host: "127.0.0.1", port: 0, link: { type: "wrapper" } }),
    );
    const connection = { tcp: `127.0.0.1:${listener.address.port}` };
    const { serial: number } = METERS[name].identity;
    meters.push({ name, number, companion: "idis" as const, connection, association: { clientSap: 1 } });
  }
  const common = {
    logicalName: SETUP,
    objects: [`1:${DEVICE}:2`, `40:${SETUP}:1`],
    destination,
    window: [{ from: "01:00", to: "05:00" }],
    randomisation: "1s",
    retries: 3,
    portReference: PORT,
    clientSap: 64,
    attributes: [
      { attribute: `41:${PORT}:2`, value: 4060 },
      { attribute: `23:${HDLC}:8`, value: 60 },
      { attribute: `45:${MODEM}:2`, value: "meters.example" },
      {
        attribute: `40:${SETUP}:10`,
        value: [
          { structure: [{ enum: 2 }, { structure: ["0x", "0x", RECIPIENT, "0x", { structure: [{ enum: 0 }] }] }] },
        ],
      },
    ],
    schedule: { logicalName: SCHEDULE, at: ["*:00", "*:30"], script: { logicalName: SCRIPTS, selector: 1 } },
  };
  const config = configSchema.parse({
    stateDirectory: directory,
    socket,
    meters,
    plans: [],
    push: {
      listen: [{ address: destination }],
      setups: [
        { ...common, name: "first", meters: ["version-1"], repetitionDelay: "45s", drift: "mend" },
        {
          ...common,
          name: "second",
          meters: ["version-2"],
          repetition: { least: "30s", exponent: 150, most: "10m" },
          operation: "confirmed",
          confirmation: { interval: "1d" },
        },
      ],
      execution: { perMinute: 6000, arrival: "10s", checkEvery: "1s" },
    },
  });
  gateway = opened.use(await Gateway.start({ config, version: "test", events: (event) => events.push(event) }));
  stack = opened.move();
}, 120_000);
afterAll(() => stack.disposeAsync());

function held(name: Name, classId: number, logicalName: string, attributeId: number): unknown {
  const { objects } = METERS[name];
  const value = objects.value({ classId, logicalName, attributeId }, objects.now());
  return value && readable(value);
}

interface HistoryRow {
  readonly setup: string;
  readonly state: string;
  readonly test_push: string;
  readonly who: string;
  readonly why: string;
  readonly changes: readonly { readonly attribute: string; readonly before: unknown; readonly after: unknown }[];
}

function history(name: Name): Promise<HistoryRow[]> {
  return gateway.database.query<HistoryRow>(
    `select h.* from dlms.push_setup_history h join public.meters m on m.id = h.meter_id
     where m.name = $1 order by h.change_key`,
    [name],
  );
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

test("push setups: of version 1, everything is written by the check that finds it, and the test push arrives", async () => {
  const name = "version-1";
  await until(async () => (await history(name)).some(({ test_push: sent }) => sent === "arrived"));
  const [row] = await history(name);
  expect(row).toMatchObject({ setup: "first", state: "applied", who: "gateway", why: "drift check" });
  expect(held(name, 40, SETUP, 3)).toEqual([0, destination, 0]);
  expect([5, 6, 7, 9].map((attribute) => held(name, 40, SETUP, attribute))).toEqual([1, 3, 45, 64]);
  expect(held(name, 40, SETUP, 2)).toEqual([
    [1, "0x0000600100ff", 2, 0, [0, "null-data"]],
    [40, "0x0000190900ff", 1, 0, [0, "null-data"]],
  ]);
  expect(held(name, 40, SETUP, 8)).toBe("0x0000190000ff");
  expectCommon(name);
});

/** Protection parameters, and what is not of the class itself. */
function expectCommon(name: Name): void {
  expect(held(name, 40, SETUP, 10)).toEqual([[2, ["", "", "HEA00001", "", [0]]].map(bare)]);
  expect([held(name, 41, PORT, 2), held(name, 23, HDLC, 8), held(name, 45, MODEM, 2)]).toEqual([
    4060,
    60,
    "meters.example",
  ]);
  expect(held(name, 9, SCRIPTS, 2)).toEqual([[1, [[2, 40, "0x0000190900ff", 1, 0]]]]);
  expect(held(name, 22, SCHEDULE, 2)).toEqual(["0x00000a006cff", 1]);
}

/** Octets of which there are none. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  return value === "" ? "0x" : value;
}

test("push setups: version 2 has repetitions, confirmations and an operation method of its own", async () => {
  const name = "version-2";
  await until(() => events.some((each) => each.event === "setupDrifted" && each.meter === name));
  expect(held(name, 40, SETUP, 3)).toEqual([0, "192.0.2.1:4059", 0]);
  const { results } = await applySetup(socket, "second", "--why", "a test");
  expect(results).toMatchObject([{ meter: name, state: "applied", testPush: "arrived" }]);
  expect(held(name, 40, SETUP, 2)).toEqual([
    [1, "0x0000600100ff", 2, 0, [0, "null-data"], []],
    [40, "0x0000190900ff", 1, 0, [0, "null-data"], []],
  ]);
  expect(held(name, 40, SETUP, 7)).toEqual([30, 150, 600]);
  expect(held(name, 40, SETUP, 11)).toBe(2);
  expect(held(name, 40, SETUP, 12)).toEqual(["0xffffffffffffffffff8000ff", 86_400]);
  expectCommon(name);
});

interface DriftEvent {
  readonly kind: string;
  readonly severity: string;
  readonly condition: string;
}

function driftEvents(name: Name): Promise<DriftEvent[]> {
  return gateway.database.query<DriftEvent>(
    `select e.kind, e.severity, e.condition from public.meter_events e join public.meters m on m.id = e.meter_id
     where m.name = $1 and e.log = 'gateway' and e.condition like 'differs from push setup %'
     order by e.occurred_at, e.kind`,
    [name],
  );
}

const checked = (name: Name) =>
  events.filter((each) => each.event === "setupCarriedOut" && each.meter === name && each.state === "in-order").length;

/** What another client of the meter might do. */
function meddle(name: Name): void {
  METERS[name].model.state.write(SETUP, 6, numeric("unsigned", 9));
}

test("push setups: a meter that drifts is found by the check, written again where the setup says so, and told with its end", async () => {
  const name = "version-1";
  const inOrder = checked(name);
  await until(() => checked(name) > inOrder);
  const before = { told: await driftEvents(name), done: (await history(name)).length };
  meddle(name);
  await until(async () => (await driftEvents(name)).length >= before.told.length + 2);
  expect((await driftEvents(name)).slice(before.told.length)).toEqual([
    { kind: "occurrence", severity: "warning", condition: "differs from push setup first" },
    { kind: "restoration", severity: "info", condition: "differs from push setup first" },
  ]);
  expect(held(name, 40, SETUP, 6)).toBe(3);
  expect((await history(name)).slice(before.done)).toContainEqual(
    expect.objectContaining({
      state: "applied",
      test_push: "arrived",
      who: "gateway",
      changes: [expect.objectContaining({ attribute: `40:${SETUP}:6`, before: 9, after: 3 })],
    }),
  );
});

test("push setups: where the setup says only to show it, a drift is shown until somebody mends it", async () => {
  const name = "version-2";
  const inOrder = checked(name);
  await until(() => checked(name) > inOrder);
  const { length } = await driftEvents(name);
  meddle(name);
  await until(async () => (await driftEvents(name)).length > length);
  expect((await pushCommand(socket, "setups")).out).toMatch(/second +0\.0\.25\.9\.0\.255 .*version-2 +differs/);
  expect(held(name, 40, SETUP, 6)).toBe(9);
  expect((await applySetup(socket, "second", "--why", "drifted")).results).toMatchObject([{ state: "applied" }]);
  await until(async () => (await driftEvents(name)).length === length + 2);
  expect((await driftEvents(name)).at(-1)).toMatchObject({
    kind: "restoration",
    condition: "differs from push setup second",
  });
});
