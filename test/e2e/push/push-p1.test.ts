/** Telegrams of P1 ports through the real listeners, over TCP and over a serial port, into a real database. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CorpusCase, isFacts, loadCases } from "../../corpus/case.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { Pty } from "../../drivers/serial/pty.ts";
import { rowCounts } from "./push-rows.ts";
import { type PushStation, type StationMeter, sendTcp, startPushStation } from "./push-station.ts";

const FIELD = join(import.meta.dirname, "..", "..", "..", "..", "shared", "corpus", "field");
const ABSENT = !existsSync(FIELD);
const telegrams = ABSENT ? [] : loadCases([join(FIELD, "p1.json")]).cases;
const negatives = ABSENT
  ? []
  : loadCases([join(FIELD, "negative.json")]).cases.filter(({ layer }) => layer.startsWith("p1"));
/** Sound telegrams; their sources refuse them for fields or units that they want. */
const SOUND = new Set(["esp-p1-neg-02", "esp-p1-neg-05", "esp-p1-neg-06", "esp-p1-neg-13"]);

const current = useTestDatabase();
const line = new Pty(() => undefined);
let station: PushStation;

beforeAll(async () => {
  station = await startPushStation({
    database: current().database,
    meters: [
      { ...dutch("on the serial port"), serial: line.path },
      ...[...new Set(telegrams.map(numberIn))].map((number) => dutch(number)),
      ...telegrams.map((_, index) => dutch(`at ${hostOf(index)}`, hostOf(index))),
    ],
    serial: [{ serial: line.path }],
  });
});
afterAll(async () => {
  await station[Symbol.asyncDispose]();
  line[Symbol.dispose]();
});

function dutch(number: string, host = "192.0.2.1"): StationMeter {
  return { number, host, timeZone: "Europe/Amsterdam", companion: "dsmr" };
}

/** The number that a telegram says it is from. */
function numberIn(each: CorpusCase): string {
  const [, written = ""] = /^0-0:(?:96\.1\.1|42\.0\.0|96\.1\.0)\(([^)]+)\)/m.exec(textOf(each)) ?? [];
  const decoded = Buffer.from(written, "hex").toString("latin1");
  return /^[0-9A-Za-z]{8,}$/.test(decoded) ? decoded : written || `none in ${each.id}`;
}

function hostOf(index: number): string {
  return `127.0.1.${1 + index}`;
}

function textOf({ input }: CorpusCase): string {
  return `${String(input["text"])}\r\n`;
}

interface HistoryRow {
  readonly push_key: bigint;
  readonly outcome: string;
  readonly reason: string | null;
  readonly meter_number: string | null;
  readonly read_at: Date | null;
  readonly received_at: Date;
}

function historyOf(peer: string): Promise<HistoryRow[]> {
  return current().database.query<HistoryRow>(
    `select h.*, m.meter_number from dlms.push_history h left join public.meters m on m.id = h.meter_id
     where peer = $1 order by push_key`,
    [peer],
  );
}

async function valuesOf(row: HistoryRow | undefined): Promise<Map<string, string>> {
  const rows = await current().database.query<{ capture_object: string; value: string; unit: string | null }>(
    "select capture_object, value, unit from dlms.push_values where push_key = $1 order by position",
    [row?.push_key ?? 0n],
  );
  return new Map(rows.map(({ capture_object, value, unit }) => [capture_object, `${value} ${unit ?? ""}`.trim()]));
}

test.skipIf(ABSENT)("P1 telegrams: the corpus has as many as when this was written", () => {
  expect([telegrams.length, negatives.length]).toEqual([23, 28]);
});

const UNITS: Readonly<Record<string, readonly [number, string]>> = {
  kWh: [1000, "W.h"],
  kW: [1000, "W"],
  V: [1, "V"],
  A: [1, "A"],
  m3: [1, "m3"],
};

