/**
 * `npm run fuzz -- [--seconds N] [--seed N] [--target NAME] [--truncations]`: long runs over every decoder and machine;
 * `--truncations` first cuts every vector at every place. Time is shared out evenly; the seed is printed, and giving it back repeats the run. Exits with 1 when something was found.
 */
import { parseArgs } from "node:util";
import * as fc from "fast-check";
import { STREAMS } from "./machines.ts";
import { cutAt, cutPoints, hostileOctets } from "./octets.ts";
import { DECODERS, runDecoder, runStream } from "./targets.ts";
import { vectorsOf } from "./vectors.ts";

const DEFAULT_SECONDS = 60;

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    seed: { type: "string" },
    target: { type: "string" },
    truncations: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds ?? DEFAULT_SECONDS);
const seed = Number(values.seed ?? Date.now() % 0x7fff_ffff);

interface Run {
  readonly name: string;
  check(parameters: Parameters): Details;
}

interface Parameters {
  readonly seed: number;
  readonly numRuns: number;
  readonly interruptAfterTimeLimit: number;
  readonly markInterruptAsFailure: boolean;
}

interface Details {
  readonly failed: boolean;
  readonly numRuns: number;
  readonly report: string | undefined;
}

function details<Values>(result: fc.RunDetails<Values>): Details {
  return { failed: result.failed, numRuns: result.numRuns, report: fc.defaultReportMessage(result) };
}

const decoderRuns = DECODERS.map((target): Run => {
  const property = fc.property(hostileOctets(vectorsOf(target.layers)), (octets) => void runDecoder(target, octets));
  return { name: target.name, check: (parameters) => details(fc.check(property, parameters)) };
});
const streamRuns = STREAMS.map((target): Run => {
  const property = fc.property(hostileOctets(vectorsOf(target.layers)), cutPoints, (octets, points) => {
    runStream(target, octets, cutAt(octets, points));
  });
  return { name: target.name, check: (parameters) => details(fc.check(property, parameters)) };
});
const runs = [...decoderRuns, ...streamRuns].filter(
  (run) => values.target === undefined || run.name.includes(values.target),
);

/** Every truncation of every vector, at every place. */
function cutEverywhere(): number {
  let cuts = 0;
  for (const target of DECODERS.filter((each) => values.target === undefined || each.name.includes(values.target))) {
    for (const vector of vectorsOf(target.layers)) {
      for (let length = 0; length < vector.length; length++) runDecoder(target, vector.subarray(0, length));
      cuts += vector.length;
    }
  }
  return cuts;
}

console.log(`fuzz: seed ${seed}, ${seconds} s over ${runs.length} targets, node ${process.version}`);
if (values.truncations) console.log(`truncations: ${cutEverywhere()} executions  ok`);
let executions = 0;
let found = 0;
for (const run of runs) {
  const result = run.check({
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: (seconds * 1000) / runs.length,
    markInterruptAsFailure: false,
  });
  executions += result.numRuns;
  if (result.failed) found++;
  const outcome = result.failed ? `FAILED\n${result.report}` : "ok";
  console.log(`${run.name.padEnd(20)} ${String(result.numRuns).padStart(9)} executions  ${outcome}`);
}
console.log(`fuzz: ${executions} executions, ${found} targets failed, seed ${seed}`);
process.exitCode = found > 0 || runs.length === 0 ? 1 : 0;
