import { expect, test } from "vitest";
import { type Data, expandCompactArray } from "../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { nearestInterfaceClass } from "../../protocol/cosem/classes/registry.ts";
import { decodeDateTime, resolveDateTime } from "../../protocol/cosem/date-time.ts";
import { attributeById } from "../../protocol/cosem/interface-class.ts";
import { objectListFromData } from "../../protocol/cosem/object-list.ts";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { wrapKey } from "../../protocol/security/key-wrap.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { BenchMeter, DESCRIPTIONS, entryAccess, MODELS, NOW, numberOf, rangeAccess, stampOf } from "./meter-fixture.ts";

const BLOCK = "1.0.99.1.0.255";
const DAILY = "1.0.99.2.0.255";
const INDIAN_BILLING = "1.0.98.1.0.255";
const CLOCK = "0.0.1.0.0.255";
const MINUTE = 60_000;
const DAY = 86_400_000;

test("objects: the column lists of D1 and D3 are those of real meters", () => {
  const d1 = new BenchMeter(DESCRIPTIONS.d1);
  expect(d1.columns("1.0.94.91.0.255")).toHaveLength(22);
  expect(d1.columns(BLOCK).map(({ logicalName }) => logicalName)).toEqual([
    CLOCK,
    "1.0.12.27.0.255",
    "1.0.1.29.0.255",
    "1.0.9.29.0.255",
    "1.0.2.29.0.255",
    "1.0.10.29.0.255",
    "1.0.11.27.0.255",
    "0.0.96.10.1.255",
  ]);
  const d3 = new BenchMeter(DESCRIPTIONS.d3);
  expect(d3.columns("1.0.94.91.0.255")).toHaveLength(40);
  expect(d3.columns(INDIAN_BILLING)).toHaveLength(116);
});

test.each(MODELS)("objects: %s holds the depth of its profiles and every attribute of its object list", (model) => {
  const bench = new BenchMeter(DESCRIPTIONS[model]);
  for (const { logicalName, entries, capture } of bench.meter.description.profiles) {
    const rows = bench.rows(logicalName);
    const inUse = numberOf(bench.read(7, logicalName, 7));
    expect(rows).toHaveLength(inUse);
    const full = capture.by !== "event" || inUse === entries;
    expect([logicalName, full ? inUse : entries]).toEqual([logicalName, entries]);
    expect(numberOf(bench.read(7, logicalName, 8))).toBe(entries);
  }
  const list = objectListFromData(bench.read(15, "0.0.40.0.0.255"));
  expect(list.length).toBeGreaterThan(20);
  for (const { classId, version, logicalName, attributes } of list) {
    for (const { id, read } of attributes) {
      const result = bench.result(classId, logicalName, id);
      expect([logicalName, id, result.type]).toEqual([logicalName, id, read ? "data" : "data-access-result"]);
      const attribute = attributeById(
        nearestInterfaceClass(classId, version) ?? { classId, version, name: "", attributes: {}, methods: {} },
        id,
      );
      expect([classId, id, attribute?.id]).toEqual([classId, id, id]);
      // The class tables must be able to read what the simulator says.
      if (result.type === "data") attribute?.type.parse(result.data);
    }
  }
});

test.each(["d1", "d1Tens", "d2", "d3"] as const)(
  "objects: block loads of %s sum to the differences of the daily registers",
  (model) => {
    const bench = new BenchMeter(DESCRIPTIONS[model]);
    const blocks = bench.rows(BLOCK);
    const stamps = blocks.map((row) => toHex(stampOf(row[0])));
    const days = bench.rows(DAILY);
    for (const [energy, register] of [
      ["1.0.1.29.0.255", "1.0.1.8.0.255"],
      ["1.0.2.29.0.255", "1.0.2.8.0.255"],
      ["1.0.9.29.0.255", "1.0.9.8.0.255"],
    ] as const) {
      const values = bench.column(BLOCK, energy, blocks);
      const registers = bench.column(DAILY, register, days);
      let compared = 0;
      for (let day = 1; day < days.length; day++) {
        const from = stamps.indexOf(toHex(stampOf(days[day - 1]?.[0])));
        const to = stamps.indexOf(toHex(stampOf(days[day]?.[0])));
        if (from < 0 || to < 0) continue;
        const sum = values.slice(from + 1, to + 1).reduce((total, value) => total + value, 0);
        expect(sum).toBe((registers[day] ?? 0) - (registers[day - 1] ?? 0));
        compared++;
      }
      expect(compared).toBeGreaterThan(model === "d2" ? 20 : 43);
    }
  },
);