test.each(telegrams.map((each, index) => [each.id, each, index] as const))(
  "P1 telegram %s ends as rows with all that it says",
  async (_, each, index) => {
    const { peer } = await sendTcp(station.tcp, [Buffer.from(textOf(each), "latin1")], { from: hostOf(index) });
    await station.settled();
    const [row, ...more] = await historyOf(peer);
    expect(more).toEqual([]);
    expect(row).toMatchObject({ outcome: expect.stringMatching(/^(stored|partial)$/) });
    const values = await valuesOf(row);
    const objects = isFacts(each.derived["objects"]) ? each.derived["objects"] : {};
    for (const [address, [value, ...others]] of Object.entries(objects as Record<string, string[]>)) {
      const [, number = "", unit = ""] = /^([0-9.]+)\*(\w+)$/.exec(value ?? "") ?? [];
      const [factor, ucum] = UNITS[unit] ?? [];
      if (factor === undefined || others.length > 0 || !/^\d+-\d+:[\d.]+$/.test(address)) continue;
      const name = `${address.replace(/[-:]/g, ".")}.255`;
      const stored = [...values].find(([key]) => key.split(":")[1] === name)?.[1] ?? "";
      const [amount, stands] = stored.split(" ");
      expect([name, Number(amount), stands]).toEqual([name, Number((Number(number) * factor).toFixed(6)), ucum]);
    }
    const stated = isFacts(each.stated["fields"]) ? each.stated["fields"] : {};
    const hasTime = typeof stated["timestampUTC"] === "string" && "0-0:1.0.0" in objects;
    expect(row?.read_at).toEqual(hasTime ? new Date(String(stated["timestampUTC"])) : row?.read_at);
  },
);

test.each(negatives.filter(({ id }) => !SOUND.has(id)).map((each) => [each.id, each] as const))(
  "P1 negative %s leaves a record, and nothing else but whole telegrams",
  async (_, each) => {
    const before = await rowCounts(current().url);
    const { peer } = await sendTcp(station.tcp, [Buffer.from(textOf(each), "latin1")], { from: "127.0.2.1" });
    await station.settled();
    const rows = await historyOf(peer);
    const whole = isFacts(each.derived["secondTelegram"]) ? 1 : 0;
    expect(rows.filter(({ outcome }) => outcome !== "rejected")).toHaveLength(whole);
    expect(rows.length).toBeGreaterThan(whole);
    for (const row of rows.filter(({ outcome }) => outcome === "rejected")) {
      expect(row.reason).toMatch(/^[A-Z_0-9]+: /);
      expect((await valuesOf(row)).size).toBe(0);
    }
    const after = await rowCounts(current().url);
    expect(after).toEqual(whole === 0 ? before : after);
  },
);

test.skipIf(ABSENT)("P1 telegrams: a serial port is a listener, from the middle of a telegram on", async () => {
  const text = textOf(telegrams.find(({ id }) => id === "amshan-p1-a-landisgyr-360") ?? telegrams[0]!);
  line.say(Buffer.from(text.slice(text.length / 2), "latin1"));
  for (let repetition = 0; repetition < 2; repetition++) line.say(Buffer.from(text, "latin1"));
  const rows = await untilHistory(line.path, 3);
  await station.settledPushes();
  const numbers = rows.map(({ outcome, meter_number }) => [outcome, meter_number]);
  expect(numbers[0]?.[0]).toBe("rejected");
  expect(numbers.slice(1)).toEqual([
    ["stored", "on the serial port"],
    ["stored", "on the serial port"],
  ]);
  const columns = await query(
    current().url,
    `select active_import_total_wh::float, voltage_l1_v::float, current_l3_a::float from dlms.instant_profile
     where meter_number = 'on the serial port'`,
  );
  expect(columns).toEqual([[896_020, 230.1, 0.3]]);
});

async function untilHistory(peer: string, count: number): Promise<HistoryRow[]> {
  for (;;) {
    const rows = await historyOf(peer);
    if (rows.length >= count) return rows;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
