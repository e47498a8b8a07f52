/** Object identifiers of COSEM: application contexts and authentication mechanisms (IEC 62056-5-3). */
import type { Codec } from "../axdr/codec.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { sameOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";

/** 2.16.756.5.8, the part that all names share. */
const COSEM_ARC = "6085740508";

/** The last two arcs of each name. */
export const APPLICATION_CONTEXT_NAMES = {
  "logical-name": "0101",
  "short-name": "0102",
  "logical-name-with-ciphering": "0103",
  "short-name-with-ciphering": "0104",
} as const;

export const MECHANISM_NAMES = {
  none: "0200",
  lls: "0201",
  hls: "0202",
  "hls-md5": "0203",
  "hls-sha1": "0204",
  "hls-gmac": "0205",
  "hls-sha256": "0206",
  "hls-ecdsa": "0207",
} as const;

/** A name of the table; an identifier outside it is `unknown-` and its contents in hexadecimal. */
export type ApplicationContextName = keyof typeof APPLICATION_CONTEXT_NAMES | `unknown-${string}`;
export type MechanismName = keyof typeof MECHANISM_NAMES | `unknown-${string}`;

/** Contents of an OBJECT IDENTIFIER as a name of the table. */
function objectIdentifier<const T extends Readonly<Record<string, string>>>(
  table: T,
): Codec<Extract<keyof T, string> | `unknown-${string}`> {
  type Name = Extract<keyof T, string> | `unknown-${string}`;
  const known = Object.entries(table).map(([name, arcs]) => ({ name, octets: fromHex(COSEM_ARC + arcs) }));
  return {
    decode(reader) {
      const octets = reader.rest();
      const name = known.find((each) => sameOctets(each.octets, octets))?.name ?? `unknown-${toHex(octets)}`;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- The known names are the table's keys.
      return name as Name;
    },
    encode(value, writer) {
      const found = known.find(({ name }) => name === value);
      if (found !== undefined) {
        writer.bytes(found.octets);
        return;
      }
      const identifier = /^unknown-([0-9a-f]*)$/.exec(value)?.[1];
      if (identifier === undefined) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { name: value });
      writer.bytes(fromHex(identifier));
    },
  };
}

export const applicationContextName: Codec<ApplicationContextName> = objectIdentifier(APPLICATION_CONTEXT_NAMES);
export const mechanismName: Codec<MechanismName> = objectIdentifier(MECHANISM_NAMES);
