import { decodeApdu } from "../../protocol/apdu/apdu.ts";
import { UnconfirmedBlocks } from "../../protocol/association/general-blocks.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { crcX25 } from "../../protocol/link/crc.ts";
import { isAllStation, readHdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcFrameParser, type HdlcUnit } from "../../protocol/link/hdlc/frame-parser.ts";
import { stripLlc } from "../../protocol/link/hdlc/llc.ts";
import { HdlcServer } from "../../protocol/link/hdlc/server.ts";
import { UnnumberedAssembler } from "../../protocol/link/hdlc/unnumbered.ts";
import { carriedApdu } from "./carried.ts";
import { ABOVE, type CorpusCase, type Facts, isFacts } from "./case.ts";
import { OneOf } from "./compare.ts";
import { hexInput, hexList } from "./input.ts";
import { normaliseFrame } from "./normalise-link.ts";
import type { LayerReader, Leniency } from "./reading.ts";
import { statedFacts } from "./stated.ts";
import { quirksOf } from "./unprotect.ts";

type FrameUnit = Extract<HdlcUnit, { type: "frame" }>;

const GENERAL_BLOCK_TRANSFER = 0xe0;

/** Frames in order, whole. What is not a frame is thrown, or left out where a stream is resynchronised. */
export function framesOf(
  pieces: readonly Uint8Array[],
  noise: "refused" | "skipped",
  leniency: Leniency = "field",
): FrameUnit[] {
  const parser = new HdlcFrameParser(quirksOf(leniency));
  const frames: FrameUnit[] = [];
  const take = () => {
    for (let unit = parser.takeUnit(); unit !== undefined; unit = parser.takeUnit()) {
      if (unit.type === "frame") frames.push(unit);
      else if (noise === "refused") throw unit.error;
    }
  };
  for (const piece of pieces) {
    parser.receive(piece);
    take();
  }
  parser.flush();
  take();
  if (frames.length === 0) throw new DlmsError("FRAME_INCOMPLETE", "peer");
  return frames;
}

/** The APDUs that frames carry, joined from segments; one that does not become whole is thrown. */
function apdusOf(frames: readonly FrameUnit[]): Uint8Array[] {
  const assembler = new UnnumberedAssembler();
  const apdus: Uint8Array[] = [];
  for (const frame of frames) assembler.receive(frame, 0);
  assembler.flush();
  for (let unit = assembler.takeUnit(); unit !== undefined; unit = assembler.takeUnit()) {
    if (unit.type === "discarded") throw unit.error;
    apdus.push(unit.apdu);
  }
  return apdus[0]?.[0] === GENERAL_BLOCK_TRANSFER ? joinedBlocks(apdus) : apdus;
}

/** Blocks of general block transfer that nobody acknowledges. */
function joinedBlocks(apdus: readonly Uint8Array[]): Uint8Array[] {
  const blocks = new UnconfirmedBlocks();
  const whole: Uint8Array[] = [];
  for (const octets of apdus) {
    const block = decodeApdu(octets);
    const joined = block.apdu === "general-block-transfer" ? blocks.receive(block.body) : octets;
    if (joined !== undefined) whole.push(joined);
  }
  if (whole.length === 0) throw new DlmsError("BLOCK_NUMBER_INVALID", "peer", { blocks: apdus.length });
  return whole;
}

function carriesInformation({ frame }: FrameUnit): boolean {
  return (frame.control.type === "I" || frame.control.type === "UI") && frame.information.length > 0;
}

/** One frame and the APDU in it, or several frames in order and the APDUs that they carry together. */
export const hdlcReader: LayerReader = (each, leniency) => {
  const several = "frames" in each.input;
  const frames = framesOf(several ? hexList(each, "frames") : [hexInput(each)], "refused", leniency);
  const [only] = frames;
  if (only !== undefined && frames.length === 1 && !several) return singleFrame(each, only, leniency);
  const carrying = frames.filter(carriesInformation);
  const apdus = carrying.length === 0 ? [] : apdusOf(carrying).map((apdu) => carriedApdu(each, apdu, leniency));
  const [single] = apdus;
  const above = apdus.map((apdu) => apdu[ABOVE]).find((error) => error !== undefined);
  return {
    ...(single !== undefined && apdus.length === 1 ? single : {}),
    ...WHOLE,
    frames: frames.map(({ frame, octets }) => normaliseFrame(frame, octets)),
    frameCount: frames.length,
    apdus,
    ...(above === undefined ? {} : { [ABOVE]: above }),
  };
};

