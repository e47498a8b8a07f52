/** What the spool promises, as a plain list beside it; each step asserts that both agree. */
import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { Spool, type SpoolOptions } from "../../../src/spool/spool.ts";
import { MemoryDisk } from "./memory-disk.ts";

export const KIND = 7;
export const VERSION = 2;
export const DIRECTORY = "/spool";

export function openSpool(disk: MemoryDisk, options: Partial<SpoolOptions> = {}): Promise<Spool> {
  return Spool.open({ directory: DIRECTORY, quota: 1e9, segmentOctets: 400, disk, ...options });
}

export function payload(number: number, length = 10): Uint8Array {
  const octets = new Uint8Array(4 + length).fill(number);
  new DataView(octets.buffer).setUint32(0, number);
  return octets;
}

export function numberOf({ payload }: { readonly payload: Uint8Array }): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}

/** About `octets` octets of what comes next; nothing where the disk fails. */
export async function readSome(spool: Spool, octets: number): Promise<number[]> {
  const next = await spool.read(octets).catch(() => undefined);
  return next?.records.map(numberOf) ?? [];
}

export async function readAll(spool: Spool): Promise<number[]> {
  const numbers: number[] = [];
  for (let next = await spool.read(200); next !== undefined; next = await spool.read(200)) {
    numbers.push(...next.records.map(numberOf));
  }
  return numbers;
}

const LEAVES = ["nothing", "torn", "zeros"] as const;

export const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant("append" as const), count: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("read" as const), octets: fc.integer({ min: 1, max: 600 }) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("release" as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("cut" as const), leaves: fc.constantFrom(...LEAVES) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("fail" as const), after: fc.integer({ min: 0, max: 9 }) }) },
);

export class SpoolModel {
  readonly #disk = new MemoryDisk();
  #spool: Spool | undefined;
  #number = 0;
  /** Acknowledged and not known to be freed, in order. */
  #kept: number[] = [];
  readonly #refused = new Set<number>();
  #readCount = 0;

  async take(
    step:
      | { readonly does: "append"; readonly count: number }
      | { readonly does: "read"; readonly octets: number }
      | { readonly does: "release" }
      | { readonly does: "cut"; readonly leaves: (typeof LEAVES)[number] }
      | { readonly does: "fail"; readonly after: number },
  ): Promise<void> {
    const spool = (this.#spool ??= await openSpool(this.#disk));
    switch (step.does) {
      case "append":
        return this.#append(spool, step.count);
      case "read":
        return this.#read(spool, step.octets);
      case "release":
        return spool.release().catch(() => undefined);
      case "fail":
        this.#disk.failAfter = step.after;
        return undefined;
      case "cut":
        this.#disk.failAfter = undefined;
        this.#disk.cutPower(step.leaves);
        return this.#startAgain();
    }
  }

  async #append(spool: Spool, count: number): Promise<void> {
    const numbers = Array.from({ length: count }, () => this.#number++);
    const outcomes = await Promise.allSettled(numbers.map((one) => spool.append(KIND, VERSION, payload(one))));
    for (const [index, number] of numbers.entries()) {
      if (outcomes[index]?.status === "fulfilled") this.#kept.push(number);
      else this.#refused.add(number);
    }
  }

  async #read(spool: Spool, octets: number): Promise<void> {
    const numbers = await readSome(spool, octets);
    deepStrictEqual(numbers, this.#kept.slice(this.#readCount, this.#readCount + numbers.length));
    this.#readCount += numbers.length;
  }

  /** Of what was read, any part may have been freed, from the oldest on; nothing else may be missing. */
  async #startAgain(): Promise<void> {
    const found = await readAll(await openSpool(this.#disk));
    const left = found.filter((one) => !this.#refused.has(one));
    deepStrictEqual(left, this.#kept.slice(this.#kept.length - left.length));
    ok(left.length >= this.#kept.length - this.#readCount);
    this.#spool = await openSpool(this.#disk);
    // What was refused may have reached the disk all the same.
    [this.#kept, this.#readCount] = [found, 0];
    for (const one of found) this.#refused.delete(one);
  }
}
