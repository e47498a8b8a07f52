import { type FileMetaData, parquetMetadata, parquetReadObjects, parquetSchema } from "hyparquet";
import { expect, test } from "vitest";
import { csvExport } from "../../../src/exports/csv-export.ts";
import { meterReadingsJson, meterReadingsXml } from "../../../src/exports/meter-readings-export.ts";
import { parquetExport } from "../../../src/exports/parquet-export.ts";
import type { ReadingRow, RowPage } from "../../../src/exports/reading-rows.ts";
import { PROFILE_COLUMNS } from "../../../src/profiles/columns.ts";

const NAMES = new Set(["active_import", "active_import_total", "voltage_l1", "status"]);
const columns = PROFILE_COLUMNS.block_load.filter(({ name }) => NAMES.has(name));
const ORDER = { kind: "block-load", columns } as const;
const METER = { id: "00000000-0000-4000-8000-000000000001", name: 'feeder "7" <&>', number: "SMT10007" };

function row(minute: number, values: Readonly<Record<string, unknown>>): ReadingRow {
  const held = Object.fromEntries(columns.map(({ shownAs }) => [shownAs, null]));
  return { captured_at: new Date(Date.UTC(2026, 0, 1, 0, minute)), interval_s: 900, others: null, ...held, ...values };
}

const ROWS = [
  row(15, { active_import_wh: "0.001", active_import_total_wh: "999999999999999.999", voltage_l1_v: "-0.5" }),
  row(30, { active_import_wh: "250", voltage_l1_v: "230.125", others: { "1:0.0.96.1.0.255:2": "a,b" } }),
  row(45, {}),
];

async function* pages(...all: readonly (readonly ReadingRow[])[]): AsyncGenerator<RowPage> {
  for (const rows of all) yield { meter: METER, rows };
}

async function whole(parts: AsyncIterable<string | Uint8Array>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(Buffer.from(part));
  return Buffer.concat(all);
}

function bufferOf(octets: Buffer): ArrayBuffer {
  return new Uint8Array(octets).buffer;
}

/** Without what would make doubles of its integers. */
function undeclared(file: ArrayBuffer): FileMetaData {
  const metadata = parquetMetadata(file);
  const schema = metadata.schema.map(({ converted_type: _converted, logical_type: _logical, ...element }) => element);
  return { ...metadata, schema };
}

test("csv export: exact decimals, cells in quotes where they need it, nothing for nothing", async () => {
  const lines = (await whole(csvExport(pages(ROWS), ORDER))).toString().split("\r\n");
  const [head = "", first = "", second = "", third = "", end] = lines;
  expect(head).toBe(`meter,captured_at,${columns.map(({ shownAs }) => shownAs).join(",")},others`);
  expect(first).toContain('"feeder ""7"" <&>",2026-01-01T00:15:00.000Z,');
  expect(first).toContain("999999999999999.999");
  expect(second).toContain('"{""1:0.0.96.1.0.255:2"":""a,b""}"');
  expect(third).toMatch(/Z,+$/);
  expect(end).toBe("");
});

test("parquet export: decimals keep every digit, and are declared as such", async () => {
  const file = bufferOf(await whole(parquetExport(pages(ROWS), ORDER)));
  const { children } = parquetSchema(parquetMetadata(file));
  const total = children.find(({ element }) => element.name === "active_import_total_wh")?.element;
  expect(total).toMatchObject({ type: "INT64", converted_type: "DECIMAL", precision: 18, scale: 3 });
  const status = children.find(({ element }) => element.name.startsWith("status"))?.element;
  expect([status?.type, status?.converted_type]).toEqual(["INT64", undefined]);
  const counts = (await parquetReadObjects({ file, metadata: undeclared(file) })).map(
    (each) => each["active_import_total_wh"],
  );
  expect(counts).toEqual([999_999_999_999_999_999n, null, null]);
  const [first, second, third] = await parquetReadObjects({ file });
  expect(first).toMatchObject({
    meter: METER.name,
    meter_number: "SMT10007",
    captured_at: new Date("2026-01-01T00:15:00Z"),
    active_import_wh: 0.001,
    voltage_l1_v: -0.5,
  });
  expect(second).toMatchObject({ active_import_wh: 250, others: '{"1:0.0.96.1.0.255:2":"a,b"}' });
  expect(third).toMatchObject({ active_import_wh: null, others: null });
});

