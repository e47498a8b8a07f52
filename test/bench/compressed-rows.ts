/** The block load of decode.bench.ts as meters send it compressed, and the bare loops that are fixed to these two forms. */
import { type Data, dataToBytes } from "../../protocol/axdr/data.ts";
import { Writer } from "../../protocol/bytes/writer.ts";

/** What the rows have, by their index. */
export interface RowValues {
  readonly stamp: (row: number) => Uint8Array;
  /** The epoch of a stamp that stands there, ms since 1970. */
  readonly instantAt: (view: DataView, offset: number) => number;
  readonly registers: number;
  readonly periodMs: number;
}

/** Once in so many rows nothing is left out. */
const WHOLE_EVERY = 96;
const STEP = 131;
const VOLTAGE = 23_000;
const STAMP_LENGTH = 12;

function registerAt(row: number, index: number): number {
  return row * STEP + index;
}

/** It goes up and down by one, so that each step is a difference of one octet. */
function voltageAt(row: number): number {
  return VOLTAGE + (row % 2);
}

function currentAt(row: number): number {
  return Math.trunc(row / WHOLE_EVERY);
}

function wholeRow(row: number, { stamp, registers }: RowValues): Data[] {
  return [
    { type: "octet-string", value: stamp(row) },
    { type: "long-unsigned", value: voltageAt(row) },
    ...Array.from({ length: registers }, (_, index): Data => {
      return { type: "double-long-unsigned", value: registerAt(row, index) };
    }),
    { type: "long-unsigned", value: currentAt(row) },
  ];
}

/** Clock and current are null-data, everything else is a difference; but for one whole row a day. */
export function compressedBuffer(count: number, values: RowValues): Uint8Array {
  const rows = Array.from({ length: count }, (_, row): Data => {
    if (row % WHOLE_EVERY === 0) return { type: "structure", value: wholeRow(row, values) };
    const steps = Array.from({ length: values.registers }, (): Data => ({ type: "delta-unsigned", value: STEP }));
    const voltage: Data = { type: "delta-integer", value: voltageAt(row) - voltageAt(row - 1) };
    return { type: "structure", value: [{ type: "null-data" }, voltage, ...steps, { type: "null-data" }] };
  });
  return dataToBytes({ type: "array", value: rows });
}

/** Where the rows begin: behind the array's tag and a count of two octets. */
const FIRST_ROW = 4;

export function bareCompressed(octets: Uint8Array, count: number, values: RowValues): Float64Array[] {
  const { registers, periodMs, instantAt } = values;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const columns = Array.from({ length: registers + 3 }, () => new Float64Array(count));
  const [times = columns[0], voltage = columns[0], ...rest] = columns;
  const current = rest.pop();
  if (times === undefined || voltage === undefined || current === undefined) throw new Error("no columns");
  let at = FIRST_ROW;
  for (let row = 0; row < count; row++) {
    if (row % WHOLE_EVERY === 0) {
      times[row] = instantAt(view, at + 4);
      voltage[row] = view.getUint16(at + 17);
      at += 19;
      for (const register of rest) {
        register[row] = view.getUint32(at + 1);
        at += 5;
      }
      current[row] = view.getUint16(at + 1);
      at += 3;
      continue;
    }
    times[row] = (times[row - 1] ?? 0) + periodMs;
    voltage[row] = (voltage[row - 1] ?? 0) + view.getInt8(at + 4);
    at += 5;
    for (const register of rest) {
      register[row] = (register[row - 1] ?? 0) + view.getUint8(at + 1);
      at += 2;
    }
    current[row] = current[row - 1] ?? 0;
    at += 1;
  }
  return columns;
}

/** One description for all rows, and no tags in them. */
export function compactBuffer(count: number, values: RowValues): Uint8Array {
  const contents = new Writer();
  for (let row = 0; row < count; row++) {
    for (const cell of wholeRow(row, values)) contents.bytes(dataToBytes(cell).subarray(1));
  }
  const elements = wholeRow(0, values).map(({ type }) => ({ type }));
  const description = { type: "structure", elements } as Extract<Data, { type: "compact-array" }>["description"];
  return dataToBytes({ type: "compact-array", description, contents: contents.finish() });
}

export function bareCompact(octets: Uint8Array, count: number, values: RowValues): Float64Array[] {
  const { registers, instantAt } = values;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const columns = Array.from({ length: registers + 3 }, () => new Float64Array(count));
  const [times = columns[0], voltage = columns[0], ...rest] = columns;
  const current = rest.pop();
  if (times === undefined || voltage === undefined || current === undefined) throw new Error("no columns");
  const length = 1 + STAMP_LENGTH + 2 + 4 * registers + 2;
  let at = octets.length - length * count;
  for (let row = 0; row < count; row++) {
    times[row] = instantAt(view, at + 1);
    voltage[row] = view.getUint16(at + 13);
    at += 15;
    for (const register of rest) {
      register[row] = view.getUint32(at);
      at += 4;
    }
    current[row] = view.getUint16(at);
    at += 2;
  }
  return columns;
}
