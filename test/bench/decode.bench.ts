import { type Data, dataToBytes } from "../../protocol/axdr/data.ts";
import { Writer } from "../../protocol/bytes/writer.ts";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { decodeProfileBuffer } from "../../protocol/profile/decode.ts";
import { profileLayout } from "../../protocol/profile/layout.ts";
import { type Bench, measure } from "./bench.ts";

/** 50 days of quarter hours. */
const ROWS = 4_800;
const REGISTERS = ["1.0.1.29.0.255", "1.0.2.29.0.255", "1.0.9.29.0.255", "1.0.5.29.0.255", "1.0.8.29.0.255"] as const;
const PERIOD_S = 900;
const COLUMNS = 2 + REGISTERS.length + 1;

const layout = profileLayout({
  captureObjects: [
    { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 },
    { classId: 3, logicalName: "1.0.32.27.0.255", attributeId: 2, dataIndex: 0 },
    ...REGISTERS.map((logicalName) => ({ classId: 3, logicalName, attributeId: 2, dataIndex: 0 })),
    { classId: 3, logicalName: "1.0.31.27.0.255", attributeId: 2, dataIndex: 0 },
  ],
  scalers: [
    { classId: 3, logicalName: "1.0.32.27.0.255", scalerUnit: { scaler: -2, unit: 35 } },
    ...REGISTERS.map((logicalName) => ({ classId: 3, logicalName, scalerUnit: { scaler: 0, unit: 30 } })),
    { classId: 3, logicalName: "1.0.31.27.0.255", scalerUnit: { scaler: -2, unit: 33 } },
  ],
  capturePeriodS: PERIOD_S,
  sortMethod: 1,
});
const clock = { deviation: "standard", zone: namedZone("Europe/Berlin") } as const;

function stamp(row: number): Uint8Array {
  const at = new Date(Date.UTC(2026, 0, 5) + row * PERIOD_S * 1000);
  return new Writer(12)
    .u16(at.getUTCFullYear())
    .u8(at.getUTCMonth() + 1)
    .u8(at.getUTCDate())
    .u8(at.getUTCDay() || 7)
    .u8(at.getUTCHours())
    .u8(at.getUTCMinutes())
    .u8(0)
    .u8(0)
    .i16(-60)
    .u8(0)
    .finish();
}

function buffer(): Uint8Array {
  const rows = Array.from({ length: ROWS }, (_, row): Data => {
    return {
      type: "structure",
      value: [
        { type: "octet-string", value: stamp(row) },
        { type: "long-unsigned", value: 23_000 + (row % 97) },
        ...REGISTERS.map((__, index): Data => ({ type: "double-long-unsigned", value: row * 131 + index })),
        { type: "long-unsigned", value: row % 6_400 },
      ],
    };
  });
  return dataToBytes({ type: "array", value: rows });
}

/** Days since 1970 of a date that is taken for right; faster than Date.UTC. */
function daysOf(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const dayOfYear = Math.trunc((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    shifted * 365 +
    Math.trunc(shifted / 4) -
    Math.trunc(shifted / 100) +
    Math.trunc(shifted / 400) +
    dayOfYear -
    719_468
  );
}

/** A loop fixed to this one shape: no tag, length or date is checked, and nothing else can be decoded with it. */
function bareLoop(octets: Uint8Array): Float64Array[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const columns = Array.from({ length: COLUMNS }, () => new Float64Array(ROWS));
  const [times, voltage, first, second, third, fourth, fifth, current] = columns as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let at = 4;
  for (let row = 0; row < ROWS; row++) {
    times[row] =
      daysOf(view.getUint16(at + 4), view.getUint8(at + 6), view.getUint8(at + 7)) * 86_400_000 +
      view.getUint8(at + 9) * 3_600_000 +
      (view.getUint8(at + 10) + view.getInt16(at + 13)) * 60_000 +
      view.getUint8(at + 11) * 1000;
    voltage[row] = view.getUint16(at + 17);
    first[row] = view.getUint32(at + 20);
    second[row] = view.getUint32(at + 25);
    third[row] = view.getUint32(at + 30);
    fourth[row] = view.getUint32(at + 35);
    fifth[row] = view.getUint32(at + 40);
    current[row] = view.getUint16(at + 45);
    at += 47;
  }
  return columns;
}

/** The loop is only worth comparing with when it says the same. */
function wantSame(octets: Uint8Array): void {
  const bare = bareLoop(octets);
  const { columns, rowCount } = decodeProfileBuffer(octets, layout, { clock });
  for (const [index, column] of columns.entries()) {
    const ours = column.kind === "time" ? column.instantsMs : column.kind === "number" ? column.mantissas : [];
    const same = rowCount === ROWS && bare[index]?.every((value, row) => value === ours[row]) === true;
    if (!same) throw new Error(`column ${index} differs from the bare loop`);
  }
}

export const bench: Bench = {
  compares: `a block load of ${ROWS} rows × ${COLUMNS} columns to exact columns with instants, compression handling, checks and limits on, against a bare loop`,
  unfair:
    "the bare loop is written for this one row and checks nothing; on our side the rows all have one shape, which is the decoder's good case, and each table of results is allocated anew on both sides",
  async run(options) {
    const octets = buffer();
    wantSame(octets);
    const { rows, perSecond } = await measure(
      { ours: () => decodeProfileBuffer(octets, layout, { clock }), bare: () => bareLoop(octets) },
      "rows",
      options,
      ROWS,
    );
    return { rows, ratios: { decode: perSecond.ours / perSecond.bare } };
  },
};
