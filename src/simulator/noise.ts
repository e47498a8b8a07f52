/** Deterministic noise: the same seed and position give the same number in every run and on every machine. */

/** A well mixed unsigned 32-bit number of a seed and a position of two integers. */
export function hash(seed: number, first: number, second = 0): number {
  let mixed =
    Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(first, 0xc2b2_ae35) ^ Math.imul(second, 0x27d4_eb2f);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a_2d39);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** A number of at least 0 and less than 1. */
export function fraction(seed: number, first: number, second = 0): number {
  return hash(seed, first, second) / 0x1_0000_0000;
}

/** A number between −1 and 1. */
export function jitter(seed: number, first: number, second = 0): number {
  return 2 * fraction(seed, first, second) - 1;
}

/** Jitter that changes smoothly: it has one knot at every whole number of `position`. */
export function smoothJitter(seed: number, position: number): number {
  const knot = Math.floor(position);
  const part = position - knot;
  const ease = part * part * (3 - 2 * part);
  return jitter(seed, knot) * (1 - ease) + jitter(seed, knot + 1) * ease;
}
