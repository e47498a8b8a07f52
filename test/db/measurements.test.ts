import { expect, test } from "vitest";
import { blockLoad } from "./profile-batches.ts";
import { query } from "./query.ts";
import { useProfileWriter } from "./use-profile-writer.ts";

const { current, newMeter, newWriter } = useProfileWriter();

test("measurements: instant profiles also fill the tables of energy, power, voltage and current", async () => {
  const meter = await newMeter();
  const batch = blockLoad(meter, [0], {
    profile: "instant",
    intervalS: undefined,
    columns: [
      { column: "voltage_l1", values: [230_100n] },
      { column: "current_l1", values: [5_250n] },
      { column: "active_power_import", values: [1_200_500n] },
      { column: "active_import_total", values: [123_456_789n] },
    ],
  });
  await newWriter().write([batch]);
  await newWriter().write([batch]);
  const rows = await query(
    current().url,
    `select v.voltage_l1_v::text, c.current_l1_a::text, p.active_power_import_w::text, e.active_import_total_wh::text, v.source
     from public.meters m
     join dlms.voltage_measurements v on v.meter_id = m.id
     join dlms.current_measurements c on c.meter_id = m.id
     join dlms.power_readings p on p.meter_id = m.id
     join dlms.energy_measurements e on e.meter_id = m.id
     where m.meter_key = $1`,
    [meter],
  );
  expect(rows).toEqual([["230.100", "5.250", "1200.500", "123456.789", "poll"]]);
});

test("measurements: the tables say what the instant profile says, also after more came for a slot", async () => {
  const meter = await newMeter();
  const snapshot = (slot: number, source: "poll" | "push", values: Readonly<Record<string, bigint>>) =>
    blockLoad(meter, [slot], {
      profile: "instant",
      intervalS: undefined,
      source,
      columns: Object.entries(values).map(([column, value]) => ({ column, values: [value] })),
    });
  const writer = newWriter();
  await writer.write([snapshot(0, "poll", { voltage_l1: 230_100n }), snapshot(1, "push", { current_l1: 1n })]);
  await writer.write([snapshot(0, "push", { voltage_l1: 229_000n, voltage_l2: 231_000n, active_import_total: 7n })]);
  await writer.write([
    snapshot(1, "poll", { current_l1: 1n, power_factor: 9_900n }),
    snapshot(2, "push", { current_n: 2n }),
  ]);
  await writer.write([
    snapshot(3, "push", { current_n: 2n }),
    snapshot(3, "poll", { voltage_l2: 231_000n }),
    snapshot(3, "push", { voltage_l2: 7n, active_import_total: 8n }),
  ]);
  const tables = ["energy_measurements", "power_readings", "voltage_measurements", "current_measurements"];
  for (const table of tables) {
    const [[listed] = []] = await query(
      current().url,
      `select string_agg(column_name, ', ' order by ordinal_position) from information_schema.columns
       where table_schema = 'dlms' and table_name = $1 and column_name not in ('meter_id', 'measured_at', 'source')`,
      [table],
    );
    const columns = String(listed);
    const told = `select captured_at, ${columns}, source from dlms.instant_profile
      where meter_id = (select id from public.meters where meter_key = $1) and num_nonnulls(${columns}) > 0 order by 1`;
    const kept = `select measured_at, ${columns}, source from dlms.${table}
      where meter_id = (select id from public.meters where meter_key = $1) order by 1`;
    const wanted = await query(current().url, told, [meter]);
    expect(wanted.length).toBeGreaterThan(0);
    expect([table, await query(current().url, kept, [meter])]).toEqual([table, wanted]);
  }
});
