import { expect, test } from "vitest";
import { type Apdu, decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { NO_QUIRKS } from "../../../protocol/quirks.ts";

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly apdu: Apdu;
  /** Lengths at which the APDU, cut off, is another valid one. */
  readonly validCuts?: readonly number[];
}

/** A row each: decodes to the value, encodes to the same octets, and no truncation decodes. */
export function apduVectors(subject: string, vectors: readonly Vector[]): void {
  for (const { name, hex, apdu, validCuts = [] } of vectors) {
    test(`${subject}: ${name}`, () => {
      const bytes = fromHex(hex);
      expect(decodeApdu(bytes, NO_QUIRKS)).toEqual(apdu);
      expect(toHex(encodeApdu(apdu))).toBe(toHex(bytes));
      expect(decodableCuts(bytes)).toEqual(validCuts);
    });
  }
}

/** The lengths at which the octets, cut off, still decode by the standard alone; every other cut is the peer's fault. */
export function decodableCuts(bytes: Uint8Array): number[] {
  const decodable: number[] = [];
  for (let length = 0; length < bytes.length; length++) {
    try {
      decodeApdu(bytes.subarray(0, length), NO_QUIRKS);
      decodable.push(length);
    } catch (error) {
      if (!(error instanceof DlmsError) || error.fault !== "peer") throw error;
    }
  }
  return decodable;
}

export const CLOCK_TIME = { classId: 8, logicalName: fromHex("0000010000ff"), attributeId: 2 } as const;
export const DISCONNECT = { classId: 70, logicalName: fromHex("000060030aff"), methodId: 1 } as const;
