/** Everything that takes octets off the wire. A new decoder or machine gets its line here and is fuzzed from then on. */
import { isDeepStrictEqual } from "node:util";
import { decodeApdu, encodeApdu } from "../../protocol/apdu/apdu.ts";
import { dataFromBytes, dataToBytes, expandCompactArray } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { captureObjectsFromData } from "../../protocol/cosem/capture-object.ts";
import { decodeDateTime, encodeDateTime, resolveDateTime } from "../../protocol/cosem/date-time.ts";
import { objectListFromData } from "../../protocol/cosem/object-list.ts";
import { scalerUnitFromData } from "../../protocol/cosem/scaler-unit.ts";
import { namedZone } from "../../protocol/cosem/time-zone.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../protocol/link/hdlc/client.ts";
import { decodeHdlcFrame, encodeHdlcFrame } from "../../protocol/link/hdlc/frame.ts";
import { HdlcFrameParser } from "../../protocol/link/hdlc/frame-parser.ts";
import { decodeParameters } from "../../protocol/link/hdlc/parameters.ts";
import { HdlcServer } from "../../protocol/link/hdlc/server.ts";
import { ModeEOpening } from "../../protocol/link/iec62056-21/mode-e-opening.ts";
import { decodeP1Telegram, P1Parser } from "../../protocol/link/iec62056-21/p1.ts";
import { decodeReadoutBlock, ReadoutParser } from "../../protocol/link/iec62056-21/readout.ts";
import { decodeIdentification } from "../../protocol/link/iec62056-21/sign-on.ts";
import { decodeMbusFrame, encodeMbusFrame } from "../../protocol/link/mbus.ts";
import { PushReceiver } from "../../protocol/link/push-receiver.ts";
import { decodeWrapper, encodeWrapper, WrapperParser } from "../../protocol/link/wrapper.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import type { Machine } from "../../protocol/machine.ts";
import { FIELD_QUIRKS, NO_QUIRKS, QUIRKS, type Quirk } from "../../protocol/quirks.ts";
import { parseContent } from "../../protocol/security/aead.ts";
import { parseCipheredApdu } from "../../protocol/security/ciphered-apdu.ts";

export interface DecoderTarget {
  readonly name: string;
  /** Layers of the corpus whose octets are good seeds. */
  readonly layers: readonly string[];
  /** Decodes, and encodes again where there is an encoder. Throws DlmsError of the peer's fault, or nothing. */
  decode(octets: Uint8Array): unknown;
  /** Whether a vector cut short must say DATA_TRUNCATED, or may say something else. */
  readonly truncation?: "named";
}

export interface StreamTarget {
  readonly name: string;
  readonly layers: readonly string[];
  /** Takes the pieces in order and gives everything that came out. */
  run(pieces: readonly Uint8Array[]): unknown[];
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the keys' literal types.
const ALL_QUIRKS: ReadonlySet<Quirk> = new Set(Object.keys(QUIRKS) as Quirk[]);
const zone = namedZone("Europe/Berlin");

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
      const value = roundTrip(decodeDateTime(octets), encodeDateTime, decodeDateTime);
      return [value, resolveDateTime(octets, { deviation: "standard", zone })];
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
  { name: "identification", layers: ["mode-e"], decode: (octets) => decodeIdentification(octets) },
  { name: "ciphered-apdu", layers: ["apdu", "security"], decode: (octets) => parseCipheredApdu(octets) },
  { name: "ciphered-content", layers: ["security"], decode: (octets) => parseContent(octets) },
];

/** The events and the octets to send that a machine gives after each piece. */
function drive<Command, Event>(machine: Machine<Command, Event>, pieces: readonly Uint8Array[]): unknown[] {
  const results: unknown[] = [];
  const take = () => {
    for (let event = machine.takeEvent(); event !== undefined; event = machine.takeEvent()) results.push(event);
    for (let sent = machine.takeBytes(); sent !== undefined; sent = machine.takeBytes()) results.push(toHex(sent));
  };
  take();
  for (const piece of pieces) {
    machine.receive(piece, 0);
    take();
  }
  return results;
}

interface StreamParser {
  receive(octets: Uint8Array): void;
  flush(): void;
  takeUnit(): unknown;
}

/** Every unit that a parser makes of a stream and its end. */
function parseAll(parser: StreamParser, pieces: readonly Uint8Array[]): unknown[] {
  for (const piece of pieces) parser.receive(piece);
  parser.flush();
  const units: unknown[] = [];
  for (let unit = parser.takeUnit(); unit !== undefined; unit = parser.takeUnit()) units.push(unit);
  return units;
}

export const STREAMS: readonly StreamTarget[] = [
  {
    name: "wrapper-parser",
    layers: ["wrapper", "wrapper-stream"],
    run(pieces) {
      const parser = new WrapperParser();
      const units: unknown[] = [];
      for (const piece of pieces) {
        parser.receive(piece);
        for (let unit = parser.takeUnit(); unit !== undefined; unit = parser.takeUnit()) units.push(unit);
      }
      return units;
    },
  },
  {
    name: "wrapper-link",
    layers: ["wrapper", "wrapper-stream"],
    run(pieces) {
      const link = new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 });
      link.command({ type: "open" }, 0);
      return drive(link, pieces);
    },
  },
  { name: "hdlc-parser", layers: ["hdlc", "hdlc-stream"], run: (pieces) => parseAll(new HdlcFrameParser(), pieces) },
  {
    name: "push-hdlc",
    layers: ["hdlc", "hdlc-stream"],
    run: (pieces) => drive(new PushReceiver({ framing: "hdlc" }), pieces),
  },
  {
    name: "push-mbus",
    layers: ["mbus", "wrapper"],
    run: (pieces) => drive(new PushReceiver({ framing: "mbus" }), pieces),
  },
  { name: "p1-parser", layers: ["mode-e", "p1", "p1-stream"], run: (pieces) => parseAll(new P1Parser(), pieces) },
  { name: "readout-parser", layers: ["mode-e", "p1"], run: (pieces) => parseAll(new ReadoutParser(), pieces) },
  {
    name: "mode-e-opening",
    layers: ["mode-e"],
    run(pieces) {
      const opening = new ModeEOpening();
      opening.command({ type: "open" }, 0);
      return drive(opening, pieces);
    },
  },
  {
    name: "hdlc-client",
    layers: ["hdlc", "hdlc-stream"],
    run(pieces) {
      const link = new HdlcClient({ clientSap: 16, server: hdlcAddress(1), bareSnrm: true });
      link.command({ type: "open" }, 0);
      link.receive(Uint8Array.of(0x7e, 0xa0, 0x07, 0x21, 0x03, 0x73, 0x01, 0x40, 0x7e), 0);
      return drive(link, pieces);
    },
  },
  {
    name: "hdlc-server",
    layers: ["hdlc", "hdlc-stream"],
    run(pieces) {
      const link = new HdlcServer({ logicalDevices: [1], physicalDevice: 17 });
      return drive(link, pieces);
    },
  },
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
