/**
 * Readings as Parquet: decimals as DECIMAL with the digits that the column has, whole numbers as INT64, instants as milliseconds of UTC. A row
 * group is written as soon as it is full, and given away.
 */
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { ProfileColumn } from "../profiles/columns.ts";
import { READING_VIEWS, type ReadingRow, type ReadingViewName, type RowPage, textOf } from "./reading-rows.ts";

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

interface Column {
  readonly element: SchemaElement;
  readonly valueOf: (row: ReadingRow, meter: RowPage["meter"]) => unknown;
}

const ROWS_A_GROUP = 10_000;
/** Digits of what columns of 32 and 64 bits hold; ten are more than an INT32 may have. */
const DIGITS = { 32: 10, 64: 18 } as const;

export async function* parquetExport(
  pages: AsyncIterable<RowPage>,
  { kind, columns }: { readonly kind: ReadingViewName; readonly columns: readonly ProfileColumn[] },
): AsyncGenerator<Uint8Array> {
  const shape = [...identity(kind), ...columns.map(columnOf), text("others", (row) => json(row["others"]))];
  const writer = new ByteWriter();
  const root = { name: "readings", num_children: shape.length };
  const parquet = new ParquetWriter({
    writer,
    schema: [root, ...shape.map(({ element }) => element)],
    createdBy: "dlms-gateway",
  });
  const group: { readonly row: ReadingRow; readonly meter: RowPage["meter"] }[] = [];
  const write = async () => {
    if (group.length === 0) return;
    const columnData = shape.map(({ element: { name }, valueOf }) => {
      return { name, data: group.map(({ row, meter }) => valueOf(row, meter)), offsetIndex: false };
    });
    await parquet.write({ columnData, rowGroupSize: group.length });
    group.length = 0;
  };
  for await (const { meter, rows } of pages) {
    for (const row of rows) group.push({ row, meter });
    if (group.length < ROWS_A_GROUP) continue;
    await write();
    yield taken(writer);
  }
  await write();
  await parquet.finish();
  yield taken(writer);
}

function identity(kind: ReadingViewName): Column[] {
  const { at } = READING_VIEWS[kind];
  return [
    text("meter", (_, meter) => meter.name),
    text("meter_number", (_, meter) => meter.number),
    { element: { name: at, type: "INT64", converted_type: "TIMESTAMP_MILLIS" }, valueOf: (row) => row[at] },
  ];
}

function text(name: string, valueOf: Column["valueOf"]): Column {
  return { element: { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" }, valueOf };
}

function columnOf({ shownAs: name, kind, exponent, bits }: ProfileColumn): Column {
  const optional = { name, repetition_type: "OPTIONAL" } as const;
  if (kind === "timestamp") {
    const element = { ...optional, type: "INT64", converted_type: "TIMESTAMP_MILLIS" } as const;
    return { element, valueOf: (row) => row[name] ?? undefined };
  }
  const scale = kind === "number" ? -exponent : 0;
  const decimal = { converted_type: "DECIMAL", precision: DIGITS[bits], scale } as const;
  return {
    element: { ...optional, type: "INT64", ...(scale > 0 && decimal) },
    valueOf: (row) => unscaled(row[name], scale),
  };
}

/** `-1.25` with three places → -1250n; undefined for nothing. */
function unscaled(held: unknown, scale: number): bigint | undefined {
  if (held === null || held === undefined) return undefined;
  const [whole = "", fraction = ""] = textOf(held).split(".");
  if (fraction.length > scale && /[1-9]/.test(fraction.slice(scale)))
    throw new RangeError(`${whole}.${fraction} has more than ${scale} places`);
  return BigInt(whole + fraction.slice(0, scale).padEnd(scale, "0"));
}

function json(held: unknown): string | undefined {
  return held === null || held === undefined ? undefined : JSON.stringify(held);
}

function taken(writer: ByteWriter): Uint8Array {
  const octets = writer.getBytes().slice();
  writer.index = 0;
  return octets;
}
