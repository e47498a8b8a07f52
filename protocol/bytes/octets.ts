const SLAB_LENGTH = 16 * 1024;
/** Longer ones get memory of their own. */
const LONGEST_PIECE = SLAB_LENGTH / 4;
/** Numbers may lie in it. */
const ALIGNMENT = 8;

let slab = new ArrayBuffer(SLAB_LENGTH);
let used = 0;

/**
 * Octets that are zero, cut from a slab: memory of their own takes ten times as long to get, and so does the first view
 * of an array that is small enough to lie in V8's heap. For what does not live long: a piece keeps its slab.
 */
export function newOctets(length: number): Uint8Array {
  if (length > LONGEST_PIECE) return new Uint8Array(length);
  const start = takePiece(length);
  return new Uint8Array(slab, start, length);
}

/** Zeros, as `newOctets`. */
export function newNumbers(count: number): Float64Array {
  const length = count * Float64Array.BYTES_PER_ELEMENT;
  if (length > LONGEST_PIECE) return new Float64Array(count);
  const start = takePiece(length);
  return new Float64Array(slab, start, count);
}

/** Where in the slab, which may be another one afterwards, a piece begins. */
function takePiece(length: number): number {
  if (used + length > SLAB_LENGTH) {
    slab = new ArrayBuffer(SLAB_LENGTH);
    used = 0;
  }
  const start = used;
  used += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  return start;
}

export function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}

/** Whether both are the same octets. Not for secrets: it takes longer the more of them are the same. */
export function sameOctets(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, index) => octet === other[index]);
}

/** The pieces one after the other, as the caller's own octets. */
export function joinOctets(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const octets = newOctets(length);
  let offset = 0;
  for (const part of parts) {
    octets.set(part, offset);
    offset += part.length;
  }
  return octets;
}
