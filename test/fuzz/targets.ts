/** Everything that takes octets off the wire. A new decoder or machine gets its line here and is fuzzed from then on. */
import { isDeepStrictEqual } from "node:util";
import { decodeApdu, encodeApdu } from "../../protocol/apdu/apdu.ts";
import { dataFromBytes, dataToBytes, expandCompactArray } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { captureObjectsFromData, pushObjectsFromData } from "../../protocol/cosem/capture-object.ts";
import { INTERFACE_CLASSES } from "../../protocol/cosem/classes/registry.ts";
import {
  decodeDate,
  decodeDateTime,
  decodeTime,
  encodeDate,
  encodeDateTime,
  encodeTime,
  resolveDateTime,
} from "../../protocol/cosem/date-time.ts";
import { parseAttribute } from "../../protocol/cosem/interface-class.ts";
import { objectListFromData } from "../../protocol/cosem/object-list.ts";
import { scalerUnitFromData } from "../../protocol/cosem/scaler-unit.ts";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { decodeHdlcFrame, encodeHdlcFrame } from "../../protocol/link/hdlc/frame.ts";
import { frmrError } from "../../protocol/link/hdlc/frmr.ts";
import { decodeParameters } from "../../protocol/link/hdlc/parameters.ts";
import { parseDecimal } from "../../protocol/link/iec62056-21/data-sets.ts";
import { decodeP1Telegram, parseP1Time } from "../../protocol/link/iec62056-21/p1.ts";
import { decodeReadoutBlock } from "../../protocol/link/iec62056-21/readout.ts";
import { parseReadoutTime } from "../../protocol/link/iec62056-21/readout-time.ts";
import { decodeIdentification, decodeOptionSelect } from "../../protocol/link/iec62056-21/sign-on.ts";
import { textOf } from "../../protocol/link/iec62056-21/text.ts";
import { decodeMbusFrame, encodeMbusFrame } from "../../protocol/link/mbus.ts";
import { decodeWrapper, encodeWrapper } from "../../protocol/link/wrapper.ts";
import { compactTemplate, decodeCompactData, templateIdOf } from "../../protocol/profile/compact-data.ts";
import { decodeProfileBuffer } from "../../protocol/profile/decode.ts";
import { profileLayout, scalersFromProfile } from "../../protocol/profile/layout.ts";
import { ALL_QUIRKS, FIELD_QUIRKS, NO_QUIRKS, type Quirk } from "../../protocol/quirks.ts";
import { parseContent } from "../../protocol/security/aead.ts";
import { readCertificate } from "../../protocol/security/certificate.ts";
import { readCertificateRequest } from "../../protocol/security/certificate-request.ts";
import { parseCipheredApdu } from "../../protocol/security/ciphered-apdu.ts";
import { publicKeyFromDer, publicKeyFromOctets } from "../../protocol/security/elliptic-key.ts";
import { parseGeneralCiphering, parseGeneralSigning } from "../../protocol/security/general-apdu.ts";
import { treeLines } from "../../protocol/translate/render.ts";
import { translate } from "../../protocol/translate/translate.ts";
import { readoutRows } from "../../src/profiles/readout-rows.ts";
import { APDU_MACHINES, type StreamTarget } from "./machines.ts";

export interface DecoderTarget {
  readonly name: string;
  /** Layers of the corpus whose octets are good seeds. */
  readonly layers: readonly string[];
  /** Decodes, and encodes again where there is an encoder. Throws DlmsError of the peer's fault, or nothing. */
  decode(octets: Uint8Array): unknown;
  /** `named`: a vector cut short must say DATA_TRUNCATED. `sampled`: too slow to be cut at every place in a unit test. */
  readonly truncation?: "named" | "sampled";
}

const zone = namedZone("Europe/Berlin");
const CLOCK = { deviation: "standard", zone } as const;
const LAYOUT = profileLayout({
  captureObjects: [
    { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 },
    { classId: 3, logicalName: "1.0.1.8.0.255", attributeId: 2, dataIndex: 0 },
    { classId: 1, logicalName: "0.0.96.10.1.255", attributeId: 2, dataIndex: 0 },
  ],
  capturePeriodS: 900,
});

/** What has been decoded must be what its own octets decode to. */
function roundTrip<T>(value: T, encode: (value: T) => Uint8Array, decode: (octets: Uint8Array) => T): T {
  const again = decode(encode(value));
  if (!isDeepStrictEqual(again, value)) throw new Error(`encoding changed the value: ${toHex(encode(value))}`);
  return value;
}

