/** Which meters a block holds: those that share a line, or a pool of modems, are all in one. */
import { createHash } from "node:crypto";
import type { ConnectionConfig } from "../config/schema.ts";
import { type Block, blockKey, blockOf } from "./block.ts";

const DIGEST_LETTERS = 16;

export class MeterBlocks<Meter> {
  readonly #meters = new Map<string, Meter[]>();
  readonly #blocks = new Map<Meter, Block>();

  constructor(meters: Iterable<Meter>, blockOfMeter: (meter: Meter) => Block) {
    for (const meter of meters) {
      const block = blockOfMeter(meter);
      this.#blocks.set(meter, block);
      const known = this.#meters.get(blockKey(block));
      if (known === undefined) this.#meters.set(blockKey(block), [meter]);
      else known.push(meter);
    }
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

  /** By network, something that differs where gateways know different meters. */
  fingerprints(textOf: (meter: Meter) => string): Record<string, string> {
    const byNetwork = Map.groupBy(this.#blocks, ([, block]) => block.network);
    return Object.fromEntries(
      Array.from(byNetwork, ([network, entries]) => {
        const hash = createHash("sha256");
        for (const text of entries.map(([meter]) => textOf(meter)).sort()) hash.update(`${text}\n`);
        return [network, `${entries.length}:${hash.digest("hex").slice(0, DIGEST_LETTERS)}`];
      }),
    );
  }
}

/** The block of a meter by where it is. */
export function connectionBlock(connection: ConnectionConfig, name: string): Block {
  const { network, pool, line, serial, caller, udp, tcp } = connection;
  return { network, block: blockOf(pool ?? line ?? serial ?? caller ?? (udp ?? tcp)?.toLowerCase() ?? name) };
}
