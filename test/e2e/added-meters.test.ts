/** Meters that come and go while gateways run: added by command from a file, worked without a restart, removed. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { askDaemon } from "../../src/api/local-client.ts";
import { type Config, configSchema, type meterSchema } from "../../src/config/schema.ts";
import { csvCells } from "../../src/exports/csv.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { type Ended, run } from "./command.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

type MeterInput = z.input<typeof meterSchema>;

let over: GatewayOverStreet;
/** Those of the street that the configuration does not have. */
let others: readonly MeterInput[] = [];
beforeAll(async () => {
  over = await gatewayOverStreet(
    { count: 4 },
    {
      configure: (config) => {
        const [first, ...rest] = config.meters ?? [];
        others = rest;
        config.meters = first === undefined ? [] : [first];
        config.sharing = { name: "first", silence: "1s" };
      },
    },
  );
  over.gateway.run();
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

function ask(...args: string[]): Promise<Ended> {
  return run([...args, "--socket", over.config.socket]);
}

/** By the names that fields have in the configuration. */
function fieldsOf(value: object, before = ""): [string, string][] {
  return Object.entries(value).flatMap(([name, each]): [string, string][] =>
    typeof each === "object" && each !== null ? fieldsOf(each, `${before}${name}.`) : [[before + name, String(each)]],
  );
}

async function csvOf(file: string, meters: readonly MeterInput[]): Promise<string> {
  const rows = meters.map((meter) => new Map(fieldsOf(meter)));
  const titles = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const lines = [titles, ...rows.map((row) => titles.map((title) => row.get(title) ?? ""))];
  const path = join(over.directory, file);
  await writeFile(path, lines.map((cells) => `${csvCells(cells)}\n`).join(""));
  return path;
}

function other(index: number, changed: Partial<MeterInput> = {}): MeterInput {
  const meter = others[index];
  if (meter === undefined) throw new Error("the street is too short");
  return { ...meter, ...changed };
}

const problems = z.array(z.object({ line: z.number(), field: z.string(), problem: z.string() }));

test("meters import: every problem is told with its line, and nothing is added", async () => {
  const { name: configured = "", number = "" } = over.config.meters[0] ?? {};
  const file = await csvOf("wrong.csv", [
    other(0),
    other(1, { name: configured }),
    other(2, { number: other(0).number }),
    other(2, { name: "bad name", companion: "idiss" as "idis" }),
    other(2, { name: number, number: "99900002" }),
    other(2, { name: other(0).number, number: "99900001" }),
  ]);
  const { code, out, err } = await ask("meters", "import", file, "--json");
  expect(code).toBe(1);
  expect(err).toContain("no meter is added: 6 problems in 6 meters");
  const told = problems.parse(JSON.parse(out));
  expect(told.map(({ line, field }) => [line, field])).toEqual([
    [3, "name"],
    [4, "number"],
    [5, "name"],
    [5, "companion"],
    [6, "name"],
    [7, "name"],
  ]);
  expect(told[0]?.problem).toContain("is in the configuration");
  expect(told[1]?.problem).toBe("stands in line 2 already");
  expect((await ask("meters", "show", other(0).name)).err).toContain(`there is no meter ${other(0).name}`);
});

test("meters import: what is good in a dry run is added, and polled without a restart, in a new network too", async () => {
  const meters = [other(0), other(1, { connection: { ...other(1).connection, network: "north" } })];
  const file = await csvOf("good.csv", meters);
  expect((await ask("meters", "import", file, "--dry-run")).err).toContain("2 meters can be added");
  expect((await ask("meters", "show", other(0).name)).code).toBe(1);
  expect(await ask("meters", "import", file)).toMatchObject({ code: 0 });
  const list = z.array(z.object({ meter: z.string(), result: z.string() }));
  await expect
    .poll(async () => list.parse(JSON.parse((await ask("meters", "list", "--json")).out)), { timeout: 30_000 })
    .toEqual(
      expect.arrayContaining(meters.map(({ name }) => expect.objectContaining({ meter: name, result: "read" }))),
    );
});

test("meters add: fields as in the configuration; a key is refused, and not repeated", async () => {
  const meter = other(2);
  const words = fieldsOf(meter).filter(([field]) => field !== "name");
  const good = words.map(([field, value]) => `${field}=${value}`);
  const key = ["association.mechanism=lls", "association.secret=0123canary"];
  const refused = await ask("meters", "add", meter.name, ...good, ...key);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("association.secret: a meter's secret is a reference");
  expect(refused.err).not.toContain("0123canary");
  const { code } = await ask("meters", "add", meter.name, ...good);
  expect(code).toBe(0);
  expect((await ask("read", meter.name, "clock")).code).toBe(0);
  const again = await ask("meters", "add", meter.name, ...good);
  expect(again.err).toContain(`name: ${meter.name}, number ${meter.number}, was added already`);
});

test("added meters: another gateway knows them from its start, and hears of new and removed ones", async () => {
  const directory = join(over.directory, "second");
  await mkdir(directory);
  const urlFile = join(directory, "url");
  await writeFile(urlFile, over.gateway.databaseUrl, { mode: 0o600 });
  const { database, sharing } = configSchema.parse({
    database: { url: `file:${urlFile}` },
    sharing: { name: "second" },
  });
  const socket = join(directory, "control.sock");
  const config: Config = { ...over.config, stateDirectory: directory, socket, database, sharing };
  const told: string[] = [];
  await using second = await Gateway.start({ config, version: "test", events: ({ event }) => told.push(event) });
  second.run();
  const name = other(2).name;
  await expect
    .poll(async () => (await second.read(name, "clock").catch(() => undefined))?.meter, { timeout: 20_000 })
    .toBe(name);
  expect((await ask("meters", "remove", name)).code).toBe(0);
  await expect.poll(() => second.read(name, "clock").catch(String), { timeout: 10_000 }).toContain("there is no meter");
  expect((await ask("read", name, "clock")).err).toMatch(/: not worked\n {2}seen {4}there is no meter/);
  const renumbered = ["number=another", "connection.tcp=127.0.0.1:4059"];
  expect((await ask("meters", "add", name, ...renumbered)).err).toContain("; say that one, or another name");
  const answer = z.object({ added: z.array(z.string()) });
  await askDaemon(config.socket, { path: "/v1/meters", body: { meters: [other(2)] }, answer });
  await expect.poll(async () => (await ask("read", name, "clock")).code, { timeout: 20_000 }).toBe(0);
  expect(told).toContain("metersAdded");
  expect(told).not.toContain("fleetsDiffer");
});

test("meters remove: one of the configuration is not removed by command", async () => {
  const { code, err } = await ask("meters", "remove", over.config.meters[0]?.name ?? "");
  expect(code).toBe(1);
  expect(err).toContain("those of the configuration are removed there");
});

test("added meters: what went without a notice is let go at the next look at all", async () => {
  const { name } = other(0);
  expect((await ask("read", name, "clock")).code).toBe(0);
  await over.gateway.database.query("delete from dlms.added_meters where name = $1", [name]);
  await expect
    .poll(async () => (await ask("read", name, "clock")).err, { timeout: 60_000, interval: 1000 })
    .toContain(`there is no meter ${name}`);
  // Its readings stay, and so does what is told of it.
  const list = z.array(z.object({ meter: z.string(), result: z.string() }));
  expect(list.parse(JSON.parse((await ask("meters", "list", "--json")).out))).toContainEqual(
    expect.objectContaining({ meter: name, result: "not asked" }),
  );
  expect((await ask("meters", "show", name)).out).toContain("none: it is not in the configuration, and not added");
});

test("added meters: one whose plans could not be looked up is worked, and has its plans from the next look on", async () => {
  const { database } = over.gateway;
  const added = other(0, { name: "late-1" });
  const answer = z.object({ added: z.array(z.string()) });
  await database.query("alter table dlms.collections rename to collections_away");
  try {
    await askDaemon(over.config.socket, { path: "/v1/meters", body: { meters: [added] }, answer });
    expect((await ask("read", "late-1", "clock")).code).toBe(0);
  } finally {
    await database.query("alter table dlms.collections_away rename to collections");
  }
  const polled = () => over.events.filter((event) => event.event === "meterPolled" && event.meter === "late-1");
  await expect.poll(polled, { timeout: 60_000, interval: 500 }).not.toEqual([]);
});
