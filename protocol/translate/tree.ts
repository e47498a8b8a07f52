import { DlmsError } from "../errors.ts";

/**
 * One piece of the octets and what it means. Offsets count from the first of the octets that were given; those below a
 * node named "deciphered" or "joined" count from the first of what was deciphered or joined.
 */
export interface TreeNode {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly value?: string;
  /** The octets of a leaf, or an APDU's tag; absent above others, and where a secret is hidden. A view. */
  readonly octets?: Uint8Array;
  readonly children?: readonly TreeNode[];
  /** Set where the node says what is wrong with the octets. */
  readonly error?: true;
}

/** A node whose end is not yet known. */
export class Branch implements TreeNode {
  readonly name: string;
  readonly offset: number;
  length = 0;
  value?: string;
  octets?: Uint8Array;
  children?: Branch[];
  error?: true;
  /** What the octets decoded to, as long as the tree grows. */
  #decoded: unknown;

  constructor(name: string, offset: number) {
    this.name = name;
    this.offset = offset;
  }

  get decoded(): unknown {
    return this.#decoded;
  }

  set decoded(value: unknown) {
    this.#decoded = value;
  }

  add(child: Branch): Branch {
    this.children ??= [];
    this.children.push(child);
    return child;
  }

  child(name: string): Branch | undefined {
    return this.children?.find((each) => each.name === name);
  }
}

/** A leaf over a part of the octets. */
export function leaf(bytes: Uint8Array, name: string, offset: number, length: number): Branch {
  const node = new Branch(name, offset);
  node.octets = bytes.subarray(offset, offset + length);
  node.length = node.octets.length;
  return node;
}

/** A node that says what is wrong, at the place that the error names or at `offset`. Rethrows what is no DlmsError. */
export function errorNode(error: unknown, offset: number): Branch {
  if (!(error instanceof DlmsError)) throw error;
  const place = error.at["offset"];
  const node = new Branch("!", typeof place === "number" ? place : offset);
  node.error = true;
  node.value = error.message;
  return node;
}

/** Whether something in the tree is wrong. */
export function hasError(node: TreeNode): boolean {
  return node.error === true || (node.children ?? []).some(hasError);
}
