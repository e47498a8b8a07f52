/** Which meters a block holds: those that share a line, or a pool of modems, are all in one. */
import { createHash } from "node:crypto";
import type { ConnectionConfig } from "../config/schema.ts";
import { BLOCKS, type Block, blockOf } from "./block.ts";

const DIGEST_OCTETS = 4;

interface MetersOfBlock<Meter> {
  readonly meters: Set<Meter>;
  /** Of their digests, in whichever order they came. */
  sum: number;
}

export interface MeterBlocksOptions<Meter> {
  readonly blockOf: (meter: Meter) => Block;
  /** What tells a meter from others at every gateway. */
  readonly textOf: (meter: Meter) => string;
}

export class MeterBlocks<Meter> {
  readonly #options: MeterBlocksOptions<Meter>;
  /** By network, each of its blocks. */
  readonly #networks = new Map<string, MetersOfBlock<Meter>[]>();
  readonly #blocks = new Map<Meter, Block>();

  constructor(meters: Iterable<Meter>, options: MeterBlocksOptions<Meter>) {
    this.#options = options;
    for (const meter of meters) this.add(meter);
  }

  add(meter: Meter): void {
    const block = this.#options.blockOf(meter);
    this.#blocks.set(meter, block);
    if (!this.#networks.has(block.network)) {
      const blocks = Array.from({ length: BLOCKS }, () => ({ meters: new Set<Meter>(), sum: 0 }));
      this.#networks.set(block.network, blocks);
    }
    const held = this.#held(block);
    held?.meters.add(meter);
    this.#turn(held, meter);
  }

  remove(meter: Meter): void {
    const block = this.#blocks.get(meter);
    if (block === undefined) return;
    this.#blocks.delete(meter);
    const held = this.#held(block);
    held?.meters.delete(meter);
    this.#turn(held, meter);
  }

  blockOf(meter: Meter): Block | undefined {
    return this.#blocks.get(meter);
  }

  metersOf(blocks: readonly Block[]): Meter[] {
    return blocks.flatMap((block) => [...(this.#held(block)?.meters ?? [])]);
  }

  /** By network, how many meters each of its blocks has, and something that differs where gateways know others. */
  fingerprints(): Record<string, string> {
    return Object.fromEntries(
      this.#networks.entries().map(([network, blocks]) => [network, blocks.map(fingerprint).join(" ")]),
    );
  }

  #held({ network, block }: Block): MetersOfBlock<Meter> | undefined {
    return this.#networks.get(network)?.[block];
  }

  /** Adds the digest of a meter, or takes it away. */
  #turn(held: MetersOfBlock<Meter> | undefined, meter: Meter): void {
    if (held === undefined) return;
    const digest = createHash("sha256").update(this.#options.textOf(meter)).digest();
    held.sum = (held.sum ^ digest.readUInt32BE()) >>> 0;
  }
}

function fingerprint({ meters, sum }: MetersOfBlock<unknown>): string {
  return meters.size === 0 ? "" : `${meters.size}:${sum.toString(16).padStart(2 * DIGEST_OCTETS, "0")}`;
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