function decodeApduTolerating(quirks: ReadonlySet<Quirk>): (octets: Uint8Array) => unknown {
  return (octets) => {
    const { apdu, body } = decodeApdu(octets, quirks);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Taking a union apart loses what belongs together.
    const plain = { apdu, body } as ReturnType<typeof decodeApdu>;
    return roundTrip(inTagOrder(plain), encodeApdu, (again) => inTagOrder(decodeApdu(again, NO_QUIRKS)));
  };
}

/** Elements of an ACSE APDU that nobody knows are encoded by their tags, wherever they had been. */
function inTagOrder(apdu: ReturnType<typeof decodeApdu>): ReturnType<typeof decodeApdu> {
  if (!("unknownElements" in apdu.body)) return apdu;
  const unknownElements = apdu.body.unknownElements?.toSorted((a, b) => a.tag - b.tag);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- A spread forgets that name and body belong together.
  return { ...apdu, body: { ...apdu.body, unknownElements } } as ReturnType<typeof decodeApdu>;
}

/** Every attribute of one interface class; which one, the octets say. */
function decodeAttributes(octets: Uint8Array): void {
  const data = dataFromBytes(octets);
  const sum = octets.reduce((total, octet) => total + octet, 0);
  const cosemClass = INTERFACE_CLASSES[sum % INTERFACE_CLASSES.length];
  if (cosemClass === undefined) return;
  for (const name of Object.keys(cosemClass.attributes)) {
    try {
      parseAttribute(cosemClass, name, data);
    } catch (error) {
      if (!(error instanceof DlmsError && error.fault === "peer")) throw error;
    }
  }
}

/** The template's length, the template, and a buffer behind it. */
function decodeWithTemplate(octets: Uint8Array): unknown {
  const [length = 0] = octets;
  const buffer = octets.subarray(1 + length);
  return decodeCompactData(buffer, compactTemplate(templateIdOf(buffer), octets.subarray(1, 1 + length)));
}

/** A structure of capture objects and their row. */
function decodeScalerProfile(octets: Uint8Array): unknown {
  const data = dataFromBytes(octets);
  const [objects, row] = data.type === "structure" ? data.value : [];
  return objects && row && scalersFromProfile(captureObjectsFromData(objects), row);
}

