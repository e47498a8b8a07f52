/** Which meters a block holds: those that share a line, or a pool of modems, are all in one. */
import { createHash } from "node:crypto";
import type { ConnectionConfig } from "../config/schema.ts";
import { BLOCKS, type Block, blockKey, blockOf } from "./block.ts";

const DIGEST_LETTERS = 6;

export class MeterBlocks<Meter> {
  readonly #meters = new Map<string, Meter[]>();
  readonly #blocks = new Map<Meter, Block>();
  readonly #blockOfMeter: (meter: Meter) => Block;

  constructor(meters: Iterable<Meter>, blockOfMeter: (meter: Meter) => Block) {
    this.#blockOfMeter = blockOfMeter;
    for (const meter of meters) this.add(meter);
  }

  add(meter: Meter): void {
    const block = this.#blockOfMeter(meter);
    this.#blocks.set(meter, block);
    const known = this.#meters.get(blockKey(block));
    if (known === undefined) this.#meters.set(blockKey(block), [meter]);
    else known.push(meter);
  }

  remove(meter: Meter): void {
    const block = this.#blocks.get(meter);
    if (block === undefined) return;
    this.#blocks.delete(meter);
    const others = (this.#meters.get(blockKey(block)) ?? []).filter((each) => each !== meter);
    this.#meters.set(blockKey(block), others);
  }

  blockOf(meter: Meter): Block | undefined {
    return this.#blocks.get(meter);
  }

  metersOf(blocks: readonly Block[]): Meter[] {
    return blocks.flatMap((block) => this.#meters.get(blockKey(block)) ?? []);
  }

  /** Networks that have meters. */
  networks(): string[] {
    return [...new Set(this.#blocks.values().map((block) => block.network))];
  }

  /** By network, how many meters each of its blocks has, and something that differs where gateways know others. */
  fingerprints(textOf: (meter: Meter) => string): Record<string, string> {
    return Object.fromEntries(
      this.networks().map((network) => {
        const blocks = Array.from({ length: BLOCKS }, (_, block) => {
          const meters = this.#meters.get(blockKey({ network, block })) ?? [];
          const hash = createHash("sha256");
          for (const text of meters.map(textOf).sort()) hash.update(`${text}\n`);
          return meters.length === 0 ? "" : `${meters.length}:${hash.digest("hex").slice(0, DIGEST_LETTERS)}`;
        });
        return [network, blocks.join(" ")];
      }),
    );
  }
}

/** The block of a meter by where it is. */
export function connectionBlock(connection: ConnectionConfig, name: string): Block {
  const { network, pool, line, serial, caller, udp, tcp } = connection;
  return { network, block: blockOf(pool ?? line ?? serial ?? caller ?? (udp ?? tcp)?.toLowerCase() ?? name) };
}

/** How many meters each block has, as a fingerprint says. */
export function meterCounts(fingerprint: string): number[] {
  return fingerprint.split(" ").map((block) => Number.parseInt(block, 10) || 0);
}
