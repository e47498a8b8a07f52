/** Takes counters from a file until it is killed; each counter is on standard output before the next is taken. */
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { systemTitle } from "../../protocol/security/system-title.ts";
import { CounterFile } from "../../src/keys/counter-file.ts";
import { CounterLease } from "../../src/keys/counter-lease.ts";

const STANDARD_OUTPUT = 1;
const [path = "", block = "7"] = process.argv.slice(2);

const file = await CounterFile.open({ path, randomOctets: (length) => new Uint8Array(randomBytes(length)) });
const name = { keyId: "key", systemTitle: systemTitle(new Uint8Array(8)), association: "" };
for (;;) {
  const lease = await CounterLease.open(file, name, { block: Number(block) });
  for (let i = 0; i < 3 * Number(block); i++) {
    await lease.ensure(1);
    writeSync(STANDARD_OUTPUT, `${lease.next()}\n`);
  }
}
