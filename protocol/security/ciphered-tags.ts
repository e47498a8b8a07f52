/** Which ciphered tags carry which plain APDU, service by service: plain, with a global key, with the dedicated key. */
const SERVICE_TAGS: readonly (readonly [plain: number, global: number, dedicated: number])[] = [
  [0x01, 0x21, 0x41],
  [0x05, 0x25, 0x45],
  [0x06, 0x26, 0x46],
  [0x08, 0x28, 0x48],
  [0x0c, 0x2c, 0x4c],
  [0x0d, 0x2d, 0x4d],
  [0x0e, 0x2e, 0x4e],
  [0x16, 0x36, 0x56],
  [0x18, 0x38, 0x58],
  [0xc0, 0xc8, 0xd0],
  [0xc1, 0xc9, 0xd1],
  [0xc2, 0xca, 0xd2],
  [0xc3, 0xcb, 0xd3],
  [0xc4, 0xcc, 0xd4],
  [0xc5, 0xcd, 0xd5],
  [0xc7, 0xcf, 0xd7],
];

export const GLOBAL_TAG_OF_PLAIN: ReadonlyMap<number, number> = new Map(SERVICE_TAGS.map(([p, g]) => [p, g]));
export const DEDICATED_TAG_OF_PLAIN: ReadonlyMap<number, number> = new Map(SERVICE_TAGS.map(([p, , d]) => [p, d]));
export const PLAIN_TAG_OF_GLOBAL: ReadonlyMap<number, number> = new Map(SERVICE_TAGS.map(([p, g]) => [g, p]));
export const PLAIN_TAG_OF_DEDICATED: ReadonlyMap<number, number> = new Map(SERVICE_TAGS.map(([p, , d]) => [d, p]));