test.each(["idis", "dsmr"] as const)(
  "objects: load profile and daily registers of %s agree at every midnight",
  (model) => {
    const bench = new BenchMeter(DESCRIPTIONS[model]);
    const profile = new Map(bench.rows(BLOCK).map((row) => [toHex(stampOf(row[0])), row]));
    const tariffs = model === "idis" ? [3] : [2, 3];
    let compared = 0;
    for (const day of bench.rows(DAILY)) {
      const row = profile.get(toHex(stampOf(day[0])));
      if (row === undefined) continue;
      const total = tariffs.reduce((sum, index) => sum + numberOf(day[index]), 0);
      // The daily profile of IDIS has the total after the status, that of DSMR only the two tariffs.
      expect(model === "idis" ? numberOf(day[2]) : total).toBe(numberOf(row[2]));
      compared++;
    }
    expect(compared).toBeGreaterThan(8);
  },
);

test("objects: registers and tariffs of billing rows never fall and sum", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d3);
  const rows = bench.rows(INDIAN_BILLING);
  const total = bench.column(INDIAN_BILLING, "1.0.1.8.0.255", rows);
  for (let index = 1; index < total.length; index++) expect(total[index]).toBeGreaterThan(total[index - 1] ?? 0);
  const tariffs = [1, 2, 3, 4, 5, 6, 7, 8].map((tariff) => bench.column(INDIAN_BILLING, `1.0.1.8.${tariff}.255`, rows));
  for (const [row, value] of total.entries()) {
    expect(tariffs.reduce((sum, column) => sum + (column[row] ?? 0), 0)).toBe(value);
  }
});

test("objects: the maximum demand of a billing row is the greatest block of its month", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  const billing = bench.rows(INDIAN_BILLING).at(-2);
  const columns = bench.columns(INDIAN_BILLING);
  const at = (logicalName: string, attributeId: number) =>
    billing?.[columns.findIndex((column) => column.logicalName === logicalName && column.attributeId === attributeId)];
  const june = rangeAccess(fromHex("07ea0601ff000100ff8000ff"), fromHex("07ea0701ff000000ff8000ff"));
  const blocks = bench.rows(BLOCK, june);
  expect(blocks).toHaveLength(30 * 48);
  const values = bench.column(BLOCK, "1.0.1.29.0.255", blocks);
  const greatest = Math.max(...values);
  expect(numberOf(at("1.0.1.6.0.255", 2))).toBe(greatest * 2);
  expect(stampOf(at("1.0.1.6.0.255", 5))).toEqual(stampOf(blocks[values.indexOf(greatest)]?.[0]));
});

test("objects: the running month is the last billing row, stamped with the present", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  const rows = bench.rows(INDIAN_BILLING);
  expect(toHex(stampOf(rows.at(-1)?.[0]))).toBe("07ea070f030a2f0cfffeb600");
  expect(toHex(stampOf(rows.at(-2)?.[0]))).toBe("07ea070103000000fffeb600");
});

test("objects: stamps are the end of the interval, and the day that follows", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  expect(toHex(stampOf(bench.rows(BLOCK).at(-1)?.[0]))).toBe("07ea070f030a1e00fffeb600");
  expect(toHex(stampOf(bench.rows(DAILY).at(-1)?.[0]))).toBe("07ea070f03000000fffeb600");
});

test.each([
  ["standard", -330],
  ["inverted", 330],
  ["unspecified", undefined],
] as const)("objects: a clock with %s deviation shows it", (deviation, minutes) => {
  const stamps = { deviation, hundredths: "unspecified", status: "specified" } as const;
  const bench = new BenchMeter({ ...DESCRIPTIONS.d1, stamps });
  const stamp = stampOf(bench.read(8, CLOCK));
  expect(decodeDateTime(stamp)).toMatchObject({ hour: 10, minute: 47, second: 12, deviationMinutes: minutes });
  const rule = deviation === "unspecified" ? "ignored" : deviation;
  expect(resolveDateTime(stamp, { deviation: rule, zone: namedZone("Asia/Kolkata") })?.instantMs).toBe(NOW);
});

