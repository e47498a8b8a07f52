import * as fc from "fast-check";

/** Octets that like to stand where a length, a count or a tag is read. */
const TELLING = [0x00, 0x01, 0x02, 0x09, 0x0f, 0x13, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xc4, 0xdb, 0xfe, 0xff];
const LONGEST_RANDOM = 400;

const octet = fc.oneof(fc.constantFrom(...TELLING), fc.nat(255));

type Mutation =
  | { readonly type: "set"; readonly at: number; readonly octet: number }
  | { readonly type: "flip"; readonly at: number; readonly bit: number }
  | { readonly type: "cut"; readonly at: number }
  | { readonly type: "drop"; readonly at: number; readonly count: number }
  | { readonly type: "insert"; readonly at: number; readonly octets: Uint8Array }
  | { readonly type: "repeat"; readonly at: number; readonly count: number };

/** Positions are fractions of the length, so that shrinking a mutation keeps it meaningful. */
const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const count = fc.integer({ min: 1, max: 16 });

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ type: fc.constant("set" as const), at: position, octet }),
  fc.record({ type: fc.constant("flip" as const), at: position, bit: fc.nat(7) }),
  fc.record({ type: fc.constant("cut" as const), at: position }),
  fc.record({ type: fc.constant("drop" as const), at: position, count }),
  fc.record({
    type: fc.constant("insert" as const),
    at: position,
    octets: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  }),
  fc.record({ type: fc.constant("repeat" as const), at: position, count }),
);

function mutate(octets: Uint8Array, { at, ...each }: Mutation): Uint8Array {
  const index = Math.floor(at * octets.length);
  switch (each.type) {
    case "set":
      return octets.with(index, each.octet);
    case "flip":
      return octets.with(index, (octets[index] ?? 0) ^ (1 << each.bit));
    case "cut":
      return octets.subarray(0, index);
    case "drop":
      return join(octets.subarray(0, index), octets.subarray(index + each.count));
    case "insert":
      return join(octets.subarray(0, index), each.octets, octets.subarray(index));
    case "repeat":
      return join(octets.subarray(0, index + each.count), octets.subarray(index));
  }
}

function join(...pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Octets as a hostile or broken peer sends them: anything at all, or a true vector with a few mutations. */
export function hostileOctets(vectors: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const anything = fc.array(octet, { maxLength: LONGEST_RANDOM }).map((octets) => Uint8Array.from(octets));
  if (vectors.length === 0) return anything;
  const mutated = fc
    .tuple(fc.constantFrom(...vectors), fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([vector, mutations]) =>
      mutations.reduce((octets, each) => (octets.length === 0 ? octets : mutate(octets, each)), vector),
    );
  return fc.oneof({ weight: 1, arbitrary: anything }, { weight: 4, arbitrary: mutated });
}

/** Ways to cut octets into pieces, as fractions of the length. */
export const cutPoints = fc.array(position, { maxLength: 8 });

export function cutAt(octets: Uint8Array, points: readonly number[]): Uint8Array[] {
  const indexes = points.map((point) => Math.floor(point * octets.length)).sort((a, b) => a - b);
  const pieces: Uint8Array[] = [];
  let start = 0;
  for (const index of [...indexes, octets.length]) {
    pieces.push(octets.subarray(start, index));
    start = index;
  }
  return pieces;
}