test("parquet export: groups of rows are given away as they are full, and read again as one table", async () => {
  const many = Array.from({ length: 25 }, (_, page) =>
    Array.from({ length: 1000 }, (_, at) => row(page * 1000 + at, { active_import_wh: `${page * 1000 + at}.5` })),
  );
  const parts: number[] = [];
  const octets: Uint8Array[] = [];
  for await (const part of parquetExport(pages(...many), ORDER)) {
    parts.push(part.length);
    octets.push(part);
  }
  expect(parts).toHaveLength(3);
  const file = bufferOf(Buffer.concat(octets));
  expect(parquetMetadata(file).row_groups).toHaveLength(3);
  const rows = await parquetReadObjects({ file, columns: ["active_import_wh"] });
  expect(rows).toHaveLength(25_000);
  expect(rows[24_999]).toEqual({ active_import_wh: 24_999.5 });
});

test("parquet export: a value that its column can't hold whole is an error, not another value", async () => {
  await expect(whole(parquetExport(pages([row(15, { active_import_wh: "0.0001" })]), ORDER))).rejects.toThrow("places");
});

const ENERGY = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0";

test("cim-json export: intervals by reading type, with the meter's names", async () => {
  const message: unknown = JSON.parse((await whole(meterReadingsJson(pages(ROWS, []), ORDER))).toString());
  expect(message).toMatchObject({
    MeterReadings: {
      MeterReading: [
        {
          IntervalBlocks: [
            {
              ReadingType: { ref: "0.2.2.6.0.1.54.0.0.0.0.0.0.0.129.0.29.0" },
              IntervalReadings: [{ value: "-0.5" }, { value: "230.125" }],
            },
            {
              ReadingType: { ref: ENERGY },
              IntervalReadings: [
                { timeStamp: "2026-01-01T00:15:00.000Z", value: "0.001" },
                { timeStamp: "2026-01-01T00:30:00.000Z", value: "250" },
              ],
            },
            { ReadingType: { ref: "0.0.2.1.1.1.12.0.0.0.0.0.0.0.0.0.72.0" } },
          ],
          Meter: { mRID: METER.id, Names: [{ name: METER.name }, { name: "SMT10007" }] },
        },
      ],
    },
  });
});

test("cim-xml export: the same as elements of the message, in the order of its schema", async () => {
  const xml = (await whole(meterReadingsXml(pages(ROWS), ORDER))).toString();
  expect(xml).toContain('<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">');
  expect(xml).toContain(
    `<IntervalBlocks><IntervalReadings><timeStamp>2026-01-01T00:15:00.000Z</timeStamp><value>0.001</value></IntervalReadings><IntervalReadings><timeStamp>2026-01-01T00:30:00.000Z</timeStamp><value>250</value></IntervalReadings><ReadingType ref="${ENERGY}"/></IntervalBlocks>`,
  );
  expect(xml).toContain("<name>feeder &quot;7&quot; &lt;&amp;&gt;</name><NameType><name>name</name></NameType>");
  expect(xml.indexOf("<IntervalBlocks>")).toBeLessThan(xml.indexOf("<Meter>"));
  expect(xml.trimEnd().endsWith("</MeterReadings>")).toBe(true);
});

test("cim export: what was captured at a moment is a reading, after the meter", async () => {
  const instant = PROFILE_COLUMNS.instant.filter(({ name }) => name === "active_power_import_l2");
  const held = { captured_at: new Date(0), active_power_import_l2_w: "12.5" };
  const order = { kind: "instant", columns: instant } as const;
  const xml = (await whole(meterReadingsXml(pages([held]), order))).toString();
  expect(xml).toContain(
    '</Meter><Readings><timeStamp>1970-01-01T00:00:00.000Z</timeStamp><value>12.5</value><ReadingType ref="0.0.0.12.1.1.37.0.0.0.0.0.0.0.64.0.38.0"/></Readings>',
  );
});
