import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Data } from "../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { dumpMeter, meterFromDump } from "../../src/simulator/object-dump.ts";
import { dataFromJson, dataToJson, ObjectDumpError } from "../../src/simulator/typed-json.ts";
import { BenchMeter, DESCRIPTIONS, entryAccess, MODELS, rangeAccess, stampOf } from "./meter-fixture.ts";

const octets = fc.uint8Array({ maxLength: 20 });
const simple: fc.Arbitrary<Data> = fc.oneof(
  fc.constantFrom<Data>({ type: "null-data" }, { type: "boolean", value: true }),
  fc.integer({ min: -128, max: 127 }).map((value): Data => ({ type: "integer", value })),
  fc.nat(0xffff_ffff).map((value): Data => ({ type: "double-long-unsigned", value })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value): Data => ({ type: "long64-unsigned", value })),
  octets.map((value): Data => ({ type: "octet-string", value })),
  octets.map((value): Data => ({ type: "visible-string", value: value.map((octet) => octet & 0x7f) })),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((value): Data => ({ type: "date-time", value })),
  octets.map((value): Data => ({ type: "bit-string", bitCount: 8 * value.length, value })),
  fc.float().map((value): Data => ({ type: "float32", value })),
);
const anyData: fc.Arbitrary<Data> = fc.letrec<{ data: Data }>((tie) => ({
  data: fc.oneof(
    { depthSize: "small" },
    simple,
    fc.array(tie("data"), { maxLength: 4 }).map((value): Data => ({ type: "structure", value })),
  ),
})).data;

test("typed json: every value comes back from its JSON", () => {
  fc.assert(
    fc.property(anyData, (data) => {
      expect(dataFromJson(JSON.parse(JSON.stringify(dataToJson(data))), "x")).toEqual(data);
    }),
    { numRuns: 300 },
  );
});

test.each([
  [7, "x"],
  [{ t: "word", v: 1 }, "x"],
  [{ t: "unsigned", v: 256 }, "x"],
  [{ t: "unsigned", v: "1" }, "x"],
  [{ t: "unsigned", v: "NaN" }, "x"],
  [{ t: "date-time", v: "00" }, "x"],
  [{ t: "octet-string", v: "0g" }, "x"],
  [{ t: "long64", v: "1e3" }, "x"],
  [{ t: "bit-string", v: "102" }, "x"],
  [{ t: "compact-array", v: "13" }, "x"],
  [{ t: "structure", v: [{ t: "null-data" }, { t: "array", v: [{ t: "boolean" }] }] }, "x.v[1].v[0]"],
])("typed json: what can't be a value names its place: %j", (json, path) => {
  expect(() => dataFromJson(json, "x")).toThrow(expect.objectContaining({ name: "ObjectDumpError", path }));
});

test.each(MODELS)("dump: a meter loaded from the dump of %s has the same objects and values", (model) => {
  const bench = new BenchMeter(DESCRIPTIONS[model]);
  const dump: unknown = JSON.parse(JSON.stringify(dumpMeter(bench.meter)));
  const loaded = new BenchMeter(meterFromDump(dump).description);
  const now = bench.meter.objects.now();
  let compared = 0;
  for (const { classId, logicalName, attributeIds } of bench.meter.objects.list()) {
    for (const attributeId of attributeIds) {
      const reference = { classId, logicalName, attributeId };
      expect(loaded.meter.objects.value(reference, now)).toEqual(bench.meter.objects.value(reference, now));
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(90);
  expect(loaded.meter.description.associations.map(({ clientSap }) => clientSap)).toEqual(
    bench.meter.description.associations.map(({ clientSap }) => clientSap),
  );
});

test.each(["none", "null-data", "compact-array"] as const)(
  "dump: recorded rows (%s) are selected by range and by entry",
  (compression) => {
    const bench = new BenchMeter({ ...DESCRIPTIONS.d1, compression });
    const loaded = new BenchMeter(meterFromDump(JSON.parse(JSON.stringify(dumpMeter(bench.meter)))).description);
    const whole = new BenchMeter(DESCRIPTIONS.d1).rows("1.0.99.1.0.255");
    const range = rangeAccess(stampOf(whole[10]?.[0]), stampOf(whole[19]?.[0]));
    const selected = loaded.rows("1.0.99.1.0.255", range);
    expect(selected).toHaveLength(10);
    const entries = loaded.rows("1.0.99.1.0.255", entryAccess(11, 20));
    expect(entries).toEqual(selected);
    const expected = compression === "null-data" ? bench.rows("1.0.99.1.0.255").slice(10, 20) : whole.slice(10, 20);
    expect(selected).toEqual(expected);
  },
);

const MINIMAL = {
  meter: { serial: "1", systemTitle: "4d4d4d0000000001" },
  objects: [{ class: 1, logicalName: "0.0.96.1.0.255", attributes: { 2: { t: "visible-string", v: "1" } } }],
};

test("dump: the smallest description serves one object to the public client", () => {
  const { description } = meterFromDump(MINIMAL);
  const bench = new BenchMeter(description);
  const attribute = { classId: 1, logicalName: fromHex("0000600100ff"), attributeId: 2 };
  const result = bench.meter.objects.get({ attribute }, bench.view(16));
  expect(result).toEqual({ type: "data", data: { type: "visible-string", value: fromHex("31") } });
});

test("dump: a clock runs, whatever it stood at", () => {
  const clock = { class: 8, logicalName: "0.0.1.0.0.255", attributes: { 2: { t: "octet-string", v: "00" } } };
  const bench = new BenchMeter(meterFromDump({ ...MINIMAL, objects: [clock] }).description);
  const reference = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2 };
  const read = () => toHex(stampOf(bench.meter.objects.value(reference, bench.meter.objects.now())));
  expect(read()).toBe("07ea070f0305110cff000000");
  bench.nowMs += 1000;
  expect(read()).toBe("07ea070f0305110dff000000");
});

test.each([
  [null, "dump"],
  [{ ...MINIMAL, extra: 1 }, "dump"],
  [{ ...MINIMAL, meter: { serial: "1", systemTitle: "4d" } }, "meter.systemTitle"],
  [{ ...MINIMAL, meter: { ...MINIMAL.meter, timeZone: "Asia/Nowhere" } }, "meter.timeZone"],
  [{ ...MINIMAL, objects: [{ class: 1, logicalName: "0.0.96.1.0", attributes: {} }] }, "objects[0].logicalName"],
  [
    { ...MINIMAL, objects: [{ class: 1, logicalName: "0.0.96.1.0.255", attributes: { two: {} } }] },
    "objects[0].attributes.two",
  ],
  [
    { ...MINIMAL, objects: [{ class: 1, logicalName: "0.0.96.1.0.255", attributes: { 2: 5 } }] },
    "objects[0].attributes.2",
  ],
  [
    { ...MINIMAL, associations: [{ name: "a", clientSap: 1, logicalName: "0.0.40.0.1.255", mechanism: "hls-9" }] },
    "associations[0].mechanism",
  ],
])("dump: what is wrong is named by its place: %j", (json, path) => {
  expect(() => meterFromDump(json)).toThrow(ObjectDumpError);
  expect(() => meterFromDump(json)).toThrow(expect.objectContaining({ path }));
});
