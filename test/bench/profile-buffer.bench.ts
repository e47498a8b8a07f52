import { type Data, dataFromBytes, dataToBytes, expandCompactArray } from "../../protocol/axdr/data.ts";
import type { TypeDescription } from "../../protocol/axdr/type-description.ts";
import { Writer } from "../../protocol/bytes/writer.ts";
import { type Bench, measure } from "./bench.ts";

const DAYS = 7;
const ROWS = DAYS * 48;
const REGISTERS = 7;

function stamp(row: number): Uint8Array {
  const at = new Date(Date.UTC(2026, 10, 1) + row * 30 * 60_000);
  return new Writer()
    .u16(at.getUTCFullYear())
    .u8(at.getUTCMonth() + 1)
    .u8(at.getUTCDate())
    .u8(0xff)
    .u8(at.getUTCHours())
    .u8(at.getUTCMinutes())
    .u8(0)
    .u8(0xff)
    .u16(0x8000)
    .u8(0)
    .finish();
}

/** A block load as IS 15959 has it: half-hourly stamps and seven registers. */
function rows(): Data[] {
  return Array.from({ length: ROWS }, (_, row) => ({
    type: "structure" as const,
    value: [
      { type: "octet-string" as const, value: stamp(row) },
      ...Array.from({ length: REGISTERS }, (__, register) => ({
        type: "double-long-unsigned" as const,
        value: row * 1000 + register,
      })),
    ],
  }));
}

function compactArray(): Data {
  const description: TypeDescription = {
    type: "structure",
    elements: [
      { type: "octet-string" },
      ...Array.from({ length: REGISTERS }, () => ({ type: "double-long-unsigned" as const })),
    ],
  };
  const contents = new Writer();
  for (let row = 0; row < ROWS; row++) {
    contents.octetString(stamp(row));
    for (let register = 0; register < REGISTERS; register++) contents.u32(row * 1000 + register);
  }
  return { type: "compact-array", description, contents: contents.finish() };
}

/** The least that any decoder must do: step over the same fields and add the registers up. */
function walk(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sum = 0;
  let at = 4;
  for (let row = 0; row < ROWS; row++) {
    at += 2 + 14;
    for (let register = 0; register < REGISTERS; register++, at += 5) sum += view.getUint32(at + 1);
  }
  return sum;
}

export const bench: Bench = {
  compares: `decoding a week of half-hourly rows (${ROWS} × ${REGISTERS + 1}) as array of structures and as compact-array; the floor is a hand-made walk over the same octets that keeps nothing`,
  unfair:
    "the walk knows the layout beforehand, checks nothing and allocates nothing, so it is no decoder: it says how far the decoder is from the octets themselves",
  async run(options) {
    const array = dataToBytes({ type: "array", value: rows() });
    const compact = dataToBytes(compactArray());
    const { rows: measured, perSecond } = await measure(
      {
        array: () => dataFromBytes(array),
        "compact-array": () => {
          const data = dataFromBytes(compact);
          return data.type === "compact-array" ? expandCompactArray(data) : undefined;
        },
        walk: () => walk(array),
      },
      "rows",
      options,
      ROWS,
    );
    return {
      rows: measured,
      ratios: {
        "array-to-walk": perSecond.array / perSecond.walk,
        "compact-array-to-array": perSecond["compact-array"] / perSecond.array,
      },
    };
  },
};