test("objects: a range includes both its ends and picks columns", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  const all = bench.rows(BLOCK);
  const [from, to] = [stampOf(all[100]?.[0]), stampOf(all[147]?.[0])];
  expect(bench.rows(BLOCK, rangeAccess(from, to))).toEqual(all.slice(100, 148));
  const open = new Uint8Array(12).fill(255);
  expect(bench.rows(BLOCK, rangeAccess(open, open))).toHaveLength(all.length);
  const picked = bench.columns(BLOCK).slice(2, 3);
  expect(bench.rows(BLOCK, rangeAccess(from, to, picked))).toEqual(all.slice(100, 148).map((row) => row.slice(2, 3)));
  expect(bench.rows(BLOCK, rangeAccess(to, from))).toEqual([]);
  const foreign = rangeAccess(from, to, [{ classId: 3, logicalName: "1.0.99.9.9.255", attributeId: 2, dataIndex: 0 }]);
  expect(bench.result(7, BLOCK, 2, foreign)).toMatchObject({ dataAccessResult: "type-unmatched" });
});

test("objects: entries count from one, zero means the last", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  const all = bench.rows(DAILY);
  expect(bench.rows(DAILY, entryAccess(1, 1))).toEqual(all.slice(0, 1));
  expect(bench.rows(DAILY, entryAccess(45, 0))).toEqual(all.slice(44));
  expect(bench.rows(DAILY, entryAccess(2, 3, 2, 3))).toEqual(all.slice(1, 3).map((row) => row.slice(1, 3)));
  expect(bench.rows(DAILY, entryAccess(500, 0))).toEqual([]);
});

test("objects: a buffer in lifo order has its newest row first", () => {
  const profile = DESCRIPTIONS.d1.profiles.find(({ logicalName }) => logicalName === DAILY);
  if (profile === undefined) throw new Error("no daily profile");
  const lifo = new BenchMeter({ ...DESCRIPTIONS.d1, profiles: [{ ...profile, sortMethod: "lifo" }] });
  const fifo = new BenchMeter(DESCRIPTIONS.d1).rows(DAILY);
  expect(lifo.rows(DAILY)).toEqual(fifo.toReversed());
  expect(lifo.rows(DAILY, entryAccess(1, 2))).toEqual(fifo.slice(-2).toReversed());
  expect(numberOf(lifo.read(7, DAILY, 5))).toBe(2);
});

test("objects: null-data stands for what can be worked out, and a compact-array holds the same rows", () => {
  const plain = new BenchMeter(DESCRIPTIONS.d1).rows(BLOCK);
  const compressed = new BenchMeter({ ...DESCRIPTIONS.d1, compression: "null-data" }).rows(BLOCK);
  expect(compressed[0]).toEqual(plain[0]);
  expect(compressed.slice(1).every((row) => row[0]?.type === "null-data")).toBe(true);
  const restored: typeof plain = [];
  for (const row of compressed) {
    const before = restored.at(-1);
    restored.push(row.map((cell, index) => (cell.type === "null-data" ? (before?.[index] ?? cell) : cell)));
  }
  expect(restored.map((row) => row.slice(1))).toEqual(plain.map((row) => row.slice(1)));
  const buffer = new BenchMeter({ ...DESCRIPTIONS.d1, compression: "compact-array" }).read(7, BLOCK);
  if (buffer.type !== "compact-array") throw new Error(`a buffer of type ${buffer.type}`);
  expect(expandCompactArray(buffer)).toEqual(plain.map((value) => ({ type: "structure", value })));
});

test("objects: scaler profiles have scaler and unit of every register of the data profile", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1Tens);
  const columns = bench.columns("1.0.94.91.4.255");
  expect(columns.map(({ classId, attributeId }) => `${classId}/${attributeId}`)).toEqual(Array(5).fill("3/3"));
  const [row] = bench.rows("1.0.94.91.4.255");
  const imported = row?.[columns.findIndex(({ logicalName }) => logicalName === "1.0.1.29.0.255")];
  expect(imported).toEqual({
    type: "structure",
    value: [
      { type: "integer", value: 1 },
      { type: "enum", value: 30 },
    ],
  });
});

