/**
 * The control field (IEC 62056-46, 6.4.3): what a frame is, who has the turn afterwards, and the sequence numbers.
 * `pollFinal` is P in a frame of the client, F in one of the server.
 */
export type HdlcControl =
  | { readonly type: "I"; readonly ns: number; readonly nr: number; readonly pollFinal: boolean }
  | { readonly type: SupervisoryType; readonly nr: number; readonly pollFinal: boolean }
  | { readonly type: UnnumberedType; readonly pollFinal: boolean }
  /** A control field that is in no table; the frame around it was whole. */
  | { readonly type: "unknown"; readonly octet: number; readonly pollFinal: boolean };

/** Supervisory frames: the low four bits. REJ and SREJ are outside the DLMS subset, some meters send them. */
const SUPERVISORY = { RR: 0x01, RNR: 0x05, REJ: 0x09, SREJ: 0x0d } as const;
/** Unnumbered frames: the octet without P/F. */
const UNNUMBERED = { SNRM: 0x83, DISC: 0x43, UA: 0x63, DM: 0x0f, FRMR: 0x87, UI: 0x03 } as const;

type SupervisoryType = keyof typeof SUPERVISORY;
export type UnnumberedType = keyof typeof UNNUMBERED;

const POLL_FINAL = 0x10;
const MODULO = 8;

const BY_OCTET: readonly HdlcControl[] = Array.from({ length: 256 }, (_, octet) => meaning(octet));
const OCTETS: Readonly<Record<string, number>> = { I: 0, ...SUPERVISORY, ...UNNUMBERED };

export function decodeControl(octet: number): HdlcControl {
  return BY_OCTET[octet & 0xff] ?? meaning(octet);
}

export function encodeControl(control: HdlcControl): number {
  if (control.type === "unknown") return control.octet;
  const nr = "nr" in control ? control.nr << 5 : 0;
  const ns = control.type === "I" ? control.ns << 1 : 0;
  return (OCTETS[control.type] ?? 0) | nr | ns | (control.pollFinal ? POLL_FINAL : 0);
}

/** The next sequence number, or the one `steps` further. */
export function sequenceAfter(number: number, steps = 1): number {
  return (number + steps) % MODULO;
}

/** How many steps lead from one sequence number to another, 0..7. */
export function sequenceDistance(from: number, to: number): number {
  return (to - from + MODULO) % MODULO;
}

function meaning(octet: number): HdlcControl {
  const pollFinal = (octet & POLL_FINAL) !== 0;
  const nr = octet >> 5;
  if ((octet & 0x01) === 0) return { type: "I", ns: (octet >> 1) & 0x07, nr, pollFinal };
  if ((octet & 0x02) === 0) return { type: nameOf(SUPERVISORY, octet & 0x0f) ?? "RR", nr, pollFinal };
  const type = nameOf(UNNUMBERED, octet & ~POLL_FINAL);
  return type === undefined ? { type: "unknown", octet, pollFinal } : { type, pollFinal };
}

function nameOf<Name extends string>(table: Readonly<Record<Name, number>>, octet: number): Name | undefined {
  for (const name in table) if (table[name] === octet) return name;
  return undefined;
}
