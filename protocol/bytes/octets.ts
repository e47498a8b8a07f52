const SLAB_LENGTH = 16 * 1024;
/** Longer ones get memory of their own. */
const LONGEST_PIECE = SLAB_LENGTH / 4;
/** Numbers may lie in it. */
const ALIGNMENT = 8;

let slab = new Uint8Array(0);
let used = 0;

/**
 * Octets that are zero, cut from a slab: memory of their own takes ten times as long to get, and so does the first view
 * of an array that is small enough to lie in V8's heap. For what does not live long: a piece keeps its slab.
 */
export function newOctets(length: number): Uint8Array {
  if (length > LONGEST_PIECE) return new Uint8Array(length);
  if (used + length > slab.length) {
    slab = new Uint8Array(SLAB_LENGTH);
    used = 0;
  }
  const octets = slab.subarray(used, used + length);
  used += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  return octets;
}

/** Zeros, as `newOctets`. */
export function newNumbers(count: number): Float64Array {
  const octets = newOctets(count * Float64Array.BYTES_PER_ELEMENT);
  return new Float64Array(octets.buffer, octets.byteOffset, count);
}

export function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}

/** Whether both are the same octets. Not for secrets: it takes longer the more of them are the same. */
export function sameOctets(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, index) => octet === other[index]);
}