test("objects: each client sees and may do what its association allows", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  const { objects } = bench.meter;
  const attribute = { classId: 7, logicalName: fromHex("0100630100ff"), attributeId: 2 };
  expect(objects.get({ attribute }, bench.view(16))).toMatchObject({ dataAccessResult: "read-write-denied" });
  expect(objects.get({ attribute }, bench.view(32)).type).toBe("data");
  expect(objects.get({ attribute: { ...attribute, classId: 3 } }, bench.view(32))).toMatchObject({
    dataAccessResult: "object-class-inconsistent",
  });
  const clock = { classId: 8, logicalName: fromHex("0000010000ff"), attributeId: 2 };
  expect(objects.set({ attribute: clock }, bench.read(8, CLOCK), bench.view(32))).toBe("read-write-denied");
  expect(objects.set({ attribute: clock }, bench.read(8, CLOCK), bench.view(48))).toBe("success");
  const list = (clientSap: number) => {
    const reference = { attribute: { classId: 15, logicalName: fromHex("0000280000ff"), attributeId: 2 } };
    const result = objects.get(reference, bench.view(clientSap));
    return result.type === "data" ? objectListFromData(result.data) : [];
  };
  expect(list(16)).toHaveLength(8);
  expect(list(32).length).toBe(list(48).length);
  expect(list(32).every(({ methods }) => methods.every(({ invoke }) => !invoke))).toBe(true);
});

test("objects: writing the clock moves it, and only values of the right type are taken", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  expect(bench.write(8, CLOCK, 2, { type: "octet-string", value: fromHex("07ea070f030a3000fffeb600") })).toBe(
    "success",
  );
  expect(toHex(stampOf(bench.read(8, CLOCK)))).toBe("07ea070f030a3000fffeb600");
  bench.nowMs += 61_000;
  expect(toHex(stampOf(bench.read(8, CLOCK)))).toBe("07ea070f030a3101fffeb600");
  expect(bench.invoke(8, CLOCK, 6, { type: "long", value: -61 })).toBe("success");
  expect(toHex(stampOf(bench.read(8, CLOCK)))).toBe("07ea070f030a3000fffeb600");
  expect(bench.write(1, "1.0.0.8.4.255", 2, { type: "unsigned", value: 15 })).toBe("type-unmatched");
  expect(bench.write(1, "0.0.96.1.0.255", 2, bench.read(1, "0.0.96.1.0.255"))).toBe("read-write-denied");
  expect(numberOf(bench.read(1, "0.0.96.2.0.255"))).toBe(1);
});

test("objects: a new capture period changes the block load profile", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  expect(bench.write(1, "1.0.0.8.4.255", 2, { type: "long-unsigned", value: 900 })).toBe("success");
  const [last, before] = [bench.rows(BLOCK).at(-1), bench.rows(BLOCK).at(-2)];
  const policy = { deviation: "standard", zone: namedZone("Asia/Kolkata") } as const;
  const at = (row: typeof last) => resolveDateTime(stampOf(row?.[0]), policy)?.instantMs ?? 0;
  expect(at(last) - at(before)).toBe(15 * MINUTE);
});

test("objects: the load switch opens and closes, by method and by script", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  const zero = { type: "integer", value: 0 } as const;
  expect(bench.invoke(70, "0.0.96.3.10.255", 1, zero)).toBe("success");
  expect(bench.read(70, "0.0.96.3.10.255", 2)).toEqual({ type: "boolean", value: false });
  expect(bench.invoke(9, "0.0.10.0.106.255", 1, { type: "long-unsigned", value: 2 })).toBe("success");
  expect(bench.read(70, "0.0.96.3.10.255", 3)).toEqual({ type: "enum", value: 1 });
  expect(bench.write(70, "0.0.96.3.10.255", 4, { type: "enum", value: 0 })).toBe("success");
  expect(bench.invoke(70, "0.0.96.3.10.255", 1, zero)).toBe("read-write-denied");
  expect(bench.invoke(70, "0.0.96.3.10.255", 9, zero)).toBe("object-undefined");
});

