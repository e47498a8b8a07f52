/** A meter of SPODES is polled: its four profiles become rows, exact by the scaler profiles alone. */
import { expect, test } from "vitest";
import { Pump } from "../../drivers/pump.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import { pollProfiles } from "../../src/collect/read/meter-poller.ts";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import { type MeterTarget, meterTarget } from "../../src/collect/session/meter-target.ts";
import { meterSchema } from "../../src/config/schema.ts";
import type { ProfileBatch, ProfileKind } from "../../src/profiles/batch.ts";
import { profileColumn } from "../../src/profiles/columns.ts";
import { idisIdentity, seededSecrets } from "../../src/simulator/meter-identity.ts";
import { VirtualMeter } from "../../src/simulator/virtual-meter.ts";
import { WiredMeter } from "../../src/simulator/wired-meter.ts";
import { spodesMeter } from "./spodes-meter.ts";

const NOW = Date.parse("2026-11-22T09:10:00Z");
const DAY_MS = 86_400_000;
const SEED = 3;

function nothing(): Promise<never> {
  return Promise.reject(new Error("no keys"));
}

async function polled(): Promise<{ target: MeterTarget; batches: readonly ProfileBatch[] }> {
  const identity = idisIdentity(16_000_007);
  const secrets = seededSecrets(SEED);
  const meter = new VirtualMeter({
    description: spodesMeter(identity),
    identity,
    secrets,
    seed: SEED,
    clock: () => NOW,
    randomOctets: (length) => crypto.getRandomValues(new Uint8Array(length)),
    firstInvocationCounter: 1,
  });
  await using listener = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    const wired = new WiredMeter({ meter, link: { type: "wrapper" } });
    const pump = new Pump(wired, channel, { event: () => {}, closed: () => {} }, { ended: { type: "channelEnded" } });
    pump.start();
    pump.command({ type: "open" });
  });
  const config = meterSchema.parse({
    name: "spodes",
    number: identity.serial,
    companion: "spodes",
    timeZone: "Europe/Moscow",
    connection: { tcp: `127.0.0.1:${listener.address.port}` },
    association: { clientSap: 32, mechanism: "lls", secret: "env:SPODES_PASSWORD" },
  });
  process.env["SPODES_PASSWORD"] = new TextDecoder().decode(secrets.lowLevelSecret);
  const target = meterTarget(config, { leaseCounters: nothing, openStoredKey: nothing });
  const result = await visitMeter(target, { budgetMs: 60_000 }, (connection) =>
    pollProfiles(connection, {
      target,
      meterKey: 1,
      profiles: ["instant", "block_load", "daily_load", "billing"],
      wanted: () => ({ type: "since", fromMs: NOW - 2 * DAY_MS }),
      nowMs: () => NOW,
    }),
  );
  expect(result.refused).toEqual([]);
  expect(result.failure).toBeUndefined();
  expect(result.setAside).toEqual([]);
  return { target, batches: result.batches };
}

function columnsOf(batches: readonly ProfileBatch[], profile: ProfileKind): string[] {
  return batches
    .filter((batch) => batch.profile === profile)
    .flatMap(({ columns }) => columns.map((each) => each.column));
}

test("spodes: four profiles are read to rows, with scalers and units from 1.0.94.7.1 to 4 and from nowhere else", async () => {
  const { target, batches } = await polled();
  expect(columnsOf(batches, "instant").toSorted()).toEqual(
    ["active_import_total", "active_power_import", "current_l1", "frequency", "power_factor", "voltage_l1"].toSorted(),
  );
  expect(columnsOf(batches, "block_load").toSorted()).toEqual(["active_export", "active_import"]);
  const tariffs = ["active_import_t1", "active_import_t2", "active_import_t3", "active_import_t4"];
  expect(columnsOf(batches, "daily_load")).toEqual(["active_import_total", ...tariffs]);
  expect(columnsOf(batches, "billing")).toEqual(["active_import_total", ...tariffs, "demand_active_import_max"]);
  for (const { others } of batches) expect(others).toEqual([]);
  const [present] = batches;
  const voltage = present?.columns.find(({ column }) => column === "voltage_l1")?.values[0] ?? 0n;
  // In the column's own decimal unit, from thousandths of a volt.
  const volts = Number(voltage) * 10 ** (profileColumn("instant", "voltage_l1")?.exponent ?? Number.NaN);
  expect(volts).toBeGreaterThan(200);
  expect(volts).toBeLessThan(260);
  expect(target.layouts.get("block_load")?.columns.map(({ scalerUnit }) => scalerUnit?.scaler)).toEqual([
    undefined,
    -1,
    -1,
  ]);
  const block = batches.find(({ profile }) => profile === "block_load");
  expect(block?.rowCount).toBeGreaterThan(90);
  expect(block?.intervalS).toBe(1800);
});
