/** Blocks into which the meters of a network fall, so that a fleet is shared without a row for each meter. */
export const BLOCKS = 256;

/** FNV-1a, 32 bits. */
const HASH_OFFSET = 0x811c9dc5;
const HASH_PRIME = 0x01000193;
const HALF = 16;

export interface Block {
  readonly network: string;
  readonly block: number;
}

/** The block of a meter, by what it shares with the meters that must not be worked beside it: its line, else its name. */
export function blockOf(shared: string): number {
  let hash = HASH_OFFSET;
  for (let i = 0; i < shared.length; i++) hash = Math.imul(hash ^ shared.charCodeAt(i), HASH_PRIME) >>> 0;
  // The low bits of the hash alone follow the last characters of names that are numbered.
  return ((hash ^ (hash >>> HALF)) >>> 0) % BLOCKS;
}

export function blockKey({ network, block }: Block): string {
  return `${block} ${network}`;
}