export function singleFrame(each: CorpusCase, unit: FrameUnit, leniency: Leniency): Facts {
  const { frame, octets } = unit;
  requireWelcome(unit);
  const normal = normaliseFrame(frame, octets);
  const facts = { ...normal, control: controlForms(normal) };
  const stated = {
    frames: 1,
    ...WHOLE,
    ...ends(frame),
    payload: frame.information.length === 0 ? null : toHex(frame.information),
    frameType: frame.control.type,
    informationLength: frame.information.length,
    final: frame.control.pollFinal,
    ...("ns" in frame.control ? { ns: frame.control.ns } : {}),
    ...("nr" in frame.control ? { nr: frame.control.nr } : {}),
  };
  if (!carriesInformation(unit) || frame.segmented) return { ...stated, ...facts };
  const apdu = stripLlc(frame.information);
  if (apdu.length === 0 || apdu.length === frame.information.length) return { ...stated, ...facts };
  return { ...stated, ...facts, ...carriedApdu(each, apdu, leniency) };
}

/** In the words of sources: the frames came out of the parser, which lets no other through. */
const WHOLE = { goodFcs: true, valid: true, crcValid: true, checksum: "valid" } as const;

/** Sources write upper and lower address, and how many octets they take, or the upper one alone. */
function ends({ destination, source, control }: FrameUnit["frame"]): Facts {
  const forms = ({ upper, lower, size }: typeof destination) =>
    new OneOf([upper, lower ?? null, size], [upper, lower ?? null], upper);
  const isFromClient = control.type === "SNRM" || control.type === "DISC";
  const [client, server] = isFromClient ? [source, destination] : [destination, source];
  return { destination: forms(destination), source: forms(source), client: forms(client), server: forms(server) };
}

/** An SNRM to one station must be one that a server answers. */
function requireWelcome({ frame, octets }: FrameUnit): void {
  const { upper, lower } = frame.destination;
  if (frame.control.type !== "SNRM" || isAllStation(frame.destination)) return;
  const server = new HdlcServer({ logicalDevices: [upper], ...(lower === undefined ? {} : { physicalDevice: lower }) });
  server.receive(octets, 0);
  const event = server.takeEvent();
  if (event?.type === "discarded") throw event.error;
}

/** A control field as its parts, its name, or its octet. */
function controlForms(frame: Facts): OneOf {
  const { control, controlByte } = frame;
  return new OneOf(control, isFacts(control) ? control["type"] : undefined, controlByte);
}

/** A stream of octets with noise, shared flags and damaged frames: the frames that come out of it. */
export const hdlcStreamReader: LayerReader = (each, leniency) => {
  const frames = framesOf([hexInput(each)], "skipped");
  const normal = frames.map((unit) => singleFrame(each, unit, leniency));
  const carrying = frames.filter(carriesInformation);
  const whole = carrying.length > 0 && carrying.at(-1)?.frame.segmented === false ? apdusOf(carrying) : [];
  const [apdu] = whole;
  return {
    ...(apdu !== undefined && whole.length === 1 ? { apduHex: toHex(apdu) } : {}),
    frames: inTheirForm(each, normal, frames),
  };
};

/** Sources count frames, give their octets, or their fields. */
function inTheirForm(each: CorpusCase, normal: readonly Facts[], frames: readonly FrameUnit[]): unknown {
  const asked = [each.stated["frames"], each.derived["frames"]].find((value) => value !== undefined);
  if (typeof asked === "number") return frames.length;
  if (Array.isArray(asked) && typeof asked[0] === "string") return frames.map(({ octets }) => toHex(octets));
  return normal;
}

export const hdlcAddressReader: LayerReader = (each) => {
  const octets = hexInput(each);
  const address = readHdlcAddress(octets, 0, octets.length);
  if (address === undefined || address.size !== octets.length) throw new DlmsError("FRAME_INCOMPLETE", "peer");
  const { upper, lower = null, size } = address;
  return { raw: toHex(octets), bytes: size, upper, lower, logical: upper, physical: lower };
};

export const crcX25Reader: LayerReader = (each) => {
  const crc = crcX25(hexInput(each));
  return { crcBytes: toHex(Uint8Array.of(crc & 0xff, crc >> 8)), crc };
};

/** LLC header and APDU. */
export const llcReader: LayerReader = (each, leniency) => {
  const information = hexInput(each);
  const apdu = stripLlc(information);
  if (apdu.length === information.length) throw new DlmsError("FRAME_INVALID", "peer", { wanted: "LLC" });
  const carried = carriedApdu(each, apdu, leniency);
  return { ...statedFacts(each.stated, isFacts(carried["apdu"]) ? carried["apdu"] : {}), ...carried };
};
