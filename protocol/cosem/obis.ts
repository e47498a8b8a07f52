/** OBIS codes: the six value groups A to F that name a quantity, and the logical names of objects made of them. */
import { DlmsError } from "../errors.ts";

/** Value groups: A medium, B channel, C quantity, D processing, E tariff or the like, F historical value. */
export interface ObisCode {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

export const LOGICAL_NAME_LENGTH = 6;

/** F says "not a historical value"; E and F of reduced forms are this. */
const NOT_USED = 255;

/** The dotted text of a logical name's 6 octets, as `1.0.1.8.0.255`. Throws DATA_TYPE_MISMATCH for another length. */
export function logicalNameFromOctets(octets: Uint8Array): string {
  if (octets.length !== LOGICAL_NAME_LENGTH) {
    throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { wanted: "logical name", length: octets.length });
  }
  const [a, b, c, d, e, f] = octets;
  return `${a}.${b}.${c}.${d}.${e}.${f}`;
}

/** The 6 octets of a logical name in any of the forms of `parseObis`. Throws OBIS_INVALID. */
export function logicalNameToOctets(logicalName: string): Uint8Array {
  const { a, b, c, d, e, f } = parseObis(logicalName);
  return Uint8Array.of(a, b, c, d, e, f);
}

/** A-B:C.D.E*F, with `&` as some readouts write for `*`; A-B: and *F may be absent, and E too. */
const DASHED = /^(?:(?:(\d{1,3})-)?(\d{1,3}):)?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?:[*&.](\d{1,3}))?$/;
const DOTTED = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const HEX = /^[0-9a-f]{12}$/i;

/**
 * Reads `1.0.1.8.0.255`, `1-0:1.8.0*255`, `1-0:1.8.0.255`, `1-0:1.8.0`, 12 hexadecimal digits, or the reduced `1.8.0`
 * of local readouts, which means electricity on channel 0. Throws OBIS_INVALID.
 */
export function parseObis(text: string): ObisCode {
  const trimmed = text.trim();
  if (HEX.test(trimmed))
    return fromGroups(
      (trimmed.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)),
      text,
    );
  const dotted = DOTTED.exec(trimmed);
  if (dotted !== null) return fromGroups(dotted.slice(1).map(Number), text);
  const dashed = DASHED.exec(trimmed);
  if (dashed === null) throw new DlmsError("OBIS_INVALID", "caller", { text });
  const [, a = "1", b = "0", c, d, e = "255", f = "255"] = dashed;
  return fromGroups([a, b, c, d, e, f].map(Number), text);
}

function fromGroups(groups: readonly number[], text: string): ObisCode {
  if (groups.some((group) => !(group <= 255))) throw new DlmsError("OBIS_INVALID", "caller", { text });
  const [a = 0, b = 0, c = 0, d = 0, e = NOT_USED, f = NOT_USED] = groups;
  return { a, b, c, d, e, f };
}

/** The form that people write: `1-0:1.8.0*255`. */
export function formatObis(code: ObisCode): string {
  return `${code.a}-${code.b}:${code.c}.${code.d}.${code.e}*${code.f}`;
}

/** The dotted form that serves as a key: `1.0.1.8.0.255`. */
export function dottedObis(code: ObisCode): string {
  return `${code.a}.${code.b}.${code.c}.${code.d}.${code.e}.${code.f}`;
}
