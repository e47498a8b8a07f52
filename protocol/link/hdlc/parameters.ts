/**
 * The link parameters in the information field of SNRM and UA (IEC 62056-46, 6.4.4.4.3.2): format 81, group 80, then
 * identifier, length and value of each. "Transmit" and "receive" are the sender's point of view, so that the UA's receive
 * limits bound what we transmit.
 */
import { Reader } from "../../bytes/reader.ts";
import { Writer } from "../../bytes/writer.ts";
import { DlmsError } from "../../errors.ts";

export interface HdlcParameters {
  /** Octets of the information field (LLC and APDU part) of one frame, 32..2030. */
  readonly maxInfoTransmit: number;
  readonly maxInfoReceive: number;
  /** Frames that may be on their way before an acknowledgement, 1..7. */
  readonly windowTransmit: number;
  readonly windowReceive: number;
}

export const DEFAULT_PARAMETERS: HdlcParameters = {
  maxInfoTransmit: 128,
  maxInfoReceive: 128,
  windowTransmit: 1,
  windowReceive: 1,
};
export const MIN_INFO_LENGTH = 32;
const MAX_INFO_LENGTH = 2030;
const MAX_WINDOW = 7;

const FORMAT_ID = 0x81;
const PARAMETER_GROUP = 0x80;
const USER_DATA_GROUP = 0xf0;
/** Identifiers in the order in which they are sent; windows always take four octets, lengths one or two. */
const IDENTIFIERS: readonly { readonly id: number; readonly name: keyof HdlcParameters; readonly octets?: 4 }[] = [
  { id: 0x05, name: "maxInfoTransmit" },
  { id: 0x06, name: "maxInfoReceive" },
  { id: 0x07, name: "windowTransmit", octets: 4 },
  { id: 0x08, name: "windowReceive", octets: 4 },
];

export function encodeParameters(parameters: HdlcParameters): Uint8Array {
  const group = new Writer();
  for (const { id, name, octets } of IDENTIFIERS) {
    const value = parameters[name];
    group.u8(id);
    if (octets === 4) group.u8(4).u32(value);
    else if (value < 0x100) group.u8(1).u8(value);
    else group.u8(2).u16(value);
  }
  return new Writer().u8(FORMAT_ID).u8(PARAMETER_GROUP).octetString(group.finish()).finish();
}

/**
 * The parameters that are given, in any order and with values of one to four octets; an empty field gives none. Unknown
 * identifiers and user data behind the group are skipped. Throws for another format and for truncated fields.
 */
export function decodeParameters(information: Uint8Array): Partial<HdlcParameters> {
  if (information.length === 0) return {};
  const reader = new Reader(information);
  const [format, group] = [reader.u8(), reader.u8()];
  if (format !== FORMAT_ID || group !== PARAMETER_GROUP) {
    throw new DlmsError("FRAME_INVALID", "peer", { offset: 0, format, group });
  }
  const fields = new Reader(reader.bytes(reader.u8()));
  const parameters: { -readonly [Name in keyof HdlcParameters]?: number } = {};
  while (fields.remaining > 0) {
    const id = fields.u8();
    const value = readValue(fields);
    const known = IDENTIFIERS.find((identifier) => identifier.id === id);
    if (known) parameters[known.name] = value;
  }
  if (reader.remaining > 0 && reader.peek() !== USER_DATA_GROUP) reader.end();
  return parameters;
}

/**
 * What holds after both sides have spoken: the smaller value of each pair, the default for one that the peer leaves out.
 * An answer above the proposal is cut to it. Zero, which nobody can mean, counts as left out.
 */
export function negotiate(own: HdlcParameters, peer: Partial<HdlcParameters>): HdlcParameters {
  const smaller = (name: keyof HdlcParameters, theirs: keyof HdlcParameters) =>
    Math.min(own[name], peer[theirs] || DEFAULT_PARAMETERS[theirs]);
  return {
    maxInfoTransmit: smaller("maxInfoTransmit", "maxInfoReceive"),
    maxInfoReceive: smaller("maxInfoReceive", "maxInfoTransmit"),
    windowTransmit: smaller("windowTransmit", "windowReceive"),
    windowReceive: smaller("windowReceive", "windowTransmit"),
  };
}

/** Throws DATA_OUT_OF_RANGE unless every parameter is within the standard's range. */
export function requireParameters(parameters: HdlcParameters): HdlcParameters {
  for (const { name, octets } of IDENTIFIERS) {
    const value = parameters[name];
    const [min, max] = octets === 4 ? [1, MAX_WINDOW] : [MIN_INFO_LENGTH, MAX_INFO_LENGTH];
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { [name]: value, min, max });
    }
  }
  return parameters;
}

function readValue(fields: Reader): number {
  const offset = fields.offset;
  const length = fields.u8();
  if (length === 0 || length > 4) throw new DlmsError("LENGTH_INVALID", "peer", { offset, length });
  let value = 0;
  for (const octet of fields.bytes(length)) value = value * 0x100 + octet;
  return value;
}
