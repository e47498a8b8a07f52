import { createDecipheriv, createSecretKey } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Data, dataToBytes } from "../../protocol/axdr/data.ts";
import { Writer } from "../../protocol/bytes/writer.ts";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { type DecodedProfile, decodeProfileBuffer } from "../../protocol/profile/decode.ts";
import { profileLayout } from "../../protocol/profile/layout.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import { type Bench, type BenchOptions, measure } from "./bench.ts";
import { bareCompact, bareCompressed, compactBuffer, compressedBuffer } from "./compressed-rows.ts";

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

function buffer(count = ROWS): Uint8Array {
  const rows = Array.from({ length: count }, (_, row): Data => {
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

/** Of a stamp whose deviation is there. */
function instantAt(view: DataView, at: number): number {
  return (
    daysOf(view.getUint16(at), view.getUint8(at + 2), view.getUint8(at + 3)) * 86_400_000 +
    view.getUint8(at + 5) * 3_600_000 +
    (view.getUint8(at + 6) + view.getInt16(at + 9)) * 60_000 +
    view.getUint8(at + 7) * 1000
  );
}

/** A loop fixed to this one shape: no tag, length or date is checked, and nothing else can be decoded with it. */
function bareLoop(octets: Uint8Array, count = ROWS): Float64Array[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const columns = Array.from({ length: COLUMNS }, () => new Float64Array(count));
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
  for (let row = 0; row < count; row++) {
    times[row] = instantAt(view, at + 4);
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
function wantSame(octets: Uint8Array, bare: readonly Float64Array[]): void {
  const { columns, rowCount } = decodeProfileBuffer(octets, layout, { clock });
  for (const [index, column] of columns.entries()) {
    const ours = column.kind === "time" ? column.instantsMs : column.kind === "number" ? column.mantissas : [];
    const same = rowCount === ROWS && bare[index]?.every((value, row) => value === ours[row]) === true;
    if (!same) throw new Error(`column ${index} differs from the bare loop`);
  }
}

const METER = systemTitle(Uint8Array.of(0x4d, 0x4d, 0x4d, 0, 0, 0, 0, 1));
const GATEWAY = systemTitle(Uint8Array.of(0x4d, 0x4d, 0x4d, 0, 0, 0, 0, 2));
/** The response header before the buffer: get-response-normal, invoke-id, result is data. */
const RESPONSE = Uint8Array.of(0xc4, 0x01, 0xc1, 0x00);
const CIPHERED_SIZE = 65_536;

function protection(own: typeof METER): ApduProtection {
  return new ApduProtection({
    suite: 0,
    ownSystemTitle: own,
    keys: {
      blockCipherKey: new SecretKey(
        "blockCipherKey",
        Uint8Array.from({ length: 16 }, (_, i) => i),
      ),
      authenticationKey: new SecretKey(
        "authenticationKey",
        Uint8Array.from({ length: 16 }, (_, i) => 0xd0 + i),
      ),
    },
    // One APDU is opened again and again, which only a receiver that merely warns of replay does.
    replay: "warn",
    nextInvocationCounter: () => 1,
  });
}

/** A response of 64 kB under general-glo-ciphering, and how many rows are in it. */
function cipheredResponse(): { apdu: Uint8Array; rowCount: number } {
  const stride = (buffer(ROWS).length - buffer(0).length) / ROWS;
  const rowCount = Math.floor((CIPHERED_SIZE - 16) / stride);
  const plain = Uint8Array.of(...RESPONSE, ...buffer(rowCount));
  const form = { control: "authenticated-encrypted", form: "general", keySet: "global" } as const;
  return { apdu: protection(METER).protect(plain, form), rowCount };
}

const WARM_UP_RUNS = 300;
const MEASURED_RUNS = 41;

/** Octets that one decoding takes from the heap, by row, besides the memory of the columns: the median of some runs. */
function heapPerRow(decode: () => unknown): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("no gc to be had");
  for (let run = 0; run < WARM_UP_RUNS; run++) decode();
  const taken: number[] = [];
  for (let run = 0; run < MEASURED_RUNS; run++) {
    // A full collection would take the shapes of objects along that the compiled code is for.
    collect({ type: "minor" });
    const before = process.memoryUsage().heapUsed;
    const result = decode();
    taken.push(process.memoryUsage().heapUsed - before);
    if (result === undefined) throw new Error("nothing was decoded");
  }
  return (taken.sort((one, other) => one - other)[Math.floor(MEASURED_RUNS / 2)] ?? 0) / ROWS;
}

/** Octets of the columns that are the result, by row. */
function columnOctets({ columns }: DecodedProfile): number {
  const octets = columns.map((column) => {
    if (column.kind === "time") return column.stamps.length + column.sent.length + 9 * column.instantsMs.length;
    return column.kind === "number" ? column.mantissas.byteLength + column.present.length : 0;
  });
  return octets.reduce((sum, each) => sum + each, 0) / ROWS;
}

export const bench: Bench = {
  compares: `a block load of ${ROWS} rows × ${COLUMNS} columns to exact columns with instants, compression handling, checks and limits on, against a bare loop; the same with null-data and differences, and as a compact-array, each against a bare loop of its own; and 64 kB of it under general-glo-ciphering, deciphered and decoded, against the bare call of node:crypto and the bare loop`,
  unfair:
    "the bare loop is written for this one row and checks nothing; on our side the rows all have one shape, which is the decoder's good case, and each table of results is allocated anew on both sides",
  async run(options) {
    const octets = buffer();
    wantSame(octets, bareLoop(octets));
    const { rows, perSecond } = await measure(
      { ours: () => decodeProfileBuffer(octets, layout, { clock }), bare: () => bareLoop(octets) },
      "rows",
      options,
      ROWS,
    );
    const heap = heapPerRow(() => decodeProfileBuffer(octets, layout, { clock }));
    const columns = columnOctets(decodeProfileBuffer(octets, layout, { clock }));
    const bareHeap = heapPerRow(() => bareLoop(octets));
    const compressed = await measureCompressed(options);
    const ciphered = await measureCiphered(options);
    return {
      facts: [
        `allocated by row: ${heap.toFixed(2)} octets of heap besides the ${columns.toFixed(0)} of the columns that are the result; the bare loop ${bareHeap.toFixed(2)} besides ${8 * COLUMNS}`,
      ],
      rows: [...rows, ...compressed.rows, ...ciphered.rows],
      ratios: { decode: perSecond.ours / perSecond.bare, ...compressed.ratios, ...ciphered.ratios },
    };
  },
};

const VALUES = { stamp, instantAt, registers: REGISTERS.length, periodMs: PERIOD_S * 1000 };

/** The same rows with null-data and differences, and as a compact-array. */
async function measureCompressed(options: BenchOptions) {
  const compressed = compressedBuffer(ROWS, VALUES);
  const compact = compactBuffer(ROWS, VALUES);
  wantSame(compressed, bareCompressed(compressed, ROWS, VALUES));
  wantSame(compact, bareCompact(compact, ROWS, VALUES));
  const tasks = {
    compressed: () => decodeProfileBuffer(compressed, layout, { clock }),
    "compressed-bare": () => bareCompressed(compressed, ROWS, VALUES),
    compact: () => decodeProfileBuffer(compact, layout, { clock }),
    "compact-bare": () => bareCompact(compact, ROWS, VALUES),
  };
  const { rows, perSecond } = await measure(tasks, "rows", options, ROWS);
  return {
    rows,
    ratios: {
      "decode-compressed": perSecond.compressed / perSecond["compressed-bare"],
      "decode-compact-array": perSecond.compact / perSecond["compact-bare"],
    },
  };
}

const TAG_LENGTH = 12;
/** Tag, length and title, length of the content, security control and counter. */
const CONTENT_START = 1 + 9 + 4 + 5;

async function measureCiphered(options: BenchOptions) {
  const { apdu, rowCount } = cipheredResponse();
  const receiver = protection(GATEWAY);
  const ours = () => {
    const { apdu: plain } = receiver.unprotect(apdu);
    return decodeProfileBuffer(plain.subarray(RESPONSE.length), layout, { clock });
  };
  const key = createSecretKey(Uint8Array.from({ length: 16 }, (_, i) => i));
  const iv = Uint8Array.from([...METER, 0, 0, 0, 1]);
  const aad = Uint8Array.from([0x30, ...Array.from({ length: 16 }, (_, i) => 0xd0 + i)]);
  const bare = () => {
    const decipher = createDecipheriv("aes-128-gcm", key, iv, { authTagLength: TAG_LENGTH });
    decipher.setAAD(aad);
    decipher.setAuthTag(apdu.subarray(-TAG_LENGTH));
    const plain = decipher.update(apdu.subarray(CONTENT_START, -TAG_LENGTH));
    decipher.final();
    return bareLoop(plain.subarray(RESPONSE.length), rowCount);
  };
  if (ours().rowCount !== rowCount || bare()[1]?.[0] !== 23_000) throw new Error("the ciphered rows differ");
  const { rows, perSecond } = await measure(
    { "general-glo": ours, "general-glo-bare": bare },
    "rows",
    options,
    rowCount,
  );
  return { rows, ratios: { "decipher-and-decode": perSecond["general-glo"] / perSecond["general-glo-bare"] } };
}
