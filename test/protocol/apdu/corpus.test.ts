import { expect, test } from "vitest";
import { decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { type ApduOctets, FIELD_APDUS, OWN_APDUS } from "./corpus-apdus.ts";
import { decodableCuts } from "./vectors.ts";

/** Cut where an older edition's form ends, these are whole again. */
const VALID_CUTS: Readonly<Record<string, readonly number[]>> = { "std-apdu-exception-ic": [3] };

/** What is wrong with how a case that must be accepted decodes, encodes and is cut; empty when nothing is. */
function faults({ id, hex }: ApduOctets): string[] {
  const bytes = fromHex(hex);
  const apdu = decodeApdu(bytes);
  const encoded = toHex(encodeApdu(apdu));
  const cuts = decodableCuts(bytes).filter((length) => !VALID_CUTS[id]?.includes(length));
  return [
    ...(apdu.quirks === undefined && encoded !== toHex(bytes) ? [`${id}: encodes to ${encoded}`] : []),
    ...cuts.map((length) => `${id}: decodes when cut at ${length}`),
  ];
}

function decodes({ hex }: ApduOctets): boolean {
  try {
    decodeApdu(fromHex(hex));
    return true;
  } catch (error) {
    if (!(error instanceof DlmsError)) throw error;
    return false;
  }
}

function withOutcome(cases: readonly ApduOctets[], outcome: string): readonly ApduOctets[] {
  return cases.filter((each) => each.outcome === outcome);
}

test("apdu: our own cases encode to the same octets, and no cut of them decodes", () => {
  const accepted = withOutcome(OWN_APDUS, "accept");
  expect(accepted.length).toBe(64);
  expect(accepted.flatMap(faults)).toEqual([]);
});

test("apdu: our own damaged cases are refused", () => {
  const refused = withOutcome(OWN_APDUS, "reject");
  expect(refused.length).toBe(12);
  expect(refused.filter(decodes)).toEqual([]);
});

test.skipIf(FIELD_APDUS === undefined)(
  "apdu: field cases encode to the same octets, and no cut of them decodes (needs ../shared/corpus/field)",
  () => {
    const accepted = withOutcome(FIELD_APDUS ?? [], "accept");
    expect(accepted.length).toBeGreaterThanOrEqual(79);
    expect(accepted.flatMap(faults)).toEqual([]);
    expect(withOutcome(FIELD_APDUS ?? [], "reject").filter(decodes)).toEqual([]);
  },
);
