/**
 * HDLC frames, wrapper PDUs and LLC headers as trees. Damaged frames are shown field by field as far as their lengths
 * can be believed; whether the octets may be used is the link's question, not this one's.
 */

import { joinOctets } from "../bytes/octets.ts";
import { DlmsError } from "../errors.ts";
import { crcX25 } from "../link/crc.ts";
import { readHdlcAddress, showHdlcAddress } from "../link/hdlc/address.ts";
import { decodeControl, type HdlcControl } from "../link/hdlc/control.ts";
import { FLAG } from "../link/hdlc/frame.ts";
import { hasLlc } from "../link/hdlc/llc.ts";
import { decodeParameters } from "../link/hdlc/parameters.ts";
import { WRAPPER_HEADER_LENGTH, WRAPPER_VERSION } from "../link/wrapper.ts";
import { type ApduTreeOptions, apduTree } from "./apdu-tree.ts";
import { Branch, errorNode, leaf } from "./tree.ts";

const LLC_LENGTH = 3;
const CHECK_LENGTH = 2;
const SEGMENTED = 0x08;

/** One frame as it lies in the octets; what is not whole is absent. */
interface Frame {
  readonly node: Branch;
  /** The offset behind it: of its closing flag, which may open the next. */
  readonly next: number;
  readonly control?: HdlcControl;
  readonly segmented: boolean;
  readonly information?: Branch;
}

/** Frames one after another; the information of segmented ones is joined below a node of its own. */
export function hdlcTrees(bytes: Uint8Array, options: ApduTreeOptions): Branch[] {
  const nodes: Branch[] = [];
  const segments: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const start = bytes.indexOf(FLAG, offset);
    if (start !== offset) nodes.push(noise(bytes, offset, start < 0 ? bytes.length : start));
    if (start < 0) break;
    // A flag alone is fill, or the last one.
    if (start + 1 === bytes.length || bytes[start + 1] === FLAG) {
      offset = start + 1;
      continue;
    }
    const frame = readFrame(bytes, start);
    nodes.push(frame.node);
    if (carriesApdu(frame)) nodes.push(...joined(frame, segments, bytes, options));
    offset = Math.max(frame.next, start + 1);
  }
  return nodes;
}

function noise(bytes: Uint8Array, start: number, end: number): Branch {
  const node = leaf(bytes, "noise", start, end - start);
  node.add(errorNode(new DlmsError("FRAME_INVALID", "peer", { offset: start, octets: end - start }), start));
  return node;
}

function carriesApdu(frame: Frame): boolean {
  return frame.control?.type === "I" || frame.control?.type === "UI";
}

/** The APDU of a frame that is the last of its segments: within the frame if it is the only one. */
function joined(frame: Frame, segments: Uint8Array[], bytes: Uint8Array, options: ApduTreeOptions): Branch[] {
  const { information } = frame;
  const octets = information?.octets;
  if (information === undefined || octets === undefined) return [];
  if (frame.segmented || segments.length > 0) segments.push(octets);
  if (frame.segmented) return [];
  if (segments.length === 0) {
    delete information.octets;
    for (const node of llcTrees(bytes, [information.offset, information.offset + information.length], options)) {
      information.add(node);
    }
    return [];
  }
  const whole = joinOctets(segments);
  const node = new Branch("joined", 0);
  node.value = `${segments.length} segments`;
  node.length = whole.length;
  for (const child of llcTrees(whole, [0, whole.length], options)) node.add(child);
  segments.length = 0;
  return [node];
}

function readFrame(bytes: Uint8Array, start: number): Frame {
  const node = new Branch("hdlc-frame", start);
  const format = node.add(leaf(bytes, "format", start + 1, 2));
  const length = (((bytes[start + 1] ?? 0) & 0x07) << 8) | (bytes[start + 2] ?? 0);
  const segmented = ((bytes[start + 1] ?? 0) & SEGMENTED) !== 0;
  // The length counts itself: less than the two octets of the field is none.
  const close = start + 1 + Math.max(length, format.length);
  const end = Math.min(close, bytes.length);
  format.value = `type ${(bytes[start + 1] ?? 0) >> 4}, ${segmented ? "segmented, " : ""}length ${length}`;
  node.length = Math.min(close + 1, bytes.length) - start;
  try {
    const { control, information } = readFields(bytes, node, { start, end });
    if (bytes[close] !== FLAG) {
      const missing = close >= bytes.length;
      throw new DlmsError(missing ? "FRAME_INCOMPLETE" : "FRAME_INVALID", "peer", { offset: end, length });
    }
    return { node, next: close, segmented, ...(control && { control }), ...(information && { information }) };
  } catch (error) {
    node.add(errorNode(error, start));
    // The length cannot be believed: the next flag may begin a frame.
    const flag = bytes.indexOf(FLAG, start + 1);
    return { node, next: flag < 0 ? bytes.length : flag, segmented };
  }
}

