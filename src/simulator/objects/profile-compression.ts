/** The forms in which meters send a buffer: whole rows, rows with null-data for what can be worked out, compact-array. */
import { type Data, encodeData } from "../../../protocol/axdr/data.ts";
import type { TypeDescription } from "../../../protocol/axdr/type-description.ts";
import { Writer } from "../../../protocol/bytes/writer.ts";
import type { Compression } from "../description.ts";

export interface BufferRow {
  readonly atMs: number;
  readonly cells: readonly Data[];
}

/** `clockColumns` are the columns whose value is the stamp of the row. */
export function bufferData(
  rows: readonly BufferRow[],
  compression: Compression,
  { clockColumns, periodMs }: { readonly clockColumns: ReadonlySet<number>; readonly periodMs: number },
): Data {
  switch (compression) {
    case "none":
      return plain(rows);
    case "null-data":
      return plain(rows.map((row, index) => withoutKnown(row, rows[index - 1], { clockColumns, periodMs })));
    case "compact-array":
      return compactArray(rows) ?? plain(rows);
  }
}

function plain(rows: readonly BufferRow[]): Data {
  return { type: "array", value: rows.map(({ cells }) => ({ type: "structure", value: cells })) };
}

function withoutKnown(
  row: BufferRow,
  previous: BufferRow | undefined,
  { clockColumns, periodMs }: { readonly clockColumns: ReadonlySet<number>; readonly periodMs: number },
): BufferRow {
  if (previous === undefined) return row;
  const regular = periodMs > 0 && row.atMs - previous.atMs === periodMs;
  const cells = row.cells.map((cell, column): Data => {
    const before = previous.cells[column];
    const known = clockColumns.has(column) ? regular : before !== undefined && sameData(cell, before);
    return known ? { type: "null-data" } : cell;
  });
  return { ...row, cells };
}

function sameData(one: Data, other: Data): boolean {
  const [a, b] = [encoded(one), encoded(other)];
  return a.length === b.length && a.every((octet, index) => octet === b[index]);
}

function compactArray(rows: readonly BufferRow[]): Data | undefined {
  const first = rows[0];
  if (first === undefined) return undefined;
  const descriptions = first.cells.map(simpleType);
  const writer = new Writer();
  for (const { cells } of rows) {
    for (const [column, cell] of cells.entries()) {
      if (descriptions[column]?.type !== cell.type) return undefined;
      // Contents are untagged.
      writer.bytes(encoded(cell).subarray(1));
    }
  }
  const elements: TypeDescription[] = [];
  for (const description of descriptions) {
    if (description === undefined) return undefined;
    elements.push(description);
  }
  return { type: "compact-array", description: { type: "structure", elements }, contents: writer.finish() };
}

function simpleType({ type }: Data): TypeDescription | undefined {
  return type === "array" || type === "structure" || type === "compact-array" ? undefined : { type };
}

function encoded(data: Data): Uint8Array {
  const writer = new Writer();
  encodeData(data, writer);
  return writer.finish();
}
