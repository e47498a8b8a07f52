/**
 * What two ends say to each other, as frames with their trees: segments of HDLC, general blocks and blocks of data are
 * put together, and what is ciphered is deciphered where the keys are known. Never throws for what is in the octets.
 */

import { type Apdu, decodeApdu } from "../../protocol/apdu/apdu.ts";
import { joinOctets } from "../../protocol/bytes/octets.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { LIMITS } from "../../protocol/limits.ts";
import { crcX25 } from "../../protocol/link/crc.ts";
import { readHdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { type Layer, translate } from "../../protocol/translate/translate.ts";
import { hasError, type TreeNode } from "../../protocol/translate/tree.ts";
import { Deciphering, type DecipheringKeys } from "./deciphering.ts";
import { type FrameLink, FrameSplitter, type SplitFrame } from "./frame-splitter.ts";

/** `tx` is what our side, or the client, sends. */
export type Direction = "tx" | "rx";

export interface Piece {
  readonly tMs: number;
  readonly dir: Direction;
  readonly octets: Uint8Array;
  readonly blanked?: readonly (readonly [start: number, length: number])[];
}

export interface TracedFrame {
  readonly tMs: number;
  readonly dir: Direction;
  readonly link: FrameLink;
  /** SAPs or addresses of HDLC; undefined where the link has none. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** What it is: an APDU's name and choice, or what the link says. */
  readonly says: string;
  readonly octets: Uint8Array;
  readonly nodes: readonly TreeNode[];
  readonly damaged: boolean;
}

/** Pieces of one whole that are still to be joined. */
interface Parts {
  readonly pieces: Uint8Array[];
  length: number;
  last: number | undefined;
}

/** What stands beside APDUs. */
const NO_APDU: ReadonlySet<string> = new Set(["version", "sourceWPort", "destinationWPort", "length", "llc", "!"]);
const SEGMENTED = 0x08;
const CHECK_LENGTH = 2;
const GATEWAY_APDUS: ReadonlySet<string> = new Set(["gateway-request", "gateway-response"]);
const POLL_FINAL = 0x10;
/** SNRM and DISC. */
const CONNECTION_FRAMES: ReadonlySet<number> = new Set([0x83, 0x43]);
const latin1 = new TextDecoder("latin1");

export class Dialogue {
  readonly #deciphering: Deciphering;
  readonly #splitters = { tx: new FrameSplitter(), rx: new FrameSplitter() };
  readonly #segments = { tx: newParts(), rx: newParts() };
  readonly #generalBlocks = { tx: newParts(), rx: newParts() };
  readonly #dataBlocks = { tx: newParts(), rx: newParts() };

  constructor(keys: DecipheringKeys = {}) {
    this.#deciphering = new Deciphering(keys);
  }

  /** The frames that a piece completes. */
  push({ tMs, dir, octets, blanked = [] }: Piece): TracedFrame[] {
    return this.#splitters[dir].push(octets, blanked).map((frame) => this.#traced({ tMs, dir }, frame));
  }

  /** What is left of both directions. */
  finish(tMs: number): TracedFrame[] {
    return (["tx", "rx"] as const).flatMap((dir) => {
      const frame = this.#splitters[dir].finish();
      return frame === undefined ? [] : [this.#traced({ tMs, dir }, frame)];
    });
  }

  #traced(at: Pick<TracedFrame, "tMs" | "dir">, frame: SplitFrame): TracedFrame {
    const { link, octets } = frame;
    if (link === "text") return { ...at, ...frame, ...textFrame(octets) };
    if (link === "octets") return { ...at, ...frame, ...UNKNOWN, says: `${octets.length} octets that are no frame` };
    const read = frame.isBlanked && link === "hdlc" ? withChecks(octets) : octets;
    if (link === "hdlc" && beginsAnew(read)) this.#forgetParts();
    const isLastSegment = link === "hdlc" && this.#segments[at.dir].pieces.length > 0 && isNumbered(read);
    const trees = this.#trees(read, link);
    const nodes = isLastSegment ? trees.map(withoutApdu) : trees;
    const [outer] = nodes;
    const apdus = apdusIn(nodes, read, link);
    const whole = apdus.flatMap(({ octets: apdu }) => this.#wholes(at.dir, apdu));
    if (link === "hdlc") whole.push(...this.#segment(at.dir, read));
    const all = [...nodes, ...whole];
    const names = [...apdus.map(({ says }) => says), ...whole.map(({ value }) => value ?? "")];
    const told = names.at(-1) ?? valueOf(outer, "control") ?? "an empty frame";
    const [from, to] = link === "hdlc" ? ["source", "destination"] : ["sourceWPort", "destinationWPort"];
    return {
      ...at,
      link,
      octets,
      from: valueOf(outer, from ?? ""),
      to: valueOf(outer, to ?? ""),
      says: told,
      nodes: all,
      damaged: all.some(hasError),
    };
  }

  /** What was broken off is no part of what comes on the next connection. */
  #forgetParts(): void {
    for (const { tx, rx } of [this.#segments, this.#generalBlocks, this.#dataBlocks]) {
      taken(tx);
      taken(rx);
    }
  }

  #trees(octets: Uint8Array, layer: Layer): readonly TreeNode[] {
    return translate(octets, {
      layer,
      decipher: (apdu) => this.#deciphering.decipher(apdu),
      seen: (field, value) => this.#deciphering.see(field, value),
    }).nodes;
  }

  /** The information of a segmented HDLC frame; with the last one what all are together. */
  #segment(dir: Direction, octets: Uint8Array): Whole[] {
    const isSegmented = ((octets[1] ?? 0) & SEGMENTED) !== 0;
    const parts = this.#segments[dir];
    if (!isSegmented && parts.pieces.length === 0) return [];
    if (!isNumbered(octets)) return [];
    const { control, information } = informationOf(octets);
    const number = (control >> 1) & 7;
    // A frame that was asked for again is the same one.
    if (parts.last !== number) add(parts, information, number);
    if (isSegmented) return [];
    const whole = taken(parts);
    return whole === undefined ? [] : [this.#joined(dir, { octets: whole, layer: "llc", of: "segments" })];
  }

  /** An APDU that is a part of a larger one: with the last part, what all are together. */
  #wholes(dir: Direction, octets: Uint8Array): Whole[] {
    const apdu = this.#plain(octets);
    if (apdu === undefined) return [];
    if (apdu.apdu === "general-block-transfer") {
      const { blockControl, blockNumber, blockData } = apdu.body;
      const parts = this.#generalBlocks[dir];
      if (blockData.length > 0 && blockNumber !== parts.last) add(parts, blockData, blockNumber);
      if (!blockControl.lastBlock) return [];
      return this.#end(dir, parts, { layer: "apdu", of: "general blocks" });
    }
    const block = dataBlockOf(apdu);
    if (block === undefined) return [];
    const parts = this.#dataBlocks[dir];
    if (block.blockNumber !== parts.last) add(parts, block.octets, block.blockNumber);
    return block.lastBlock ? this.#end(dir, parts, { layer: "data", of: "blocks" }) : [];
  }

  #end(dir: Direction, parts: Parts, { layer, of }: { readonly layer: Layer; readonly of: string }): Whole[] {
    const octets = taken(parts);
    return octets === undefined ? [] : [this.#joined(dir, { octets, layer, of })];
  }

  #joined(
    dir: Direction,
    { octets, layer, of }: { readonly octets: Uint8Array; readonly layer: Layer; readonly of: string },
  ): Whole {
    const children = this.#trees(octets, layer);
    const apdus = layer === "data" ? [] : apdusIn(children, octets, layer);
    const inner = apdus.flatMap(({ octets: apdu }) => this.#wholes(dir, apdu));
    const says = inner.at(-1)?.value ?? apdus.at(-1)?.says ?? `data of ${octets.length} octets`;
    return { name: `joined ${of}`, offset: 0, length: octets.length, value: says, children: [...children, ...inner] };
  }

  /** Undefined for what can't be read, or not be deciphered. */
  #plain(octets: Uint8Array): Apdu | undefined {
    try {
      const apdu = decodeApdu(octets);
      return "contents" in apdu.body || apdu.apdu === "general-ciphering"
        ? decodeApdu(this.#deciphering.decipher(octets))
        : apdu;
    } catch (error) {
      if (error instanceof DlmsError) return undefined;
      throw error;
    }
  }
}

type Whole = TreeNode & { readonly value: string };

const UNKNOWN = { from: undefined, to: undefined, nodes: [], damaged: true } as const;

function textFrame(octets: Uint8Array) {
  const text = JSON.stringify(latin1.decode(octets.map((octet) => octet & 0x7f)));
  return { from: undefined, to: undefined, says: text, nodes: [], damaged: false };
}

function newParts(): Parts {
  return { pieces: [], length: 0, last: undefined };
}

/** More than an APDU may have is given up: what is asked for is to look at, not to fill the memory. */
function add(parts: Parts, octets: Uint8Array, number: number): void {
  parts.last = number;
  parts.length += octets.length;
  if (parts.length > LIMITS.apduLength) parts.pieces.length = 0;
  else parts.pieces.push(octets);
}

/** All parts as one; undefined when there were none, or too many. */
function taken(parts: Parts): Uint8Array | undefined {
  const { pieces } = parts;
  const whole = joinOctets(pieces);
  pieces.length = 0;
  parts.length = 0;
  parts.last = undefined;
  return whole.length === 0 ? undefined : whole;
}

interface DataBlock {
  readonly blockNumber: number;
  readonly lastBlock: boolean;
  readonly octets: Uint8Array;
}

function dataBlockOf({ apdu, body }: Apdu): DataBlock | undefined {
  if (apdu !== "get-response" || body.type !== "with-datablock") return undefined;
  const { blockNumber, lastBlock, result } = body.block;
  return result.type === "raw-data" ? { blockNumber, lastBlock, octets: result.rawData } : undefined;
}

interface FoundApdu {
  readonly says: string;
  readonly octets: Uint8Array;
}

/** The APDUs that stand in octets of a layer: what they are, and their octets. */
function apdusIn(nodes: readonly TreeNode[], octets: Uint8Array, layer: Layer): FoundApdu[] {
  return carriersIn(nodes, layer)
    .flatMap(behindGateway)
    .filter(({ name }) => !NO_APDU.has(name))
    .map((node) => ({ says: apduText(node), octets: octets.subarray(node.offset, node.offset + node.length) }));
}

function carriersIn(nodes: readonly TreeNode[], layer: Layer): readonly TreeNode[] {
  if (layer === "wrapper") return nodes.flatMap(({ children = [] }) => children);
  if (layer !== "hdlc") return nodes;
  const fields = nodes.flatMap(({ children = [] }) => children);
  return fields.flatMap(({ name, children = [] }) => (name === "information" ? children : []));
}

/** What is behind the header that names a device to a gateway. */
function behindGateway(node: TreeNode): readonly TreeNode[] {
  return GATEWAY_APDUS.has(node.name) ? (child(node, "carriedApdu")?.children ?? [node]) : [node];
}

/** An APDU in one line; of a ciphered one what is inside, where that is known. */
export function apduText(node: TreeNode): string {
  const plain = child(child(node, "deciphered"), undefined);
  if (plain !== undefined) return `${node.name}: ${apduText(plain)}`;
  const about = child(node, "attribute") ?? child(node, "method");
  const asked = ["classId", "logicalName", "attributeId", "methodId"].flatMap((name) => valueOf(about, name) ?? []);
  const answered = ["result", "dataAccessResult", "serviceError"].flatMap((name) => valueOf(node, name) ?? []);
  return [node.name, node.value, ...asked, ...answered].filter((each) => each !== undefined).join(" ");
}

function child(node: TreeNode | undefined, name: string | undefined): TreeNode | undefined {
  return node?.children?.find((each) => (name === undefined ? each.error !== true : each.name === name));
}

function valueOf(node: TreeNode | undefined, name: string): string | undefined {
  return child(node, name)?.value;
}

/** A frame of information, not of supervision. */
function isNumbered(octets: Uint8Array): boolean {
  return (informationOf(octets).control & 1) === 0;
}

/** A connection of HDLC begins or ends with the frame. */
function beginsAnew(octets: Uint8Array): boolean {
  return CONNECTION_FRAMES.has(informationOf(octets).control & ~POLL_FINAL);
}

/** The information of a segment is no APDU by itself. */
function withoutApdu(node: TreeNode): TreeNode {
  const children = node.children?.map((each): TreeNode => {
    if (each.name !== "information") return each;
    return { name: each.name, offset: each.offset, length: each.length };
  });
  return { ...node, ...(children && { children }) };
}

/** Control field and information of a frame whose lengths have been looked at. */
function informationOf(octets: Uint8Array): { readonly control: number; readonly information: Uint8Array } {
  const end = octets.length - 1;
  const destination = readHdlcAddress(octets, 3, end);
  const source = destination && readHdlcAddress(octets, 3 + destination.size, end);
  const at = 3 + (destination?.size ?? 0) + (source?.size ?? 0);
  const information = octets.subarray(at + 1 + CHECK_LENGTH, Math.max(at + 1 + CHECK_LENGTH, end - CHECK_LENGTH));
  return { control: octets[at] ?? 0, information };
}

/** A copy with the check sequence that fits its octets as they are, secrets blanked. */
function withChecks(octets: Uint8Array): Uint8Array {
  const mended = Uint8Array.from(octets);
  const at = mended.length - 1 - CHECK_LENGTH;
  const check = crcX25(mended, 1, at);
  mended[at] = check & 0xff;
  mended[at + 1] = check >> 8;
  return mended;
}
