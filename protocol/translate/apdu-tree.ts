/**
 * An APDU as a tree: the codecs are followed field by field while they decode, so that the tree shows what they read and
 * where. Damaged octets give the part before the damage and the error.
 */
import { readApdu } from "../apdu/apdu.ts";
import { apduNameOf } from "../apdu/registry.ts";
import { toHex } from "../bytes/hex.ts";
import { Reader, type ReadObserver } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { ALL_QUIRKS } from "../quirks.ts";
import { securityControlOf } from "../security/security-control.ts";
import { TAG_LENGTH } from "../security/suites.ts";
import { growData } from "./data-tree.ts";
import { Branch, errorNode, leaf } from "./tree.ts";
import { fieldText } from "./value-text.ts";

export interface ApduTreeOptions {
  /** Gives the plain APDU of a ciphered one, or throws a DlmsError that says why not. */
  readonly decipher?: (apdu: Uint8Array) => Uint8Array;
  /** Told of octets as they are met: titles and keys in one APDU are what the next is deciphered with. */
  readonly seen?: (field: string, octets: Uint8Array) => void;
  /** Passwords, challenges and dedicated keys; hidden by default. */
  readonly secrets?: "hide" | "show";
}

/** Fields whose octets are an APDU of their own. */
const CARRIED: ReadonlySet<string> = new Set(["userInformation", "carriedApdu", "content"]);
/** Fields that hold a key or, with low level security, a password: their own octets and those of their parts. */
const SECRET: ReadonlySet<string> = new Set(["dedicatedKey", "callingAuthenticationValue"]);
const HEADER_LENGTH = 5;

/** The tree of the APDU that takes the octets from `start` to `end`. */
export function apduTree(
  bytes: Uint8Array,
  [start, end]: readonly [number, number],
  options: ApduTreeOptions,
  depth = 0,
): Branch {
  const root = leaf(bytes, apduNameOf(bytes[start] ?? 0) ?? "apdu", start, Math.min(1, end - start));
  root.length = end - start;
  const reader = new Reader(bytes, start, end, ALL_QUIRKS);
  const growth = new Growth(bytes, root, options, depth);
  reader.observer = growth;
  try {
    if (depth > LIMITS.depth) throw new DlmsError("DEPTH_OVER_LIMIT", "peer", { offset: start, limit: LIMITS.depth });
    readApdu(reader);
  } catch (error) {
    growth.top.add(errorNode(error, reader.offset));
  }
  for (const quirk of reader.quirks) root.add(quirkNode(quirk, start));
  if (root.child("contents") !== undefined && options.decipher !== undefined) {
    root.add(deciphered(bytes.subarray(start, end), options, depth));
  }
  return root;
}

function quirkNode(quirk: string, offset: number): Branch {
  const node = new Branch("quirk", offset);
  node.value = quirk;
  return node;
}

function deciphered(apdu: Uint8Array, options: ApduTreeOptions, depth: number): Branch {
  const node = new Branch("deciphered", 0);
  try {
    const plain = options.decipher?.(apdu) ?? new Uint8Array(0);
    node.length = plain.length;
    node.add(apduTree(plain, [0, plain.length], options, depth + 1));
  } catch (error) {
    // What the caller has not given (a key, a title) is no fault of the octets.
    if (error instanceof DlmsError && error.fault === "caller") node.value = error.message;
    else node.add(errorNode(error, 0));
  }
  return node;
}

/** Turns what a reader reports into branches. The branches that are open when decoding fails stay as they are. */
class Growth implements ReadObserver {
  readonly #bytes: Uint8Array;
  readonly #options: ApduTreeOptions;
  readonly #depth: number;
  readonly #open: Branch[];

  constructor(bytes: Uint8Array, root: Branch, options: ApduTreeOptions, depth: number) {
    this.#bytes = bytes;
    this.#options = options;
    this.#depth = depth;
    this.#open = [root];
  }

  get top(): Branch {
    const top = this.#open.at(-1);
    if (top === undefined) throw new RangeError("the root is never left");
    return top;
  }

  entered(name: string, reader: Reader): void {
    this.#open.push(this.top.add(new Branch(name, reader.offset)));
  }

  chose(alternative: string): void {
    this.top.value = alternative;
  }

  dataBegins(reader: Reader): void {
    try {
      growData(this.#bytes, reader, this.top);
    } catch (error) {
      // The codec fails at the same place, and its error is the one to show.
      if (!(error instanceof DlmsError)) throw error;
    }
  }

  left(value: unknown, reader: Reader): void {
    const node = this.top;
    this.#open.pop();
    node.length = reader.offset - node.offset;
    node.decoded ??= value;
    if (value instanceof Uint8Array) this.#options.seen?.(node.name, value);
    if (value === undefined) node.value = "absent";
    if (this.#isSecret(node)) hide(node, value);
    else if (value instanceof Uint8Array && CARRIED.has(node.name)) this.#carried(node, value);
    else if (value instanceof Uint8Array && node.name === "contents") this.#contents(node, value);
    else this.#field(node, value);
  }

  #isSecret(node: Branch): boolean {
    const secret = SECRET.has(node.name) || SECRET.has(this.top.name);
    return secret && node.value !== "absent" && node.children === undefined && this.#options.secrets !== "show";
  }

  /** Where the octets of a field stand that is a view of the whole. */
  #range(value: Uint8Array): readonly [number, number] {
    const start = value.byteOffset - this.#bytes.byteOffset;
    return [start, start + value.length];
  }

  #carried(node: Branch, value: Uint8Array): void {
    node.add(apduTree(this.#bytes, this.#range(value), this.#options, this.#depth + 1));
  }

  #contents(node: Branch, value: Uint8Array): void {
    const [start, end] = this.#range(value);
    const control = securityControlOf(value[0] ?? 0);
    const flags = (["authenticated", "encrypted", "broadcast", "compressed"] as const).filter((flag) => control[flag]);
    const tagStart = control.authenticated ? end - TAG_LENGTH : end;
    node.add(leaf(this.#bytes, "securityControl", start, 1)).value = [`suite ${control.suite}`, ...flags].join(", ");
    const counter = node.add(leaf(this.#bytes, "invocationCounter", start + 1, HEADER_LENGTH - 1));
    counter.value = `${Number.parseInt(toHex(value.subarray(1, HEADER_LENGTH)), 16)}`;
    const range = [start + HEADER_LENGTH, tagStart] as const;
    if (control.encrypted) node.add(leaf(this.#bytes, "ciphertext", range[0], range[1] - range[0]));
    else node.add(apduTree(this.#bytes, range, this.#options, this.#depth + 1));
    if (tagStart < end) node.add(leaf(this.#bytes, "authenticationTag", tagStart, TAG_LENGTH));
  }

  #field(node: Branch, value: unknown): void {
    if (node.value === undefined && node.children === undefined) {
      const text = fieldText(node.name, value, classIdBeside(this.top));
      if (text !== undefined) node.value = text;
    }
    if (node.children === undefined && node.length > 0) {
      node.octets = this.#bytes.subarray(node.offset, node.offset + node.length);
    }
  }
}

function classIdBeside(parent: Branch): number | undefined {
  const classId = parent.child("classId")?.decoded;
  return typeof classId === "number" ? classId : undefined;
}

function hide(node: Branch, value: unknown): void {
  delete node.octets;
  node.value = value instanceof Uint8Array ? `${value.length} octets, hidden` : "hidden";
}
