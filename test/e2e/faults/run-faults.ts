/**
 * `npm run faults -- [--rounds N] [--edition NAME] [FAULT …]`: the long run of fault-loop.test.ts; one line of JSON for each
 * fault. Editions are `embedded`, `timescale-apache`, and `given`: the PostgreSQL programs in the directory that
 * DLMS_GATEWAY_TEST_TIMESCALE_BINARIES names, with TimescaleDB.
 */
import { parseArgs } from "node:util";
import { faultServer } from "../../db/test-server.ts";
import { isWhole, runFaultLoop } from "./fault-loop.ts";
import { FAULTS } from "./fault-rounds.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "200" }, edition: { type: "string", default: "embedded" } },
});
const faults = FAULTS.filter((fault) => positionals.length === 0 || positionals.includes(fault));
const server = await faultServer(values.edition);
if (faults.length === 0 || typeof server === "string") {
  console.error(`usage: npm run faults -- [--rounds N] [--edition NAME] [FAULT …]; faults are: ${FAULTS.join(", ")}`);
  if (typeof server === "string") console.error(server);
  process.exit(2);
}
for (const fault of faults) {
  const report = await runFaultLoop({ fault, rounds: Number(values.rounds), server });
  console.log(JSON.stringify({ edition: values.edition, ...report }));
  if (!isWhole(report)) process.exitCode = 1;
}
