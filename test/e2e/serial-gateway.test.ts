/** Daemon and command line over a serial line that three meters share. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { type Ended, run } from "./command.ts";
import { SimulatedLine } from "./serial-line.ts";
import { associationFiles, meterNumber, virtualMeter } from "./serial-meter.ts";

const ADDRESSES = [17, 18, 256];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-serial-"));
  await chmod(directory, 0o711);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function threeMeters(): SimulatedLine {
  return new SimulatedLine({
    stations: ADDRESSES.map((physicalDevice, seed) => ({ meter: virtualMeter(seed), physicalDevice })),
  });
}

test("gateway over a serial line: all its meters are polled into the database, again after it was unplugged", async () => {
  using line = threeMeters();
  const meters = await Promise.all(
    ADDRESSES.map(async (physicalAddress, seed) => ({
      name: `meter-${seed}`,
      number: meterNumber(seed),
      companion: "is15959",
      timeZone: "Asia/Kolkata",
      connection: { serial: line.path, physicalAddress, responseTimeout: "2s" },
      association: await associationFiles(seed, directory),
    })),
  );
  const config = configSchema.parse({
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    plans: [
      { profile: "instant", every: "15m" },
      { profile: "block_load", every: "15m", history: "1d" },
    ],
    meters,
  });
  const events: GatewayEvent[] = [];
  await using gateway = await Gateway.start({ config, version: "test", events: (event) => events.push(event) });
  const polled = () => events.splice(0).flatMap((each) => (each.event === "meterPolled" ? [each.meter] : []));
  await gateway.pollOnce();
  expect(polled().toSorted()).toEqual(["meter-0", "meter-1", "meter-2"]);
  const rows = await gateway.database.query<{ meter_number: string; count: bigint }>(
    "select meter_number, count(*) from dlms.block_load_profile group by 1 order by 1",
  );
  expect(rows.map((row) => row.meter_number)).toEqual(ADDRESSES.map((_, seed) => meterNumber(seed)));
  expect(rows.map((row) => Number(row.count)).every((count) => count > 40)).toBe(true);
  line.unplug();
  await gateway.pollOnce();
  const causes = events.flatMap((each) => (each.event === "meterFailed" ? [each.cause] : []));
  // The first to come may find the line that was still open.
  expect(["serial port missing", "connection lost"]).toContain(causes[0]);
  expect(causes.slice(1)).toEqual(["serial port missing", "serial port missing"]);
  expect(polled()).toEqual([]);
  line.plug();
  await gateway.pollOnce();
  expect(polled()).toHaveLength(3);
}, 120_000);

function read(options: readonly string[], what: string): Promise<Ended> {
  return run(["read", ...options, what]);
}

test("read --serial: a meter of a line at once, and one behind an optical head by mode E", async () => {
  const { secret, security } = await associationFiles(1, directory);
  const common = ["--companion", "is15959", "--time-zone", "Asia/Kolkata", "--timeout", "2s"];
  common.push("--client-sap", "48", "--auth", "hls-2", "--secret", secret, "--counter", security.invocationCounter);
  common.push("--block-cipher-key", security.blockCipherKey, "--authentication-key", security.authenticationKey);
  common.push("--counters", join(directory, "counters"));
  using line = threeMeters();
  const atOnce = await read([...common, "--serial", line.path, "--physical-address", "18"], "clock");
  expect(atOnce).toMatchObject({ code: 0, err: expect.stringContaining("1 row from") });
  const modeE = { deviceAddress: "", returns: true };
  using head = new SimulatedLine({ stations: [{ meter: virtualMeter(1), physicalDevice: 17, modeE }] });
  const options = ["--serial", head.path, "--physical-address", "17", "--opening", "mode-e"];
  const signedOn = await read([...common, ...options], "clock");
  expect(signedOn).toMatchObject({ code: 0, err: expect.stringContaining("1 row from") });
  const missing = await read([...common, "--serial", `${head.path}-none`], "clock");
  expect(missing).toMatchObject({ code: 4, err: expect.stringContaining("serial port missing") });
  const refused = await read([...common, "--serial", head.path, "--device-address", "1"], "clock");
  expect(refused.err).toContain("opening: mode-e");
}, 120_000);
