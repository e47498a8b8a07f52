/**
 * Readings as a MeterReadings message of IEC 61968-9, as XML or as JSON of the same names: intervals of block load in
 * interval blocks, everything else as single readings. Columns without a reading type are left out.
 */
import type { ProfileColumn } from "../profiles/columns.ts";
import { READING_VIEWS, type ReadingRow, type ReadingViewName, type RowPage, textOf } from "./reading-rows.ts";
import { readingTypeOf } from "./reading-types.ts";

interface ExportOrder {
  readonly kind: ReadingViewName;
  readonly columns: readonly ProfileColumn[];
}

interface TimedValue {
  readonly timeStamp: string;
  readonly value: string;
}

interface MeterReading {
  readonly IntervalBlocks?: readonly {
    readonly IntervalReadings: readonly TimedValue[];
    readonly ReadingType: { readonly ref: string };
  }[];
  readonly Meter: {
    readonly mRID: string;
    readonly Names: readonly { readonly name: string; readonly NameType: { readonly name: string } }[];
  };
  readonly Readings?: readonly (TimedValue & { readonly ReadingType: { readonly ref: string } })[];
}

const NAMESPACE = "http://iec.ch/TC57/2011/MeterReadings#";

export async function* meterReadingsXml(pages: AsyncIterable<RowPage>, order: ExportOrder): AsyncGenerator<string> {
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<MeterReadings xmlns="${NAMESPACE}">\n`;
  for await (const page of pages) {
    if (page.rows.length > 0) yield `${elements("MeterReading", meterReading(page, order))}\n`;
  }
  yield "</MeterReadings>\n";
}

export async function* meterReadingsJson(pages: AsyncIterable<RowPage>, order: ExportOrder): AsyncGenerator<string> {
  yield '{"MeterReadings":{"MeterReading":[';
  let separator = "\n";
  for await (const page of pages) {
    if (page.rows.length === 0) continue;
    yield `${separator}${JSON.stringify(meterReading(page, order))}`;
    separator = ",\n";
  }
  yield "\n]}}\n";
}

/** Members in the order that the schema of the message wants. */
function meterReading({ meter, rows }: RowPage, { kind, columns }: ExportOrder): MeterReading {
  const values = new Map<string, TimedValue[]>();
  for (const row of rows) {
    for (const column of columns) {
      const held = row[column.shownAs];
      const type = held === null ? undefined : readingTypeOf(column, kind, intervalOf(row));
      if (type === undefined) continue;
      const value = { timeStamp: textOf(row[READING_VIEWS[kind].at]), value: textOf(held) };
      const others = values.get(type);
      if (others === undefined) values.set(type, [value]);
      else others.push(value);
    }
  }
  const said = {
    Meter: {
      mRID: meter.id,
      Names: [
        { name: meter.name, NameType: { name: "name" } },
        { name: meter.number, NameType: { name: "serialNumber" } },
      ],
    },
  };
  if (kind === "block-load") {
    const blocks = Array.from(values, ([ref, IntervalReadings]) => ({ IntervalReadings, ReadingType: { ref } }));
    return { IntervalBlocks: blocks, ...said };
  }
  const readings = Array.from(values).flatMap(([ref, timed]) =>
    timed.map(({ timeStamp, value }) => ({ timeStamp, value, ReadingType: { ref } })),
  );
  return { ...said, Readings: readings };
}

function intervalOf(row: ReadingRow): number | undefined {
  return typeof row["interval_s"] === "number" ? row["interval_s"] : undefined;
}

/** A list is as many elements of its name; `ref` is an attribute. */
function elements(name: string, held: unknown): string {
  if (Array.isArray(held)) return held.map((each) => elements(name, each)).join("");
  if (typeof held !== "object" || held === null) return `<${name}>${escaped(String(held))}</${name}>`;
  const { ref, ...within } = { ref: undefined, ...held };
  const attribute = ref === undefined ? "" : ` ref="${escaped(String(ref))}"`;
  const inner = Object.entries(within).map(([inside, each]) => elements(inside, each));
  return inner.length === 0 ? `<${name}${attribute}/>` : `<${name}${attribute}>${inner.join("")}</${name}>`;
}

/** XML has no form for control characters. */
function escaped(text: string): string {
  const signs: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replaceAll(/\p{Cc}/gu, "").replaceAll(/[&<>"]/g, (sign) => signs[sign] ?? sign);
}
