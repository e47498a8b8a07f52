import { newOctets } from "../bytes/octets.ts";

const INITIAL_CAPACITY = 256;
const KEPT_CAPACITY = 64 * 1024;
const NO_OCTETS = new Uint8Array(0);

/**
 * Octets of a stream that are not yet used up. Grows as needed and reuses its memory: a view is good only until the next
 * `append`, and what has to outlive it is copied by `copy`. The parser that owns it keeps it within bounds.
 */
export class OctetBuffer {
  #bytes: Uint8Array = NO_OCTETS;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  append(octets: Uint8Array): void {
    if (this.#end + octets.length > this.#bytes.length) this.#makeRoom(octets.length);
    this.#bytes.set(octets, this.#end);
    this.#end += octets.length;
  }

  /** The octet at `index`, or undefined beyond the end. */
  at(index: number): number | undefined {
    return index < this.length ? this.#bytes[this.#start + index] : undefined;
  }

  view(from = 0, to = this.length): Uint8Array {
    return this.#bytes.subarray(this.#start + from, this.#start + to);
  }

  /** The first `count` octets as the caller's own, taken out of the buffer. */
  take(count: number): Uint8Array {
    const taken = newOctets(count);
    taken.set(this.view(0, count));
    this.drop(count);
    return taken;
  }

  drop(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#start = 0;
    this.#end = 0;
    // One long APDU must not hold memory for the rest of a link's life.
    if (this.#bytes.length > KEPT_CAPACITY) this.#bytes = NO_OCTETS;
  }

  #makeRoom(count: number): void {
    const length = this.length;
    const capacity = Math.max(this.#bytes.length, INITIAL_CAPACITY, 2 * (length + count));
    const bytes = length + count <= this.#bytes.length / 2 ? this.#bytes : new Uint8Array(capacity);
    bytes.set(this.view());
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = length;
  }
}
