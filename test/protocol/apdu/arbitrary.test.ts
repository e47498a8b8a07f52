import fc from "fast-check";
import { expect, test } from "vitest";
import { type Apdu, decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { APDUS } from "../../../protocol/apdu/registry.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { ALL_QUIRKS } from "../../../protocol/quirks.ts";
import { OWN_APDUS } from "./corpus-apdus.ts";

const RUNS = { numRuns: 3000 };
const tag = fc.constantFrom(...Object.values(APDUS).map(([tag]) => tag));
const octets = fc.tuple(tag, fc.uint8Array({ maxLength: 200 })).map(([tag, rest]) => Uint8Array.of(tag, ...rest));

/** An APDU, or undefined for octets that were refused as a fault of the peer. */
function tryDecode(bytes: Uint8Array): Apdu | undefined {
  try {
    return decodeApdu(bytes, ALL_QUIRKS);
  } catch (error) {
    if (!(error instanceof DlmsError) || error.fault !== "peer") throw error;
    return undefined;
  }
}

/** Whatever decodes also encodes, and decodes to the same again. */
function settles(bytes: Uint8Array): void {
  const apdu = tryDecode(bytes);
  if (apdu === undefined) return;
  const { quirks: _, ...value } = apdu;
  expect(decodeApdu(encodeApdu(apdu))).toEqual(value);
}

test("apdu: arbitrary octets give a value that encodes, or the peer's fault", () => {
  fc.assert(fc.property(octets, settles), RUNS);
});

test("apdu: real octets with some of them changed give a value that encodes, or the peer's fault", () => {
  const changed = fc
    .tuple(
      fc.constantFrom(...OWN_APDUS.filter(({ hex }) => hex !== "").map(({ hex }) => hex)),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
    )
    .map(([hex, changes]) => {
      const bytes = fromHex(hex);
      for (const [place, octet] of changes) bytes[place % bytes.length] = octet;
      return bytes;
    });
  fc.assert(fc.property(changed, settles), RUNS);
});

test("apdu: octets that announce much are refused without reserving it", () => {
  const before = process.memoryUsage().arrayBuffers;
  for (const hex of [
    "c40102000984ffffffff",
    "c4010200 01 84ffffffff",
    "c40302 84ffffffff 00",
    "c40302 820fff 00",
    "c802 84ffffffff",
    "6084ffffffff",
    "c40102000184000f42400000",
    `c4010200${"0201".repeat(3000)}`,
  ]) {
    expect(() => decodeApdu(fromHex(hex))).toThrow(DlmsError);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
});
