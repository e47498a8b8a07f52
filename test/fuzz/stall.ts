/**
 * Tells of an execution that never ends: the thread that runs it can't. What is under way stands in shared memory; a
 * worker (this file as one) looks at it and ends the process when it has not moved for long.
 */
import { writeSync } from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { toHex } from "../../protocol/bytes/hex.ts";

const HEAD_WORDS = 3;
const LONGEST = 16_384;
const LOOK_MS = 10_000;
/** A loaded machine may keep a thread waiting for longer than one look. */
const LOOKS = 6;

/** What one thread is doing, where others can see it. */
export class UnderWay {
  readonly memory: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #octets: Uint8Array;

  constructor(memory = new SharedArrayBuffer(HEAD_WORDS * 4 + LONGEST)) {
    this.memory = memory;
    this.#head = new Int32Array(memory, 0, HEAD_WORDS);
    this.#octets = new Uint8Array(memory, HEAD_WORDS * 4);
  }

  enter(target: number, octets: Uint8Array): void {
    const length = Math.min(octets.length, LONGEST);
    this.#octets.set(octets.subarray(0, length));
    this.#head[1] = target;
    this.#head[2] = length;
    this.#head[0] = (this.#head[0] ?? 0) + 1;
  }

  get count(): number {
    return this.#head[0] ?? 0;
  }

  get target(): number {
    return this.#head[1] ?? 0;
  }

  get octets(): Uint8Array {
    return this.#octets.slice(0, this.#head[2]);
  }
}

/** Watches until the process ends. */
export function watch(underWay: UnderWay, names: readonly string[]): void {
  new Worker(new URL(import.meta.url), { workerData: { memory: underWay.memory, names } }).unref();
}

if (!isMainThread && workerData?.names !== undefined) {
  const { memory, names } = workerData as { readonly memory: SharedArrayBuffer; readonly names: readonly string[] };
  const underWay = new UnderWay(memory);
  let before = -1;
  let looks = 0;
  setInterval(() => {
    looks = underWay.count === before ? looks + 1 : 0;
    before = underWay.count;
    if (looks < LOOKS) return;
    writeSync(2, `${names[underWay.target]} does not end: ${toHex(underWay.octets)}\n`);
    process.kill(process.pid, "SIGKILL");
  }, LOOK_MS);
}