export const DECODERS: readonly DecoderTarget[] = [
  {
    name: "data",
    layers: ["axdr"],
    decode: (octets) => roundTrip(dataFromBytes(octets), dataToBytes, dataFromBytes),
    truncation: "named",
  },
  {
    name: "compact-array",
    layers: ["axdr"],
    decode: (octets) => {
      const data = dataFromBytes(octets);
      return data.type === "compact-array" ? expandCompactArray(data) : data;
    },
  },
  { name: "apdu-standard", layers: ["apdu"], decode: decodeApduTolerating(NO_QUIRKS) },
  { name: "apdu-field", layers: ["apdu"], decode: decodeApduTolerating(FIELD_QUIRKS) },
  { name: "apdu-every-quirk", layers: ["apdu"], decode: decodeApduTolerating(ALL_QUIRKS) },
  { name: "object-list", layers: ["axdr"], decode: (octets) => objectListFromData(dataFromBytes(octets)) },
  { name: "capture-objects", layers: ["axdr"], decode: (octets) => captureObjectsFromData(dataFromBytes(octets)) },
  { name: "scaler-unit", layers: ["axdr"], decode: (octets) => scalerUnitFromData(dataFromBytes(octets)) },
  {
    name: "date-time",
    layers: ["datetime"],
    decode: (octets) => {
      if (octets.length === 5) return roundTrip(decodeDate(octets), encodeDate, decodeDate);
      if (octets.length === 4) return roundTrip(decodeTime(octets), encodeTime, decodeTime);
      const value = roundTrip(decodeDateTime(octets), encodeDateTime, decodeDateTime);
      return [value, resolveDateTime(octets, CLOCK)];
    },
  },
  {
    name: "wrapper-datagram",
    layers: ["wrapper"],
    decode: (octets) => roundTrip(decodeWrapper(octets), encodeWrapper, decodeWrapper),
  },
  {
    name: "hdlc-frame",
    layers: ["hdlc"],
    decode: (octets) => {
      const frame = decodeHdlcFrame(octets)?.frame;
      return frame && roundTrip(frame, encodeHdlcFrame, (again) => decodeHdlcFrame(again)?.frame ?? frame);
    },
  },
  { name: "hdlc-parameters", layers: ["hdlc"], decode: (octets) => decodeParameters(octets.subarray(9)) },
  {
    name: "mbus-frame",
    layers: ["wrapper"],
    decode: (octets) => {
      const frame = decodeMbusFrame(octets)?.frame;
      // A length field that has overflowed is read, not written.
      if (frame === undefined || frame.payload.length > 252) return frame;
      return roundTrip(frame, encodeMbusFrame, (again) => decodeMbusFrame(again)?.frame ?? frame);
    },
  },
  { name: "p1-telegram", layers: ["mode-e", "p1"], decode: (octets) => decodeP1Telegram(octets) },
  { name: "readout-block", layers: ["mode-e"], decode: (octets) => decodeReadoutBlock(octets) },
  { name: "readout-rows", layers: ["mode-e"], decode: (octets) => readoutRows(decodeReadoutBlock(octets), CLOCK) },
  { name: "identification", layers: ["mode-e"], decode: (octets) => decodeIdentification(octets) },
  {
    name: "translate",
    layers: ["wrapper", "hdlc", "llc"],
    decode: (octets) => treeLines(translate(octets).nodes),
    truncation: "sampled",
  },
  { name: "general-protection", layers: ["apdu", "security"], decode: (octets) => parseGeneralCiphering(octets) },
  { name: "general-signing", layers: ["apdu", "security"], decode: (octets) => parseGeneralSigning(octets) },
  {
    name: "profile-buffer",
    layers: ["axdr"],
    decode: (octets) => decodeProfileBuffer(octets, LAYOUT, { clock: CLOCK, keepWholeRows: octets.length % 2 === 0 }),
  },
  { name: "push-objects", layers: ["axdr"], decode: (octets) => pushObjectsFromData(dataFromBytes(octets)) },
  { name: "attributes", layers: ["axdr"], decode: decodeAttributes },
  { name: "compact-data", layers: ["compact-data"], decode: decodeWithTemplate },
  { name: "scaler-profile", layers: ["capture-row"], decode: decodeScalerProfile },
  { name: "hdlc-frmr", layers: ["frmr"], decode: (octets) => frmrError(octets) },
  { name: "option-select", layers: ["option-select"], decode: (octets) => decodeOptionSelect(octets) },
  {
    name: "p1-value",
    layers: ["p1-value"],
    decode: (octets) => [parseDecimal, parseP1Time, parseReadoutTime].map((parse) => parse(textOf(octets))),
  },
  { name: "certificate", layers: ["certificate"], decode: (octets) => readCertificate(octets) },
  { name: "certificate-request", layers: ["certificate-request"], decode: (octets) => readCertificateRequest(octets) },
  {
    name: "public-key",
    layers: ["certificate", "public-key"],
    decode: (octets) =>
      octets.length < 100 ? publicKeyFromOctets("P-256", octets.subarray(-64)) : publicKeyFromDer(octets),
  },
  ...APDU_MACHINES,
  { name: "ciphered-apdu", layers: ["apdu", "security"], decode: (octets) => parseCipheredApdu(octets) },
  { name: "ciphered-content", layers: ["security"], decode: (octets) => parseContent(octets) },
];

/** Throws unless the decoder gives a value or a DlmsError that blames the peer. */
export function runDecoder(target: DecoderTarget, octets: Uint8Array): DlmsError | undefined {
  try {
    target.decode(octets);
    return undefined;
  } catch (error) {
    if (error instanceof DlmsError && error.fault === "peer") return error;
    throw error;
  }
}

/** Throws unless a stream gives the same for whole, cut and single octets. */
export function runStream(target: StreamTarget, octets: Uint8Array, pieces: readonly Uint8Array[]): void {
  const whole = target.run([octets]);
  for (const way of [pieces, Array.from(octets, (octet) => Uint8Array.of(octet))]) {
    const cut = target.run(way);
    if (!isDeepStrictEqual(withoutErrorIdentity(cut), withoutErrorIdentity(whole))) {
      throw new Error(`cutting changed the events: ${describe(whole)} became ${describe(cut)}`);
    }
  }
}

/** Errors are equal when their code and fault are: positions in a stream depend on how it was cut. */
function withoutErrorIdentity(events: readonly unknown[]): unknown[] {
  return events.map((event) =>
    typeof event === "object" && event !== null && "error" in event && event.error instanceof DlmsError
      ? { ...event, error: `${event.error.code} ${event.error.fault}` }
      : event,
  );
}

function describe(events: readonly unknown[]): string {
  const text = JSON.stringify(events, (_key, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value));
  return text.slice(0, 400);
}
