/** Every target of a long run in one form: its seeds, how its octets are made to pass checks, and one execution. */

import { DIALOGUES } from "./dialogues.ts";
import { STREAMS } from "./machines.ts";
import { type Repair, repairHdlc, repairHdlcLength, repairMbus, repairP1, repairWrapper } from "./repair.ts";
import { DECODERS, runDecoder, runStream } from "./targets.ts";
import { vectorsOf } from "./vectors.ts";

export interface FuzzTarget {
  readonly name: string;
  seeds(): Uint8Array[];
  /** Given the octets to change in place. Each of them is as good as leaving the octets as they are. */
  readonly repairs: readonly Repair[];
  /** Throws when something was found. */
  execute(octets: Uint8Array): void;
}

const REPAIRS: Readonly<Record<string, readonly Repair[]>> = {
  hdlc: [repairHdlc, repairHdlcLength],
  "hdlc-stream": [repairHdlc],
  wrapper: [repairWrapper],
  "wrapper-stream": [repairWrapper],
  mbus: [repairMbus],
  p1: [repairP1],
};

function repairsFor(layers: readonly string[]): Repair[] {
  return [...new Set(layers.flatMap((layer) => REPAIRS[layer] ?? []))];
}

/** Cutting costs as much as an input has octets, so not every input is cut: which ones is a matter of their octets. */
function isCut(octets: Uint8Array): boolean {
  return octets.reduce((sum, octet) => (sum * 31 + octet) >>> 0, octets.length) % 16 === 0;
}

/** Two cuts, again from the octets alone, so that a finding needs nothing but its octets to be seen again. */
function piecesOf(octets: Uint8Array): Uint8Array[] {
  const sum = octets.reduce((total, octet) => total + octet, 0);
  const places = [sum, sum >> 3].map((each) => each % (octets.length + 1)).sort((a, b) => a - b);
  const [first = 0, second = 0] = places;
  return [octets.subarray(0, first), octets.subarray(first, second), octets.subarray(second)];
}

export const TARGETS: readonly FuzzTarget[] = [
  ...DECODERS.map(
    (target): FuzzTarget => ({
      name: target.name,
      seeds: () => vectorsOf(target.layers),
      repairs: repairsFor(target.layers),
      execute: (octets) => void runDecoder(target, octets),
    }),
  ),
  ...STREAMS.map(
    (target): FuzzTarget => ({
      name: target.name,
      seeds: () => vectorsOf(target.layers),
      repairs: repairsFor(target.layers),
      execute(octets) {
        if (isCut(octets)) runStream(target, octets, piecesOf(octets));
        else target.run([octets]);
      },
    }),
  ),
  ...DIALOGUES.map(
    (target): FuzzTarget => ({
      name: target.name,
      seeds: () => [...target.seeds(), ...(target.repair === undefined ? vectorsOf(["apdu"]) : [])],
      repairs: target.repair === undefined ? [] : [target.repair],
      execute: (octets) => target.run(octets),
    }),
  ),
];
