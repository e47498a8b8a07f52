/** What operators ask of the running daemon at a terminal: meters, reports, and what is wrong. */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { z } from "zod";
import { serviceLevel } from "../../src/api/answers/reports.ts";
import { jobList } from "../../src/api/answers/work.ts";
import { askDaemon, askForRead } from "../../src/api/local-client.ts";
import { run } from "./command.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const SILENT = 3;

let over: GatewayOverStreet;
beforeAll(async () => {
  over = await gatewayOverStreet(
    { count: 4, faults: { [SILENT]: "answers-nothing" } },
    {
      responseTimeout: "5s",
      configure: (config) => {
        config.collections = [{ name: "first", meters: [config.meters?.[0]?.name ?? ""] }];
        config.serviceLevels = ["95% of slots within 8h", "90% of slots within 24h", "90% of reads within 10m"];
      },
    },
  );
  await over.gateway.pollOnce();
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

function nameOf(house: number): string {
  return over.street.meters[house]?.name ?? "";
}

function ask(...args: string[]) {
  return run([...args, "--socket", over.config.socket]);
}

test("meters list: all with their last tries, and those alone that failed", async () => {
  await expect.poll(async () => (await ask("meters", "list")).out, { timeout: 20_000 }).toMatch(/ failed +no answer/);
  const { out, code } = await ask("meters", "list", "--csv");
  expect(code).toBe(0);
  expect(out.trimEnd().split("\n")).toHaveLength(5);
  const failing = await ask("meters", "list", "--failing", "--json");
  const rows = z.array(z.object({ meter: z.string(), cause: z.string() })).parse(JSON.parse(failing.out));
  expect(rows).toEqual([{ meter: nameOf(SILENT), cause: "no answer" }]);
});

test("meters show: what a meter is, its plans and tries", async () => {
  const { out } = await ask("meters", "show", nameOf(SILENT));
  expect(out).toMatch(new RegExp(`^name +${nameOf(SILENT)}$`, "m"));
  expect(out).toMatch(/^plans +instant, block_load/m);
  expect(out).toMatch(/ failed +0 +no answer$/m);
  expect(out).toMatch(/^next {9}check power/m);
  const { out: csv } = await ask("meters", "show", nameOf(SILENT), "--csv");
  expect(csv).toMatch(new RegExp(`^field,value\nname,${nameOf(SILENT)}$`, "m"));
  expect(csv).toMatch(/^plans,"instant, block_load/m);
  expect((await ask("meters", "show", "nobody")).err).toContain("there is no meter nobody");
});

test("meters release: a failing meter is tried at once; an unknown one is told", async () => {
  expect(await ask("meters", "release", nameOf(SILENT))).toMatchObject({
    code: 0,
    out: `${nameOf(SILENT)} is tried now\n`,
  });
  const told = await ask("meters", "release", nameOf(SILENT), "--json");
  expect(JSON.parse(told.out)).toEqual({ meter: nameOf(SILENT) });
  expect((await ask("meters", "release", `${nameOf(0)}x`)).err).toContain(`did you mean ${nameOf(0)}?`);
  const log = await over.gateway.database.query<{ actor: string }>(
    "select actor from dlms.event_logs where event = 'meterReleased' and subject = $1",
    [nameOf(SILENT)],
  );
  expect(log).toEqual([1, 2].map(() => ({ actor: expect.stringMatching(/^local /) })));
});

test("report sla: by group and day, of the rows and of what people asked; what is below a threshold is named", async () => {
  const day = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
  const { out, code } = await ask("report", "sla", "--from", day, "--to", day, "--json");
  // All was read two days later, so nothing came within 8 hours.
  expect(code).toBe(1);
  const rows = z.array(serviceLevel).parse(JSON.parse(out));
  expect(rows.map(({ group, meters }) => [group, meters])).toEqual([
    ["all", 3],
    ["first", 1],
  ]);
  const [held] = await over.gateway.database.query<{ count: number }>(
    `select count(*)::int as count from dlms.block_load_profile_data
     where captured_at > $1::date and captured_at <= $1::date + interval '1 day'`,
    [day],
  );
  const below = ["95% of slots within 8h", "90% of slots within 24h"];
  expect(rows[0]).toMatchObject({ day, held: held?.count, due: held?.count, below });
  const csv = await ask("report", "sla", "--from", day, "--to", day, "--group", "first", "--csv");
  expect([csv.code, csv.out]).toEqual([1, expect.stringMatching(/^first,.*,0\.00,0\.00,0\.00,0,0,–,0,0,–.*95% of/m)]);
  expect((await ask("report", "sla", "--least", "8=95")).code).toBe(2);
});

test("report sla: reads that people asked for today, with those that failed", async () => {
  expect((await ask("read", nameOf(0), "clock")).code).toBe(0);
  expect((await ask("read", nameOf(SILENT), "clock")).code).toBe(4);
  const today = new Date().toISOString().slice(0, 10);
  const level = async () => {
    const { out } = await ask("report", "sla", "--from", today, "--to", today, "--group", "all", "--json");
    return z.array(serviceLevel).parse(JSON.parse(out))[0];
  };
  await expect.poll(async () => (await level())?.reads, { timeout: 20_000 }).toMatchObject({ asked: 2, done: 1 });
  expect((await level())?.reads.p50Ms).toBeGreaterThan(0);
  // What is missing of today may still come, but half of the reads have failed.
  expect((await level())?.below).toEqual(["90% of reads within 10m"]);
});

interface Found {
  readonly check: string;
  readonly verdict: string;
  readonly nextStep?: string;
}

async function doctor(config: object): Promise<{ code: number | null; found: Found[] }> {
  const file = join(over.directory, "doctor.yaml");
  await writeFile(file, stringify(config));
  await chmod(file, 0o600);
  const { code, out } = await run(["doctor", "--config", file, "--json"]);
  return { code, found: JSON.parse(out) as Found[] };
}

test("doctor: a gateway that is well, and one that lacks everything, each with its next step", async () => {
  const url = "env:DOCTOR_URL";
  process.env["DOCTOR_URL"] = over.gateway.databaseUrl;
  const well = await doctor({ socket: over.config.socket, stateDirectory: over.directory, database: { url } });
  expect(well.found.filter(({ verdict }) => verdict !== "good")).toEqual([]);
  expect(well).toMatchObject({ code: 0 });
  process.env["DOCTOR_URL"] = "postgresql://127.0.0.1:1/none";
  const meter = {
    name: "a",
    number: "1",
    connection: { serial: "/dev/serial/by-id/none" },
    association: { mechanism: "lls", secret: "file:/nowhere/secret" },
  };
  const ill = await doctor({
    socket: join(over.directory, "none.sock"),
    stateDirectory: join(over.directory, "none"),
    database: { url },
    meters: [meter],
  });
  expect(ill.code).toBe(1);
  const bad = ill.found.filter(({ verdict }) => verdict === "bad");
  expect(bad.map(({ check }) => check)).toEqual(["database", "state directory", "serial lines", "keys"]);
  expect(ill.found.filter(({ verdict, nextStep }) => verdict === "bad" && nextStep === undefined)).toEqual([]);
  const listed = await run(["doctor", "--config", join(over.directory, "doctor.yaml"), "--csv"]);
  expect(listed.out).toMatch(/^check,is,found,next step\nconfiguration,good,/);
  expect(listed.out).toMatch(/^keys,bad,.+,.+$/m);
  const wrong = await doctor({ meters: [{ nam: "x" }] });
  expect([wrong.code, wrong.found.map(({ check }) => check)]).toEqual([3, ["configuration"]]);
});

test("probe: the road to a meter of the daemon, up to the step that breaks, and what is likely wrong", async () => {
  const good = await ask("probe", nameOf(0));
  expect(good.code).toBe(0);
  expect(good.out).toMatch(new RegExp(`^name +${nameOf(0)}, number`, "m"));
  expect(good.out).toMatch(/^address +127\.0\.0\.1:\d+, (wrapper|hdlc)$/m);
  expect(good.out).toMatch(/^association +as given/m);
  expect(good.out).toMatch(/^objects /m);
  const silent = await ask("probe", nameOf(SILENT));
  expect(silent.code).toBe(4);
  expect(silent.err).toMatch(/^link +broken: nothing answers$/m);
  expect(silent.err).toMatch(/^ {2}likely {2}meter or modem without power or coverage \(most likely\) · a firewall/m);
  expect((await ask("probe", "stranger")).err).toContain("there is no meter stranger");
});

test("meters quarantine: nobody is set apart after one failure, and who is not can't be seen there", async () => {
  expect((await ask("meters", "quarantine")).err).toContain("no meter is in quarantine");
  expect((await ask("meters", "quarantine", "--csv")).out).toBe("meter,since,why,next try,next step\n");
  expect(JSON.parse((await ask("meters", "quarantine", "--json")).out)).toEqual([]);
});

test("lists: as table, JSON and CSV by one printer, also without a row", async () => {
  for (const list of [
    ["push", "unknown"],
    ["push", "conflicts"],
    ["push", "silence"],
    ["push", "setups"],
    ["push", "history"],
    ["notifications"],
  ]) {
    expect((await ask(...list, "--csv")).out).toMatch(/^[a-z ]+(,[a-z ]+)+\n$/);
    expect(JSON.parse((await ask(...list, "--json")).out)).toBeDefined();
  }
}, 120_000);

/** A read as it stands among the jobs while it is under way; undefined where it was over first. */
async function jobOfRead() {
  const { socket } = over.config;
  const query = { meter: nameOf(SILENT), lane: "on_demand" };
  const ended = askForRead(socket, nameOf(SILENT), "clock").then(
    () => undefined,
    () => undefined,
  );
  for (;;) {
    const seen = await Promise.race([ended, askDaemon(socket, { path: "/v1/jobs", query, answer: jobList })]);
    if (seen === undefined || seen.items[0] !== undefined) return seen?.items[0];
  }
}

test("jobs: what waits for its turn and what comes next, as table, JSON and page by page", async () => {
  // The last test: from here on meters are polled while others look on.
  over.gateway.run();
  const planned = async () =>
    jobList.shape.items.parse(JSON.parse((await ask("jobs", "--state", "next", "--json")).out));
  await expect.poll(async () => new Set((await planned()).map(({ meter }) => meter)).size, { timeout: 30_000 }).toBe(4);
  const [first] = await planned();
  expect(first).toMatchObject({ lane: "scheduled", due: expect.stringMatching(/Z$/), since: null, waitsFor: null });
  await expect.poll(jobOfRead, { timeout: 60_000 }).toMatchObject({ meter: nameOf(SILENT), what: "clock" });
  const short = await ask("jobs", "--limit", "1");
  expect(short.out.trimEnd().split("\n")).toHaveLength(3);
  expect(short.err).toMatch(/^\d+ running and \d+ waiting for 4 meters, of which 0 in quarantine\nthere are more/);
  expect((await ask("jobs", "nobody")).err).toContain("no meter nobody");
  expect((await ask("jobs", "--lane", "fast")).code).not.toBe(0);
});
