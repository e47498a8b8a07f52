/** A meter is dumped, and the dump is served and read again: the same values come out. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dumpCommand } from "../../src/cli/commands/dump-command.ts";
import { type ReadOptions, readCommand } from "../../src/cli/commands/read-command.ts";
import { simulateCommand } from "../../src/cli/commands/simulate-command.ts";
import { startStreet } from "../../src/simulator/street.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-simulate-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

class Collected {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly width = 200;
  /** Resolves with the first line. */
  readonly first = Promise.withResolvers<string>();

  readonly out = (text: string): void => {
    this.lines.push(text);
    this.first.resolve(text);
  };

  readonly err = (text: string): void => {
    this.errors.push(text);
  };
}

function direct(tcp: string, more: Partial<ReadOptions> = {}): ReadOptions {
  return { socket: "", tcp, counters: join(directory, "counters"), timeZone: "Asia/Kolkata", ...more };
}

async function served(file: string, link: "wrapper" | "hdlc", work: (address: string) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const output = new Collected();
  const options = { listen: "127.0.0.1:0", link, seed: "1" };
  const ended = simulateCommand(file, options, output, stop.signal);
  const first = await Promise.race([output.first.promise, ended.then(() => "ended")]);
  const address = /on (\S+:\d+),/u.exec(first)?.[1] ?? "";
  try {
    await work(address);
  } finally {
    stop.abort();
  }
  expect(await ended).toBe("success");
}

async function answers(tcp: string, whats: readonly string[], more: Partial<ReadOptions>): Promise<string[]> {
  const output = new Collected();
  for (const what of whats)
    expect(await readCommand([what], direct(tcp, { ...more, csv: true }), output)).toBe("success");
  return output.lines;
}

test("simulate: a dump of a meter answers as the meter does", async () => {
  // House 12 is read by a plain association with a password.
  await using street = await startStreet({ count: 13 });
  const meter = street.meters[12];
  if (meter?.secret === undefined) throw new Error("no password");
  const secret = join(directory, "secret");
  await writeFile(secret, meter.secret, { mode: 0o600 });
  const rights = { clientSap: String(meter.clientSap), auth: meter.mechanism, secret: `file:${secret}` };
  const tcp = `${meter.host}:${meter.port}`;
  const dumped = new Collected();
  expect(await dumpCommand([], direct(tcp, rights), dumped)).toBe("success");
  const file = join(directory, "meter.json");
  await writeFile(file, dumped.lines.join("\n"));
  const whats = ["0.0.96.1.0.255", "daily", "3:1.0.1.8.0.255:3"];
  const real = await answers(tcp, whats, { ...rights, companion: "is15959" });
  for (const link of ["wrapper", "hdlc"] as const) {
    await served(file, link, async (address) => {
      const open = { clientSap: String(meter.clientSap), companion: "is15959", link };
      expect(await answers(address, whats, open)).toEqual(real);
    });
  }
});

test("simulate: the example of the documentation is a meter", async () => {
  const file = join(directory, "example.yaml");
  await writeFile(
    file,
    `meter: { serial: SIM00001, systemTitle: "53494d0000000001", timeZone: Asia/Kolkata }
objects:
  - { class: 8, logicalName: 0.0.1.0.0.255 }
  - class: 3
    logicalName: 1.0.1.8.0.255
    attributes:
      "2": { t: double-long-unsigned, v: 123456 }
      "3": { t: structure, v: [{ t: integer, v: 1 }, { t: enum, v: 30 }] }
`,
  );
  await served(file, "wrapper", async (address) => {
    const lines = await answers(address, ["3:1.0.1.8.0.255", "clock"], {});
    expect(lines.join("\n")).toContain("1234560");
  });
});

test("simulate: what is no description is refused with its place", async () => {
  const output = new Collected();
  const file = join(directory, "broken.yaml");
  await writeFile(
    file,
    "meter: { serial: X, systemTitle: '53494d0000000001' }\nobjects:\n  - { class: 8, logicalName: clock }\n",
  );
  expect(await simulateCommand(file, { listen: "127.0.0.1:0", link: "wrapper", seed: "1" }, output)).toBe(
    "configuration",
  );
  expect(output.errors[0]).toMatch(/broken\.yaml: objects\[0\]\.logicalName: a logical name has six groups/u);
  expect(await simulateCommand(file, { listen: "127.0.0.1:0", link: "smoke", seed: "1" }, output)).toBe("usage");
  expect(await dumpCommand([], { socket: "" }, output)).toBe("usage");
});
