/** Meters without DLMS on pseudo-terminals: read out by the command, and polled by the daemon like any other meter. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askForLines } from "../../src/api/local-client.ts";
import { maintenanceLineSchema } from "../../src/api/maintenance-order.ts";
import { readoutCommand } from "../../src/cli/commands/readout-command.ts";
import { configSchema } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { ReadoutLine, type ReadoutMeter } from "./readout-meter.ts";

const DATA = [
  "0.9.1(13:23:08)",
  "0.9.2(26-11-21)",
  "0.1.0(19)",
  "1.8.0(000123.45*kWh)",
  "1-0:2.8.0*255(0000000.001*kWh)",
  "32.7.0(229.8*V)",
  "1.8.0*19(000101.7*kWh)",
  "0.1.2*19(26-11-01 00:00)",
];

function outputTo(written: string[]) {
  const write = (text: string) => void written.push(text);
  return { out: write, err: write, width: undefined };
}

test("readout: a meter of mode C is read out over a serial port, at the speed that it offers", async () => {
  using line = new ReadoutLine([{ mode: "C", data: ["1.8.0(000123.45*kWh)", "0.9.1(120500)"] }]);
  const written: string[] = [];
  expect(await readoutCommand({ serial: line.path }, outputTo(written))).toBe("success");
  expect(written.filter((line) => !line.startsWith("─"))).toEqual([
    "ABC METER",
    "address  values",
    "1.8.0    000123.45*kWh",
    "0.9.1    120500",
  ]);
  written.length = 0;
  expect(await readoutCommand({ serial: line.path, json: true }, outputTo(written))).toBe("success");
  expect(JSON.parse(written[0] ?? "")).toMatchObject({ checked: true, identification: { mode: "C" } });
});

test("readout: a port that is not there is told as such", async () => {
  const written: string[] = [];
  expect(await readoutCommand({ serial: "/dev/no-such-port" }, outputTo(written))).toBe("meterFailed");
  expect(written.join("\n")).toContain("the serial port is not there");
});

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-readout-"));
  await chmod(directory, 0o711);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Station {
  readonly name: string;
  readonly line: { readonly path: string };
  readonly connection: Record<string, unknown>;
}

async function daemon(stations: readonly Station[], events: GatewayEvent[]): Promise<Gateway> {
  const config = configSchema.parse({
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    meters: stations.map(({ name, line, connection }) => ({
      name,
      number: name,
      timeZone: "Europe/Berlin",
      connection: { serial: line.path, ...connection },
    })),
  });
  return await Gateway.start({ config, version: "test", events: (event) => events.push(event) });
}

const MODES = ["A", "B", "C", "D"] as const satisfies readonly ReadoutMeter["mode"][];

test("readout: meters of modes A to D are polled into the same columns as others, and read on demand", async () => {
  using stack = new DisposableStack();
  const stations = MODES.map((mode) => ({
    name: `meter-${mode}`,
    line: stack.use(new ReadoutLine([{ mode, data: DATA }])),
    connection: { opening: mode === "D" ? "listen" : "readout" },
  }));
  const events: GatewayEvent[] = [];
  await using gateway = await daemon(stations, events);
  for (const _ of [1, 2]) {
    await gateway.pollOnce();
    expect(events.filter((each) => each.event === "meterFailed")).toEqual([]);
  }
  const instant = await gateway.database.query(
    `select meter_number, captured_at, active_import_total_wh::text as import, active_export_total_wh::text as export,
       voltage_l1_v::text as voltage, billing_count::text as resets
     from dlms.instant_profile order by 1`,
  );
  const billing = await gateway.database.query(
    "select meter_number, captured_at, active_import_total_wh::text as import from dlms.billing_profile order by 1",
  );
  // Both polls found the same row: the meter's clock stands still.
  expect(instant).toEqual(
    MODES.map((mode) => ({
      meter_number: `meter-${mode}`,
      captured_at: new Date("2026-11-21T12:23:08Z"),
      import: "123450.000",
      export: "1.000",
      voltage: "229.800",
      resets: "19",
    })),
  );
  expect(billing).toEqual(
    MODES.map((mode) => {
      const captured = new Date("2026-10-31T23:00:00Z");
      return { meter_number: `meter-${mode}`, captured_at: captured, import: "101700.000" };
    }),
  );
  // Rows that are gone are made again of the octets that were kept.
  const kept = await gateway.database.query(
    `select profile, count(distinct meter_key)::int as meters
     from dlms.raw_buffers cross join unnest(meter_keys) as m (meter_key) where form = 'readout' group by 1 order by 1`,
  );
  expect(kept).toEqual(["billing", "instant"].map((profile) => ({ profile, meters: MODES.length })));
  for (const table of ["instant_profile_data", "billing_profile_data"]) {
    const rows = () =>
      gateway.database.query(`select to_jsonb(d) - 'known_from' as row from dlms.${table} d order by meter_key`);
    const before = await rows();
    await gateway.database.query(`delete from dlms.${table}`);
    const order = { path: "/v1/maintenance", body: { task: "replay" } };
    for await (const line of askForLines(join(directory, "control.sock"), order, maintenanceLineSchema)) {
      expect(line).not.toMatchObject({ isFault: true });
    }
    expect(await rows()).toEqual(before);
  }
  const answer = await gateway.read("meter-C", "billing");
  const columns = answer.columns.map(({ name }) => name);
  expect(answer.rows.map((row) => row[columns.indexOf("3:1.0.1.8.0.255:2")])).toEqual(["101700"]);
  await expect(gateway.read("meter-C", "clock")).rejects.toThrow("gives instant and billing only");
}, 120_000);

test("readout: why a meter was not read out is told by its cause", async () => {
  using shared = new ReadoutLine([{ mode: "C", data: DATA, deviceAddress: "1" }]);
  using noisy = new ReadoutLine([{ mode: "C", data: DATA, damaged: true }]);
  using silent = new ReadoutLine([]);
  const stations = [
    { name: "right", line: shared, connection: { opening: "readout", deviceAddress: "1" } },
    { name: "wrong", line: shared, connection: { opening: "readout", deviceAddress: "2" } },
    { name: "noisy", line: noisy, connection: { opening: "readout" } },
    { name: "silent", line: silent, connection: { opening: "readout" } },
    { name: "missing", line: { path: "/dev/no-such-port" }, connection: { opening: "listen" } },
  ];
  const events: GatewayEvent[] = [];
  await using gateway = await daemon(stations, events);
  await gateway.pollOnce();
  const causes = events.flatMap((each) => (each.event === "meterFailed" ? [[each.meter, each.cause]] : []));
  expect(Object.fromEntries(causes)).toEqual({
    wrong: "wrong address",
    noisy: "line noise",
    silent: "no answer",
    missing: "serial port missing",
  });
}, 120_000);