test("objects: a reset by hand ends the billing period", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  const before = numberOf(bench.read(1, "0.0.0.1.0.255"));
  expect(bench.invoke(9, "0.0.10.0.1.255", 1, { type: "long-unsigned", value: 1 })).toBe("success");
  bench.nowMs += DAY;
  const rows = bench.rows(INDIAN_BILLING);
  expect(toHex(stampOf(rows.at(-2)?.[0]))).toBe("07ea070f030a2f0cfffeb600");
  expect(rows).toHaveLength(13);
  expect(numberOf(bench.read(1, "0.0.0.1.0.255"))).toBe(before + 1);
});

test("objects: a push is asked for by method and by script", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  bench.invoke(40, "0.6.25.9.0.255", 1, { type: "integer", value: 0 });
  bench.invoke(9, "0.0.10.0.108.255", 1, { type: "long-unsigned", value: 1 });
  expect(bench.pushed).toEqual(["0.6.25.9.0.255", "0.0.25.9.0.255"]);
});

test("objects: keys and secrets change for the next association", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  const fresh = new SecretKey("blockCipherKey", new Uint8Array(16).fill(9));
  const wrapped = wrapKey(bench.meter.security.secrets.masterKey, fresh);
  const transfer = (value: Uint8Array) =>
    bench.invoke(64, "0.0.43.0.3.255", 2, {
      type: "array",
      value: [
        {
          type: "structure",
          value: [
            { type: "enum", value: 0 },
            { type: "octet-string", value },
          ],
        },
      ],
    });
  expect(transfer(wrapped)).toBe("success");
  expect(bench.meter.security.secrets.blockCipherKey.equals(fresh)).toBe(true);
  expect(transfer(new Uint8Array(24))).toBe("other-reason");
  const password = { type: "octet-string", value: fromHex("3132333435363738") } as const;
  expect(bench.write(15, "0.0.40.0.2.255", 7, password)).toBe("success");
  expect(toHex(bench.meter.security.ruleFor(32)?.secret?.reveal() ?? new Uint8Array(0))).toBe("3132333435363738");
});

function voltageLog(seed: number): (readonly Data[])[] {
  return new BenchMeter(DESCRIPTIONS.d1, seed).rows("0.0.99.98.0.255");
}

test("objects: events are the same for one seed and others for another", () => {
  expect(voltageLog(1)).toEqual(voltageLog(1));
  expect(voltageLog(1)).not.toEqual(voltageLog(2));
  const codes = voltageLog(1).map((row) => numberOf(row[1]));
  expect(codes.every((code) => code >= 7 && code <= 12)).toBe(true);
});

test("objects: attribute 0 is the whole object", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  const whole = bench.read(3, "1.0.12.7.0.255", 0);
  expect(whole).toMatchObject({
    type: "structure",
    value: [{ type: "octet-string" }, { type: "long-unsigned" }, { type: "structure" }],
  });
});

test("objects: a meter that is made again from its memory goes on where it stopped", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  bench.invoke(8, CLOCK, 6, { type: "long", value: 100 });
  bench.invoke(70, "0.0.96.3.10.255", 1, { type: "integer", value: 0 });
  bench.write(15, "0.0.40.0.2.255", 7, { type: "octet-string", value: fromHex("3132333435363738") });
  const before = bench.meter.security.pushProtection();
  const push = { control: "encrypted", form: "general", keySet: "global" } as const;
  const first = before.protect(Uint8Array.of(0x0f), push);
  const again = new BenchMeter(DESCRIPTIONS.d1, 42, bench.meter.memory);
  expect(again.read(8, CLOCK)).toEqual(bench.read(8, CLOCK));
  expect(again.read(70, "0.0.96.3.10.255", 3)).toEqual({ type: "enum", value: 0 });
  expect(toHex(again.meter.security.ruleFor(32)?.secret?.reveal() ?? new Uint8Array(0))).toBe("3132333435363738");
  expect(toHex(again.meter.security.pushProtection().protect(Uint8Array.of(0x0f), push))).not.toBe(toHex(first));
});

test("objects: meters of one model differ in what their customers use", () => {
  const used = [1, 2, 3, 4, 5, 6].map((seed) =>
    numberOf(new BenchMeter(DESCRIPTIONS.d1, seed).read(3, "1.0.1.8.0.255")),
  );
  expect(Math.max(...used) / Math.min(...used)).toBeGreaterThan(1.5);
  expect(Math.max(...used) / Math.min(...used)).toBeLessThan(4);
});
