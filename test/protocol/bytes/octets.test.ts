import { expect, test } from "vitest";
import { newNumbers, newOctets } from "../../../protocol/bytes/octets.ts";

/** More than two slabs of them, and one that gets its own memory. */
const LENGTHS = [0, 1, 7, 8, 13, 64, 1000, 4096, ...Array.from({ length: 300 }, (_, index) => index), 5000, 3];

test("octets: pieces are zero, as long as was wanted, and nobody else's", () => {
  const pieces = LENGTHS.map((length) => newOctets(length));
  expect(pieces.map(({ length }) => length)).toEqual(LENGTHS);
  expect(pieces.every((piece) => piece.every((octet) => octet === 0))).toBe(true);
  for (const [index, piece] of pieces.entries()) piece.fill(index % 251);
  expect(pieces.every((piece, index) => piece.every((octet) => octet === index % 251))).toBe(true);
});

test("octets: numbers may lie after a piece of any length", () => {
  for (const length of [1, 3, 8, 5]) {
    newOctets(length);
    expect(newNumbers(3)).toEqual(new Float64Array(3));
  }
  expect(newNumbers(100_000)).toHaveLength(100_000);
});
