/** The opening messages of IEC 62056-21 (clause 6.3): request, identification, acknowledgement with option select. */
import { DlmsError } from "../../errors.ts";
import { octetsOf, textOf } from "./text.ts";

/** Baud by the meter's identification character, modes C and E. */
const MODE_C_BAUDS: Readonly<Record<string, number>> = {
  "0": 300,
  "1": 600,
  "2": 1200,
  "3": 2400,
  "4": 4800,
  "5": 9600,
  "6": 19200,
};
/** Mode B switches without an acknowledgement. */
const MODE_B_BAUDS: Readonly<Record<string, number>> = { A: 600, B: 1200, C: 2400, D: 4800, E: 9600, F: 19200 };
const ACK = 0x06;
/** The escape sequence with which a meter offers HDLC. */
const HDLC_ESCAPE = "\\2";
/** Manufacturer, baud character, escape sequences, up to the end of the line. */
const IDENTIFICATION = /^\/([A-Za-z]{3})([\x20-\x7e])((?:\\[\x20-\x7e])*)([^\r\n]*)\r?\n$/;

export interface Identification {
  /** Three letters of the FLAG Association. */
  readonly manufacturer: string;
  /** The meter reacts within 20 ms instead of 200: its third letter is a small one. */
  readonly fast: boolean;
  readonly baudCharacter: string;
  /** What the meter can switch to; undefined for mode A, which stays at its speed. */
  readonly baud: number | undefined;
  readonly mode: "A" | "B" | "C" | "E";
  /** All escape sequences as they came, `\2` offers HDLC. */
  readonly escape: string;
  readonly identification: string;
}

/** What the meter shall do next. */
export type Procedure = "readout" | "programming" | "hdlc";

/** Protocol control and mode control characters of the acknowledgement. */
const PROCEDURES: Readonly<Record<Procedure, { readonly protocol: string; readonly mode: string }>> = {
  readout: { protocol: "0", mode: "0" },
  programming: { protocol: "0", mode: "1" },
  hdlc: { protocol: "2", mode: "2" },
};

/** `/?` address `!`; the address may be left out when one meter is on the line. */
export function encodeSignOn(deviceAddress = ""): Uint8Array {
  if (!/^[0-9A-Za-z ]{0,32}$/.test(deviceAddress)) {
    throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { deviceAddress });
  }
  return octetsOf(`/?${deviceAddress}!\r\n`);
}

/** Reads a whole identification line, its line end included. Throws READOUT_INVALID. */
export function decodeIdentification(octets: Uint8Array): Identification {
  const match = IDENTIFICATION.exec(textOf(octets));
  const [, manufacturer, baudCharacter, escape = "", identification = ""] = match ?? [];
  if (manufacturer === undefined || baudCharacter === undefined) {
    throw new DlmsError("READOUT_INVALID", "peer", { message: "identification", octets: octets.length });
  }
  const hdlc = escape.includes(HDLC_ESCAPE);
  const baud = baudOf(baudCharacter);
  const mode = hdlc ? "E" : baudCharacter in MODE_C_BAUDS ? "C" : baudCharacter in MODE_B_BAUDS ? "B" : "A";
  const fast = /[a-z]$/.test(manufacturer);
  return { manufacturer, fast, baudCharacter, baud, mode, escape, identification };
}

/** Bits per second that an identification character stands for; undefined for one that is in no table. */
export function baudOf(character: string): number | undefined {
  return MODE_C_BAUDS[character] ?? MODE_B_BAUDS[character];
}

/** The fastest baud character of modes C and E that is at most `baud`. */
export function baudCharacterFor(baud: number): string {
  let best = "0";
  for (const [character, rate] of Object.entries(MODE_C_BAUDS)) if (rate <= baud) best = character;
  return best;
}

/** ACK, protocol, baud and mode character: the choice of speed and procedure. */
export function encodeOptionSelect(baudCharacter: string, procedure: Procedure): Uint8Array {
  const { protocol, mode } = PROCEDURES[procedure];
  return Uint8Array.of(ACK, ...octetsOf(`${protocol}${baudCharacter}${mode}\r\n`));
}

/** The characters of an acknowledgement. Throws READOUT_INVALID. */
export function decodeOptionSelect(octets: Uint8Array): { protocol: string; baud: string; mode: string } {
  const match = /^([0-9])([0-9A-I])([0-9A-Z])\r?\n$/.exec(textOf(octets.subarray(1)));
  const [, protocol, baud, mode] = match ?? [];
  if (octets[0] !== ACK || protocol === undefined || baud === undefined || mode === undefined) {
    throw new DlmsError("READOUT_INVALID", "peer", { message: "acknowledgement", octets: octets.length });
  }
  return { protocol, baud, mode };
}
