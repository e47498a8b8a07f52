/**
 * `npm run fuzz -- [--seconds N] [--seed N] [--target NAME] [--truncations] [--octets HEX]`: long runs over every decoder
 * and machine, time shared out evenly. A quarter of it is guided by coverage; what that found is mutated further in the
 * rest. `--truncations` first cuts every vector at every place; `--octets` executes just these. The seed is printed and
 * repeats the draws, though not the time. Exits with 1 when something was found, or when a decoder was never entered.
 */
import { parseArgs } from "node:util";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { type FuzzTarget, TARGETS } from "./catalogue.ts";
import { decodersOf } from "./decoders.ts";
import { Engine } from "./engine.ts";
import { type Explored, exploration } from "./exploration.ts";
import { UnderWay, watch } from "./stall.ts";
import { DECODERS, runDecoder } from "./targets.ts";
import { vectorsOf } from "./vectors.ts";

const DEFAULT_SECONDS = 60;
const GUIDED_SHARE = 0.25;

const { values } = parseArgs({
  options: {
    seconds: { type: "string" },
    seed: { type: "string" },
    target: { type: "string" },
    truncations: { type: "boolean", default: false },
    octets: { type: "string" },
  },
});
const seconds = Number(values.seconds ?? DEFAULT_SECONDS);
const seed = Number(values.seed ?? Date.now() % 0x7fff_ffff);
const indexes = [...TARGETS.keys()].filter((index) => TARGETS[index]?.name.includes(values.target ?? ""));
const underWay = new UnderWay();
const explored = new Map<number, Explored>();
let total = 0;
let failed = 0;

/** Every truncation of every vector, at every place. */
function cutEverywhere(): number {
  let cuts = 0;
  for (const target of DECODERS.filter((each) => each.name.includes(values.target ?? ""))) {
    for (const vector of vectorsOf(target.layers)) {
      for (let length = 0; length < vector.length; length++) runDecoder(target, vector.subarray(0, length));
      cuts += vector.length;
    }
  }
  return cuts;
}

function report(
  name: string,
  counts: { guided: number; plain: number; pool: number },
  finding: string | undefined,
): void {
  const { guided, plain, pool } = counts;
  total += guided + plain;
  const numbers = `${String(guided + plain).padStart(10)} executions (${guided} guided, ${pool} inputs kept)`;
  console.log(`${name.padEnd(34)}${numbers}  ${finding === undefined ? "ok" : `FAILED\n${finding}`}`);
  if (finding !== undefined) failed++;
}

function fuzz(index: number, target: FuzzTarget, secondsEach: number): void {
  const known = explored.get(index);
  const engine = new Engine(target, seed ^ (index + 1), (octets) => underWay.enter(index, octets));
  engine.pool.push(...(known?.pool ?? []));
  const found = engine.run(secondsEach * 1000);
  const shown = found
    ? `${toHex(found.octets)}\n${found.error.stack}`
    : known?.finding && `${toHex(known.finding.octets)}\n${known.finding.message}`;
  const counts = { guided: known?.executions ?? 0, plain: engine.executions, pool: known?.pool.length ?? 0 };
  report(target.name, counts, shown);
}

if (values.octets !== undefined) {
  const octets = fromHex(values.octets);
  for (const index of indexes) TARGETS[index]?.execute(octets);
  console.log(`${indexes.length} targets took ${octets.length} octets`);
  process.exit();
}
console.log(`fuzz: seed ${seed}, ${seconds} s over ${indexes.length} targets, node ${process.version}`);
watch(
  underWay,
  TARGETS.map(({ name }) => name),
);
if (values.truncations) console.log(`truncations: ${cutEverywhere()} executions  ok`);
const secondsGuided = (seconds * GUIDED_SHARE) / indexes.length;
const covered = await exploration(
  { seed, secondsEach: secondsGuided, targets: indexes, memory: underWay.memory },
  (news) => explored.set(news.target, news),
);
for (const index of indexes) {
  const target = TARGETS[index];
  if (target !== undefined) fuzz(index, target, (seconds * (1 - GUIDED_SHARE)) / indexes.length);
}
console.log(`coverage: ${covered.functions.size} functions of protocol/ entered, ${covered.gaps} ranges in them not`);
const missed = values.target === undefined ? decodersOf().filter((name) => !covered.functions.has(name)) : [];
for (const name of missed) console.log(`never entered: ${name}`);
console.log(`fuzz: ${total} executions, ${failed} targets failed, ${missed.length} decoders missed, seed ${seed}`);
process.exitCode = failed > 0 || missed.length > 0 || indexes.length === 0 ? 1 : 0;
