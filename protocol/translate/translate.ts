/**
 * Any octets of the protocol as an annotated tree, for people and tools: HDLC frames, wrapper PDUs, an APDU behind an
 * LLC header or bare, plain or ciphered, or a value of the Data CHOICE. Never throws for what is wrong with the octets:
 * the tree holds what could be read, and nodes with `error` say what could not, and where.
 */
import { decodeApdu } from "../apdu/apdu.ts";
import { apduNameOf } from "../apdu/registry.ts";
import { dataFromBytes } from "../axdr/data.ts";
import { Reader } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { FLAG } from "../link/hdlc/frame.ts";
import { hasLlc } from "../link/hdlc/llc.ts";
import { WRAPPER_HEADER_LENGTH, WRAPPER_VERSION } from "../link/wrapper.ts";
import { type ApduTreeOptions, apduTree } from "./apdu-tree.ts";
import { growData } from "./data-tree.ts";
import { hdlcTrees, llcTrees, wrapperTrees } from "./frame-tree.ts";
import { Branch, errorNode, hasError, type TreeNode } from "./tree.ts";

/** What the outermost octets are. */
export const LAYERS = ["hdlc", "wrapper", "llc", "apdu", "data"] as const;
export type Layer = (typeof LAYERS)[number];

export interface TranslateOptions extends ApduTreeOptions {
  /** Found out from the octets when it is not given. */
  readonly layer?: Layer;
}

export interface Translation {
  readonly layer: Layer;
  readonly nodes: readonly TreeNode[];
  /** Whether some of the octets could not be read. */
  readonly damaged: boolean;
}

export function translate(bytes: Uint8Array, options: TranslateOptions = {}): Translation {
  const layer = options.layer ?? layerOf(bytes);
  const nodes = trees(bytes, layer, options);
  return { layer, nodes, damaged: nodes.some(hasError) };
}

function trees(bytes: Uint8Array, layer: Layer, options: ApduTreeOptions): Branch[] {
  if (bytes.length === 0) return [errorNode(new DlmsError("DATA_TRUNCATED", "peer", { offset: 0 }), 0)];
  switch (layer) {
    case "hdlc":
      return hdlcTrees(bytes, options);
    case "wrapper":
      return wrapperTrees(bytes, options);
    case "llc":
      return llcTrees(bytes, [0, bytes.length], options);
    case "apdu":
      return [apduTree(bytes, [0, bytes.length], options)];
    case "data":
      return [dataTree(bytes)];
  }
}

function dataTree(bytes: Uint8Array): Branch {
  const node = new Branch("data", 0);
  node.length = bytes.length;
  try {
    growData(bytes, new Reader(bytes), node);
    dataFromBytes(bytes);
  } catch (error) {
    node.add(errorNode(error, 0));
  }
  return node;
}

/**
 * What octets most likely are. APDUs with short name referencing and Data share their first octets: what decodes as a
 * whole is believed, an APDU first.
 */
function layerOf(bytes: Uint8Array): Layer {
  if (bytes[0] === FLAG && (bytes.length === 1 || bytes[1] === FLAG || (bytes[1] ?? 0) >> 4 === 0x0a)) return "hdlc";
  const version = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  if (bytes.length >= WRAPPER_HEADER_LENGTH && version === WRAPPER_VERSION) return "wrapper";
  if (hasLlc(bytes)) return "llc";
  if (bytes.length > LIMITS.apduLength || decodes(() => decodeApdu(bytes))) return "apdu";
  if (decodes(() => dataFromBytes(bytes))) return "data";
  return apduNameOf(bytes[0] ?? 0) === undefined ? "data" : "apdu";
}

function decodes(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (error instanceof DlmsError) return false;
    throw error;
  }
}