function readFields(
  bytes: Uint8Array,
  node: Branch,
  { start, end }: { readonly start: number; readonly end: number },
): { control?: HdlcControl; information?: Branch } {
  let offset = start + 3;
  for (const name of ["destination", "source"]) {
    const address = readHdlcAddress(bytes, offset, end);
    if (address === undefined) return {};
    node.add(leaf(bytes, name, offset, address.size)).value = showHdlcAddress(address);
    offset += address.size;
  }
  if (offset >= end) return {};
  const control = decodeControl(bytes[offset] ?? 0);
  node.add(leaf(bytes, "control", offset, 1)).value = controlText(control);
  const header = offset + 1;
  if (header + CHECK_LENGTH > end) return { control };
  node.add(checkNode(bytes, "headerCheck", start + 1, header));
  const from = header + CHECK_LENGTH;
  const to = end - CHECK_LENGTH;
  if (to <= from) return { control };
  const information = node.add(leaf(bytes, "information", from, to - from));
  if (control.type === "SNRM" || control.type === "UA") information.value = parametersText(bytes.subarray(from, to));
  node.add(checkNode(bytes, "frameCheck", start + 1, to));
  return { control, information };
}

function controlText(control: HdlcControl): string {
  const { type, pollFinal, ...numbers } = control;
  const parts = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
  return [type, ...parts, ...(pollFinal ? ["poll/final"] : [])].join(", ");
}

function parametersText(information: Uint8Array): string {
  try {
    return Object.entries(decodeParameters(information))
      .map(([name, value]) => `${name} ${value}`)
      .join(", ");
  } catch (error) {
    if (error instanceof DlmsError) return error.message;
    throw error;
  }
}

/** A check sequence at `at` over the octets from `from`, least significant octet first. */
function checkNode(bytes: Uint8Array, name: string, from: number, at: number): Branch {
  const node = leaf(bytes, name, at, CHECK_LENGTH);
  const found = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  const wanted = crcX25(bytes, from, at);
  node.value = found === wanted ? "right" : "wrong";
  if (found !== wanted) node.add(errorNode(new DlmsError("FRAME_CHECK_WRONG", "peer", { offset: at }), at));
  return node;
}

/** Wrapper PDUs one after another. */
export function wrapperTrees(bytes: Uint8Array, options: ApduTreeOptions): Branch[] {
  const nodes: Branch[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const node = wrapperTree(bytes, offset, options);
    nodes.push(node);
    offset += Math.max(node.length, 1);
  }
  return nodes;
}

function wrapperTree(bytes: Uint8Array, start: number, options: ApduTreeOptions): Branch {
  const node = leaf(bytes, "wrapper", start, bytes.length - start);
  if (node.length < WRAPPER_HEADER_LENGTH) {
    node.add(errorNode(new DlmsError("FRAME_INCOMPLETE", "peer", { offset: bytes.length }), start));
    return node;
  }
  delete node.octets;
  const field = (name: string, at: number) => {
    const child = node.add(leaf(bytes, name, start + at, 2));
    const value = ((bytes[start + at] ?? 0) << 8) | (bytes[start + at + 1] ?? 0);
    child.value = `${value}`;
    return value;
  };
  const version = field("version", 0);
  field("sourceWPort", 2);
  field("destinationWPort", 4);
  const length = field("length", 6);
  const end = Math.min(start + WRAPPER_HEADER_LENGTH + length, bytes.length);
  if (version !== WRAPPER_VERSION) {
    node.add(errorNode(new DlmsError("FRAME_INVALID", "peer", { offset: start, version }), start));
    return node;
  }
  node.length = end - start;
  const apduStart = start + WRAPPER_HEADER_LENGTH;
  if (end > apduStart) node.add(apduTree(bytes, [apduStart, end], options));
  if (end - apduStart < length) {
    node.add(errorNode(new DlmsError("FRAME_INCOMPLETE", "peer", { offset: end, wanted: length }), end));
  }
  return node;
}

/** LLC headers, of which there may be none, and the APDU behind them. */
export function llcTrees(
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  options: ApduTreeOptions,
): Branch[] {
  const nodes: Branch[] = [];
  let offset = start;
  for (; offset + LLC_LENGTH <= end && hasLlc(bytes, offset); offset += LLC_LENGTH) {
    nodes.push(leaf(bytes, "llc", offset, LLC_LENGTH));
  }
  if (offset < end) nodes.push(apduTree(bytes, [offset, end], options));
  return nodes;
}
