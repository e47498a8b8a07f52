import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Data,
  dataFromBytes,
  dataToBytes,
  decodeData,
  expandCompactArray,
  skipData,
} from "../../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { Reader } from "../../../protocol/bytes/reader.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { LIMITS } from "../../../protocol/limits.ts";

interface Case {
  readonly id: string;
  readonly layer: string;
  readonly input: { readonly hex: string };
  readonly expect: { readonly outcome: string };
}

const VECTORS = join(import.meta.dirname, "..", "..", "vectors");
const CASES = ["apdu.json", "negative.json"]
  .flatMap((name) => JSON.parse(readFileSync(join(VECTORS, name), "utf8")) as Case[])
  .filter(({ layer }) => layer === "axdr");
const ACCEPTED = CASES.filter(({ expect }) => expect.outcome === "accept");
/** TRUE has more than one form on the wire, we send one; a length may be longer than it need be. */
const NOT_CANONICAL = new Set(["std-axdr-bool-ff"]);

/** The value, or undefined when the octets are refused as a fault of the peer. */
function tryDecode(bytes: Uint8Array): Data | undefined {
  try {
    const data = dataFromBytes(bytes);
    if (data.type === "compact-array") expandCompactArray(data);
    return data;
  } catch (error) {
    if (!(error instanceof DlmsError) || error.fault !== "peer") throw error;
    return undefined;
  }
}

/** Arrays of one element within each other, around null-data. */
function nested(depth: number): Uint8Array {
  return fromHex(`${"0101".repeat(depth)}00`);
}

/** Whether what decodes also encodes, and decodes to the same again. */
function settles(bytes: Uint8Array): boolean {
  const data = tryDecode(bytes);
  return data === undefined || toHex(dataToBytes(dataFromBytes(dataToBytes(data)))) === toHex(dataToBytes(data));
}

test("data: our own values encode to the same octets", () => {
  expect(ACCEPTED.length).toBe(55);
  const changed = ACCEPTED.filter(({ id, input }) => {
    const canonical = toHex(dataToBytes(dataFromBytes(fromHex(input.hex))));
    return canonical !== input.hex && !NOT_CANONICAL.has(id);
  });
  expect(changed.map(({ id }) => id)).toEqual([]);
});

test("data: no cut of our own values decodes", () => {
  const decodable = ACCEPTED.flatMap(({ id, input }) => {
    const bytes = fromHex(input.hex);
    return Array.from(bytes.keys())
      .filter((length) => tryDecode(bytes.subarray(0, length)) !== undefined)
      .map((length) => `${id} cut at ${length}`);
  });
  expect(decodable).toEqual([]);
});

test("data: our own damaged values are refused", () => {
  const accepted = CASES.filter(
    ({ expect, input }) => expect.outcome === "reject" && tryDecode(fromHex(input.hex)) !== undefined,
  );
  // Text is kept as octets, so that no meter's value is lost to its encoding.
  expect(accepted.map(({ id }) => id)).toEqual(["neg-std-axdr-utf8-invalid"]);
});

test("data: nesting ends at the limit", () => {
  expect(tryDecode(nested(LIMITS.depth))).toBeDefined();
  expect(() => dataFromBytes(nested(LIMITS.depth + 1))).toThrow(
    expect.objectContaining({ code: "DEPTH_OVER_LIMIT", fault: "peer" }),
  );
});

test("data: a count that the octets cannot hold is refused before anything is reserved", () => {
  expect(() => dataFromBytes(fromHex("0183ffffff00"))).toThrow(
    expect.objectContaining({ code: "LENGTH_OVER_LIMIT", at: { offset: 1, length: 0xff_ffff, limit: 500_000 } }),
  );
  expect(() => dataFromBytes(fromHex("018307a12000"))).toThrow(expect.objectContaining({ code: "DATA_TRUNCATED" }));
});

test("compact-array: elements that multiply beyond the limit are refused", () => {
  // Two levels of 65535 elements each, of one octet: 4 GiB of values out of nine octets and the contents.
  const hostile = dataFromBytes(fromHex(`1301ffff01ffff1184000000ff${"00".repeat(255)}`));
  expect(hostile.type).toBe("compact-array");
  expect(tryDecode(dataToBytes(hostile))).toBeUndefined();
  const empty = dataFromBytes(fromHex("1301ffff01ffff000100"));
  expect(tryDecode(dataToBytes(empty))).toBeUndefined();
});

test("data: arbitrary octets give a value that encodes, or the peer's fault", () => {
  const result = fc.check(fc.property(fc.uint8Array({ minLength: 1, maxLength: 120 }), settles), { numRuns: 5000 });
  expect(fc.defaultReportMessage(result)).toBeUndefined();
});

/** Where reading ended, or what was wrong and where. */
function endOf(read: (reader: Reader) => unknown, bytes: Uint8Array): string {
  const reader = new Reader(bytes);
  try {
    read(reader);
    return String(reader.offset);
  } catch (error) {
    if (!(error instanceof DlmsError)) throw error;
    return JSON.stringify([error.code, error.fault, error.at]);
  }
}

function endsTheSame(bytes: Uint8Array): boolean {
  return endOf(skipData, bytes) === endOf(decodeData, bytes);
}

test("data: passing over a value ends, or fails, where decoding it does", () => {
  const vectors = CASES.map(({ input }) => fromHex(input.hex));
  const cut = vectors.flatMap((bytes) => Array.from(bytes.keys(), (length) => bytes.subarray(0, length)));
  const deep = [nested(LIMITS.depth), nested(LIMITS.depth + 1)];
  expect([...vectors, ...cut, ...deep].filter((bytes) => !endsTheSame(bytes))).toEqual([]);
  const changed = fc
    .tuple(fc.constantFrom(...vectors), fc.nat(), fc.nat(0xff))
    .map(([bytes, at, octet]) => bytes.with(at % bytes.length, octet));
  const anything = fc.oneof(fc.uint8Array({ maxLength: 120 }), changed);
  expect(fc.defaultReportMessage(fc.check(fc.property(anything, endsTheSame), { numRuns: 1000 }))).toBeUndefined();
});

test("compact-array: arrays of nothing are not unfolded beyond what the octets may stand for", () => {
  // Found by fuzzing: 34 million elements in 16 octets.
  const bomb = dataFromBytes(fromHex("13010101010101010103010002000100"));
  if (bomb.type !== "compact-array") throw new Error(bomb.type);
  expect(() => expandCompactArray(bomb)).toThrow(
    expect.objectContaining({ code: "LENGTH_OVER_LIMIT", fault: "peer", at: { offset: 0, limit: 128 } }),
  );
  const rows = dataFromBytes(fromHex("13 02 03 00 00 11 03 010203"));
  if (rows.type !== "compact-array") throw new Error(rows.type);
  expect(expandCompactArray(rows)).toHaveLength(3);
});
