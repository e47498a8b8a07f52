import { DlmsError } from "../errors.ts";

const DIGITS = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, "0"));

/** Lower-case hexadecimal without separators. */
export function toHex(bytes: Uint8Array): string {
  const pairs: string[] = [];
  for (const octet of bytes) pairs.push(DIGITS[octet] ?? "");
  // V8 keeps a text that grew piece by piece as its pieces, some 30 octets for each, for as long as it is kept.
  return pairs.join("");
}

/** Reads hexadecimal octets; blanks, colons, commas, dashes and `0x` between octets are skipped. Throws HEX_INVALID. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/0x|[\s:,-]/gi, "");
  const bad = digits.search(/[^0-9a-f]/i);
  if (bad >= 0) throw new DlmsError("HEX_INVALID", "caller", { digit: bad });
  if (digits.length % 2 !== 0) throw new DlmsError("HEX_INVALID", "caller", { digits: digits.length });
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
