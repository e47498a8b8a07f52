import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { configExplain } from "../../../src/cli/commands/explain-command.ts";
import { processOutput } from "../../../src/cli/terminal/output.ts";
import { ConfigError } from "../../../src/config/config-error.ts";
import { configDifferences, differenceText } from "../../../src/config/differences.ts";
import { configDocumentation } from "../../../src/config/documentation.ts";
import { loadConfig, parseConfig } from "../../../src/config/load.ts";
import { planFinder } from "../../../src/config/meter-plans.ts";
import { sampleConfig } from "../../../src/config/sample.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { resolveKey, resolvePassword } from "../../../src/config/secret.ts";
import { serviceThreshold } from "../../../src/config/service-level-schema.ts";
import { outsiderMissing, shutOutOf } from "../../outsider.ts";

const METER = `meters:
  - name: house-1
    number: "100"
    connection: { tcp: "127.0.0.1:4059" }
`;

function problemsOf(text: string): string[] {
  try {
    parseConfig(text, "gateway.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
}

test("config: an empty file is a valid one, with defaults", () => {
  const config = parseConfig("", "gateway.yaml");
  expect(config.polling).toEqual({ concurrency: 200, connectsPerSecond: 200, sessionTimeout: 300_000 });
  expect(config.plans.map((plan) => [plan.profile, plan.every])).toContainEqual(["block_load", 900_000]);
});

test("config: durations become milliseconds and a meter gets its defaults", () => {
  const [meter] = parseConfig(METER, "gateway.yaml").meters;
  expect(meter?.connection).toEqual({
    tcp: "127.0.0.1:4059",
    link: "wrapper",
    network: "default",
    responseTimeout: 10_000,
  });
  expect(meter?.association).toEqual({
    clientSap: 16,
    serverSap: 1,
    referencing: "ln",
    preEstablished: false,
    generalBlocks: "never",
    generalBlockWindow: 6,
    blockPadding: "zero",
    mechanism: "none",
  });
});

test("config: an unknown key names its line and the nearest known name", () => {
  expect(problemsOf(`${METER}    asociation: {}\n`)).toEqual([
    "gateway.yaml:5:17: meters[0].asociation: unknown key; did you mean association?",
  ]);
});

test("config: every problem is told at once, with its place", () => {
  const problems = problemsOf(`polling: { concurrency: 0 }\nmeters:\n  - name: "bad name"\n    number: "1"\n`);
  expect(problems).toHaveLength(3);
  expect(problems[0]).toMatch(/^gateway\.yaml:1:25: polling\.concurrency: /);
  expect(problems.join("\n")).toContain("meters[0].name: a name has letters, digits");
});

test("config: a secret written into the file is refused without repeating it", () => {
  const [problem] = problemsOf(`database: { url: "postgresql://dlms:0011223344@db/dlms" }\n`);
  expect(problem).toContain("a secret is a reference");
  expect(problem).not.toContain("0011223344");
});

test.each([
  ["plans: [{ profile: billing, every: 0s }]", "plans[0].every: a duration is more than nothing"],
  ["plans: [{ profile: billing, every: 99999999d }]", "plans[0].every: a duration is at most 3650d"],
  ["plans: [{ profile: billing, every: 1d, group: x }]", "plans[0].group: there is no group or collection x"],
  [
    "plans: [{ profile: billing, every: 1d }, { profile: billing, every: 2d }]",
    "plans: a profile has one plan only, or one for each group",
  ],
  [METER.replace("4059", "65536"), "meters[0].connection.tcp: a port is at most 65535"],
  [`${METER}    association: { mechanism: lls }`, "meters[0].association.secret: mechanism lls needs it"],
  [`${METER}    association: { mechanism: hls-5 }`, "meters[0].association.security: mechanism hls-5 needs it"],
  [
    `${METER}    association: { security: { clientSystemTitle: "4845530000000001", blockCipherKey: "env:K", invocationCounter: counter } }`,
    "meters[0].association.security.invocationCounter: not a logical name, like 0.0.43.1.0.255 or 0-0:43.1.0*255",
  ],
])("config: what could only fail later is refused at once: %s", (text, problem) => {
  expect(problemsOf(text).map((each) => each.replace(/^gateway\.yaml(:\d+)*: /, ""))).toEqual([problem]);
});

test("config: two meters of one name are refused", () => {
  const second = METER.replace("meters:\n", "").replace('"100"', '"101"');
  expect(problemsOf(METER + second)).toEqual(["gateway.yaml: meters[1].name: the same as meters[0].name"]);
});

test.each([
  [
    "{ responseTimeout: 5s }",
    "meters[0].connection: needs `tcp` or `udp` (host:port), `serial` (path of a serial port), or `callsIn`",
  ],
  ['{ tcp: "127.0.0.1:1", serial: /dev/ttyUSB0 }', "meters[0].connection.serial: there is `tcp` already"],
  ['{ tcp: "127.0.0.1:1", echo: true }', "meters[0].connection.echo: has a meaning with `serial` only"],
  ['{ tcp: "127.0.0.1:1", udp: "127.0.0.1:1" }', "meters[0].connection.udp: there is `tcp` already"],
  ['{ udp: "127.0.0.1:1", link: hdlc }', "meters[0].connection.link: UDP carries the wrapper"],
  ['{ tcp: "127.0.0.1:1", modeE: {} }', "meters[0].connection.modeE: has a meaning with `serial` only"],
  ["{ serial: /dev/ttyUSB0, modeE: {} }", "meters[0].connection.modeE: has a meaning with `opening: mode-e` only"],
  [
    '{ tcp: "127.0.0.1:1", physicalAddress: 1, physicalAddressFrom: last-2-digits }',
    "meters[0].connection.physicalAddressFrom: there is `physicalAddress` already",
  ],
  ["{ serial: /dev/ttyUSB0, link: wrapper }", "meters[0].connection.link: a serial line carries HDLC"],
  ["{ serial: ttyUSB0 }", "meters[0].connection.serial: a serial port is an absolute path"],
  ["{ serial: /dev/ttyUSB0, deviceAddress: x }", "meters[0].connection.deviceAddress: has a meaning with"],
  ["{ serial: /dev/ttyUSB0, sped: 300 }", "meters[0].connection.sped: unknown key; did you mean speed?"],
])("config: of the connection %s it says %s", (connection, problem) => {
  const problems = problemsOf(METER.replace('{ tcp: "127.0.0.1:4059" }', connection));
  expect(problems).toEqual([expect.stringContaining(problem)]);
});

test("config: a meter on a serial line speaks HDLC", () => {
  const text = METER.replace(
    '{ tcp: "127.0.0.1:4059" }',
    "{ serial: /dev/ttyUSB0, opening: mode-e, turnaround: 50ms }",
  );
  expect(parseConfig(text, "gateway.yaml").meters[0]?.connection).toEqual({
    serial: "/dev/ttyUSB0",
    network: "default",
    opening: "mode-e",
    turnaround: 50,
    link: "hdlc",
    responseTimeout: 10_000,
  });
});

test("config: broken YAML names line and column", () => {
  expect(problemsOf("meters: [")[0]).toMatch(/^gateway\.yaml:1:\d+: /);
});

test("config: the sample parses as it is, and with every comment sign taken away", () => {
  expect(problemsOf(sampleConfig())).toEqual([]);
  const fields = sampleConfig()
    .split("\n")
    .filter((line) => /^# *(- )?[A-Za-z]+:/.test(line))
    .map((line) => line.slice(1));
  expect(problemsOf(fields.join("\n"))).toEqual([]);
});

test("config: docs/configuration.md is what the schema says", async () => {
  expect(await readFile("docs/configuration.md", "utf8")).toBe(configDocumentation());
});

test("config: a missing secret names the reference, and a key of wrong length is refused without showing it", async () => {
  await expect(resolvePassword("env:DLMS_GATEWAY_NO_SUCH")).rejects.toThrow("env:DLMS_GATEWAY_NO_SUCH");
  process.env["DLMS_GATEWAY_TEST_KEY"] = "c0ffee";
  await expect(resolveKey("env:DLMS_GATEWAY_TEST_KEY", [16])).rejects.toThrow("32 hexadecimal digits");
  await expect(resolveKey("env:DLMS_GATEWAY_TEST_KEY", [16])).rejects.not.toThrow("c0ffee");
  delete process.env["DLMS_GATEWAY_TEST_KEY"];
});

const TCP = {};

test("config: a plan may be for a collection, whose name no group has", () => {
  const collections = [{ name: "feeder-7", attributes: { feeder: "7" } }];
  const plans = [
    { profile: "block_load" as const, group: "feeder-7", every: "15m" },
    { profile: "block_load" as const, every: "1d" },
  ];
  const find = planFinder(configSchema.parse({ collections, plans }));
  const meter = { name: "a", type: "D1", companion: "idis" as const, connection: TCP };
  expect(find(meter, new Set(["feeder-7"])).map((plan) => plan.group)).toEqual(["feeder-7"]);
  expect(find(meter, new Set(["other"])).map((plan) => plan.group)).toEqual([undefined]);
  const clash = configSchema.safeParse({ groups: [{ name: "feeder-7" }], collections, plans });
  expect(clash.error?.issues.map((issue) => issue.message)).toEqual(["there is a group feeder-7"]);
});

test("config: of each profile a meter has the first plan whose group it is in", () => {
  const config = configSchema.parse({
    groups: [
      { name: "feeders", meters: ["feeder-*"], companions: ["is15959"] },
      { name: "all-three", types: ["three-phase"] },
    ],
    plans: [
      { profile: "block_load", group: "feeders", every: "15m" },
      { profile: "block_load", group: "all-three", every: "30m" },
      { profile: "block_load", every: "1d" },
      { profile: "billing", group: "all-three", every: "1d" },
    ],
  });
  const find = planFinder(config);
  const plansOf = (name: string, type: string, companion: "is15959" | "idis") =>
    find({ name, type, companion, connection: TCP }).map((plan) => `${plan.profile} ${plan.every / 60_000}`);
  expect(plansOf("feeder-1", "D1", "is15959")).toEqual(["block_load 15"]);
  expect(plansOf("feeder-1", "three-phase", "idis")).toEqual(["block_load 30", "billing 1440"]);
  expect(plansOf("xfeeder-1", "D1", "is15959")).toEqual(["block_load 1440"]);
  const other = { companion: "idis", connection: TCP } as const;
  expect(find({ name: "a", type: "D1", ...other })).toBe(find({ name: "b", type: "D2", ...other }));
});

test("config: a meter that is only read out has no plans for what no readout holds", () => {
  const find = planFinder(configSchema.parse({}));
  const meter = { name: "a", type: "D1", companion: "none" as const };
  const profiles = (opening: string) => find({ ...meter, connection: { opening } }).map(({ profile }) => profile);
  expect(profiles("readout")).toEqual(["instant", "billing"]);
  expect(profiles("listen")).toEqual(["instant", "billing"]);
  expect(profiles("mode-e")).toEqual(["instant", "block_load", "daily_load", "billing", "events"]);
});

test("config: drop-ins are merged in the order of their names, and what is wrong in one is told with its place", async () => {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-config-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "gateway.yaml");
  await mkdir(`${file}.d`);
  const second = METER.replace("house-1", "house-2").replace('"100"', '"200"');
  await writeFile(file, `polling: { concurrency: 10, connectsPerSecond: 20 }\n${METER}`);
  await writeFile(join(`${file}.d`, "20-late.yaml"), "polling: { concurrency: 30 }\n");
  await writeFile(join(`${file}.d`, "10-early.yaml"), `polling: { concurrency: 20 }\n${second}`);
  await writeFile(join(`${file}.d`, "notes.txt"), "no configuration");
  const config = await loadConfig(file);
  expect(config.polling).toMatchObject({ concurrency: 30, connectsPerSecond: 20 });
  expect(config.meters.map(({ name }) => name)).toEqual(["house-1", "house-2"]);
  const said: string[] = [];
  const output = { ...processOutput(), out: (text: string) => void said.push(text) };
  await configExplain("polling.concurrency", { config: file }, output);
  await configExplain("meters[1].number", { config: file }, output);
  expect(said.join("\n")).toContain("default  200");
  expect(said.join("\n")).toContain(`here     30, ${file}.d/20-late.yaml:1`);
  expect(said.join("\n")).toContain(`here     "200", ${file}.d/10-early.yaml:4`);
  await writeFile(join(`${file}.d`, "10-early.yaml"), `\n${second.replace("connection", "conection")}`);
  const refused = loadConfig(file);
  await expect(refused).rejects.toThrow(
    /gateway\.yaml\.d\/10-early\.yaml:5:\d+: meters\[1\]\.conection: unknown key; did you mean connection\?/,
  );
  await rm(`${file}.d`, { recursive: true });
  await writeFile(`${file}.d`, "a file, where the directory should be");
  await expect(loadConfig(file)).rejects.toThrow(/gateway\.yaml\.d: can't be read \(ENOTDIR\)/);
});

test("config: a file that this user may not read sends nobody to the sample", async (context) => {
  context.skip(outsiderMissing !== undefined, outsiderMissing);
  const place = await mkdtemp(join(tmpdir(), "dlms-config-"));
  const file = join(place, "gateway.yaml");
  await writeFile(file, METER);
  await shutOutOf(place, () =>
    expect(loadConfig(file)).rejects.toThrow(/can't be read \(EACCES\); this user may not; for the service, `chgrp/),
  );
  await rm(place, { recursive: true });
});

test("config: a difference names its place, elements of lists by their names", () => {
  const before = parseConfig(METER, "gateway.yaml");
  const other = METER.replace("4059", "4060").concat(
    '  - { name: b, number: "7", connection: { tcp: "127.0.0.1:1" } }\n',
  );
  const after = parseConfig(`${other}log: { level: debug }\n`, "gateway.yaml");
  expect(configDifferences(before, after).map(differenceText)).toEqual([
    'log.level: "info" -> "debug"',
    'meters[house-1].connection.tcp: "127.0.0.1:4059" -> "127.0.0.1:4060"',
    "meters[b] added",
  ]);
  expect(configDifferences(after, before).map(differenceText)).toContain("meters[b] removed");
  expect(configDifferences(after, after)).toEqual([]);
});

test("config: a difference does not show addresses of the web, which may hold what lets others in", () => {
  const before = parseConfig('tracing: { endpoint: "https://user:password@a.example/v1" }', "gateway.yaml");
  const after = parseConfig('tracing: { endpoint: "https://user:password@b.example/v1" }', "gateway.yaml");
  expect(configDifferences(before, after).map(differenceText)).toEqual(["tracing.endpoint changed"]);
});

test("config: what service levels are judged by is said in words; the sample has what tenders usually ask", () => {
  expect(["95% of slots within 8h", "99.5% of pushes"].map(serviceThreshold)).toEqual([
    { text: "95% of slots within 8h", subject: "slots", percent: 95, withinMs: 28_800_000 },
    { text: "99.5% of pushes", subject: "pushes", percent: 99.5, withinMs: undefined },
  ]);
  for (const wrong of ["95% of slots within 7h", "95% of pushes within 1h", "95% of reads", "101% of pushes", "8=95"]) {
    expect(configSchema.safeParse({ serviceLevels: [wrong] }).success).toBe(false);
  }
  expect(sampleConfig()).toContain('"95% of slots within 8h","99% of slots within 24h"');
});

test("config: a text that no database could hold is refused where it stands", () => {
  const extra = (field: string) => METER.replace("number:", `${field}\n    number:`);
  const noControl = "a text has no control characters";
  expect(problemsOf(extra(String.raw`type: "D1\0"`))).toEqual([
    expect.stringContaining(`meters[0].type: ${noControl}`),
  ]);
  expect(problemsOf(extra(String.raw`attributes: { feeder: "7\n" }`))).toEqual([expect.stringContaining(noControl)]);
  expect(problemsOf(METER.replace('"100"', String.raw`"1\0"`))).toEqual([expect.stringContaining(noControl)]);
});

test("config: no meter has the number of another for its name", () => {
  const second = METER.replace("meters:\n", "")
    .replace("house-1", '"100"')
    .replace('"100"\n    conn', '"200"\n    conn');
  expect(problemsOf(`${METER}${second}`)).toEqual([
    "gateway.yaml: meters[1].name: the same as meters[0].number, another meter's",
  ]);
  expect(problemsOf(METER.replace("house-1", '"100"'))).toEqual([]);
});

test("config: aliases of nothing and aliases without end are told with their file", () => {
  expect(problemsOf("meters: &all [*all]")).toEqual([
    expect.stringMatching(/^gateway\.yaml:1:\d+: an alias stands in what it repeats$/),
  ]);
  expect(problemsOf("meters: *all")).toEqual([expect.stringMatching(/^gateway\.yaml: Unresolved alias .*all$/)]);
  const shared = METER.replace("{ tcp", "&place { tcp").concat('  - { name: b, number: "7", connection: *place }\n');
  expect(parseConfig(shared, "gateway.yaml").meters).toHaveLength(2);
});
