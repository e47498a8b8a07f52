import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { PUSHES } from "../../../src/simulator/models/is15959.ts";
import type { StreetMeter } from "../../../src/simulator/street.ts";
import { query } from "../../db/query.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "../street.ts";
import { sendTcp } from "./push-station.ts";

/** D1, D2 and D3 ciphered, an IDIS and a DSMR meter, and D1 without ciphering. */
const COUNT = 6;
const PLAIN = 5;
const PUSH_COUNT = 2 * (4 * 6 + 2);

let over: GatewayOverStreet;
beforeAll(async () => {
  over = await gatewayOverStreet(
    { count: COUNT },
    {
      configure: (config) => {
        config.push = {
          listen: [
            { address: "127.0.0.1:0", transport: "tcp" },
            { address: "127.0.0.1:0", transport: "udp" },
          ],
        };
        // Its system title has to be learned from its answer to the first poll.
        const [first] = config.meters ?? [];
        delete first?.association?.security?.serverSystemTitle;
      },
    },
  );
  await over.gateway.pollOnce();
  for (const meter of over.street.meters) {
    for (const setup of meter.pushSetups) for (const transport of TRANSPORTS) await push(meter, setup, transport);
  }
  await arrived(PUSH_COUNT);
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

const TRANSPORTS = ["tcp", "udp"] as const;

function told<E extends GatewayEvent["event"]>(event: E): Extract<GatewayEvent, { event: E }>[] {
  return over.events.filter((each): each is Extract<GatewayEvent, { event: E }> => each.event === event);
}

async function push(meter: StreetMeter, setup: string, transport: "tcp" | "udp"): Promise<void> {
  const listening = told("pushListening").find((each) => each.transport === transport);
  await over.street.push(meter.name, setup, { ...tcpAddress(listening?.address ?? ""), transport });
}

async function arrived(count: number): Promise<void> {
  await vi.waitFor(() => expect(told("pushReceived").length).toBeGreaterThanOrEqual(count), { timeout: 20_000 });
}

interface HistoryRow {
  readonly meter_number: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly push_setup: string | null;
  readonly protection: string;
  readonly verified: boolean;
  readonly transport: string;
}

function history(): Promise<HistoryRow[]> {
  return over.gateway.database.query<HistoryRow>(
    "select h.*, m.meter_number from dlms.push_history h left join public.meters m on m.id = h.meter_id",
  );
}

test("gateway push: every push of every meter arrives over TCP and UDP, and is of its meter", async () => {
  expect(told("pushRejected")).toEqual([]);
  const rows = await history();
  expect(rows).toHaveLength(PUSH_COUNT);
  for (const { serial, pushSetups, security } of over.street.meters) {
    const own = rows.filter((row) => row.meter_number === serial);
    expect(own).toHaveLength(2 * pushSetups.length);
    expect(new Set(own.map((row) => row.protection))).toEqual(
      new Set(pushSetups.length === 0 ? [] : [security?.protection ?? "none"]),
    );
  }
});

test("gateway push: the push lists of the meters are read once and kept, and name every value", async () => {
  const rows = (await history()).filter(({ meter_number }) => meter_number.startsWith("VM"));
  expect(rows.map(({ outcome, reason }) => ({ outcome, reason }))).toEqual(
    rows.map(() => ({ outcome: "stored", reason: null })),
  );
  const lists = await query(
    over.gateway.databaseUrl,
    `select s.logical_name, s.transport, s.destination, count(*)::int from dlms.push_setups s
     join dlms.push_objects o using (push_setup_id) join public.meters m on m.id = s.meter_id
     where m.meter_number = $1 group by 1, 2, 3 order by 1`,
    [over.street.meters[0]?.serial],
  );
  expect(lists.map(([name, transport]) => [name, transport])).toEqual(
    Object.values(PUSHES)
      .sort()
      .map((name) => [name, "tcp"]),
  );
});

test.each([
  ["instant", "voltage_l1_v"],
  ["block_load", "voltage_l1_v"],
  ["daily_load", "active_import_total_wh"],
])("gateway push: a pushed %s is a row of its profile, and contradicts no polled one", async (profile, column) => {
  const meters = over.street.meters.filter(({ companion }) => companion === "is15959");
  const rows = await query(
    over.gateway.databaseUrl,
    `select distinct meter_number from dlms.${profile}_profile where ${column} > 0 and meter_number = any ($1)`,
    [meters.map(({ serial }) => serial)],
  );
  expect(rows).toHaveLength(meters.length);
  // Instant values that are polled and pushed within one second of the meter's clock do differ.
  const revisions = await query(
    over.gateway.databaseUrl,
    "select * from dlms.profile_revisions where profile = $1 and profile <> 'instant'",
    [profile],
  );
  expect(revisions).toEqual([]);
});

test("gateway push: values of a push have units and are readings of the meter", async () => {
  const rows = await query(
    over.gateway.databaseUrl,
    `select r.capture_object, r.unit, r.value > 200 from public.meter_readings r
     join public.meters m on m.id = r.meter_id
     where m.meter_number = $1 and r.capture_object like '%:1.0.12.7.0.255:2'`,
    [over.street.meters[PLAIN]?.serial],
  );
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row).toEqual(["3:1.0.12.7.0.255:2", "V", true]);
});

test("gateway push: no key is in any row or event", async () => {
  const keys = over.street.meters.flatMap(({ security, secret }) => [
    ...(security === undefined ? [] : [security.blockCipherKey, security.authenticationKey]),
    ...(secret === undefined ? [] : [secret]),
  ]);
  expect(keys.length).toBeGreaterThan(10);
  const tables = ["push_history", "push_values", "push_setups", "push_objects", "rejected_rows", "read_attempts"];
  const dumps = await Promise.all(
    tables.map((table) => query(over.gateway.databaseUrl, `select t::text from dlms.${table} t`)),
  );
  const readings = await query(over.gateway.databaseUrl, "select r::text from public.meter_readings r");
  const everything = JSON.stringify([dumps, readings, over.events]).toLowerCase();
  for (const key of keys) {
    const forms = [key, Buffer.from(key).toString("hex"), Buffer.from(key, "hex").toString("base64")];
    for (const form of forms) expect(form === "" || !everything.includes(form.toLowerCase())).toBe(true);
  }
});

test("command line: an unknown sender is listed, adopted and replayed over the control socket", async () => {
  const { socket } = over.config;
  const { address = "" } = told("pushListening").find(({ transport }) => transport === "tcp") ?? {};
  const before = told("pushReceived").length;
  // A number, a time and an energy, as an Austrian meter names them.
  const push =
    "0f00000001000203020209060000600100ff0906535452343235020209060000010000ff090c07ea0102ff030005000000000203" +
    "09060100010800ff060000002a02020f00161e";
  await sendTcp(address, [encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu: Buffer.from(push, "hex") })]);
  await arrived(before + 1);
  expect((await shown(["push", "unknown", "--socket", socket])).out).toMatch(/STR425 +STR425 +127\.0\.0\.1 +1 /);
  const adopt = ["meters", "adopt", "STR425", "--name", "stranger", "--socket", socket];
  const adopted = await shown(adopt);
  expect(adopted).toMatchObject({
    code: 0,
    out: "STR425 is stranger, number STR425; 1 held pushes: 1 understood better, 1 of them whole\n",
  });
  expect(await shown(["push", "replay", "--json", "--socket", socket])).toMatchObject({ code: 0 });
  const again = await shown(adopt);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining("nothing is held of a sender STR425")]);
  const rows = await query(
    over.gateway.databaseUrl,
    "select active_import_total_wh::int from dlms.instant_profile where meter_number = 'STR425'",
  );
  expect(rows).toEqual([[42]]);
});

/** What `trace` shows until a line of it says so. */
async function traced(words: readonly string[], begun: () => Promise<void>, last: RegExp): Promise<string> {
  const child = spawn(process.execPath, [COMMAND, "trace", ...words, "--all", "--socket", over.config.socket]);
  const closed = once(child, "close");
  let shownSoFar = "";
  const seen = Promise.withResolvers<void>();
  child.stdout.on("data", (chunk) => {
    shownSoFar += String(chunk);
    if (last.test(shownSoFar)) seen.resolve();
  });
  await once(child.stderr, "data");
  await begun();
  await seen.promise;
  child.kill("SIGINT");
  await closed;
  return shownSoFar;
}

test("trace: pushes of a meter are shown as they come, deciphered and without keys; others are not", async () => {
  const [meter, other] = over.street.meters;
  const before = told("pushReceived").length;
  const text = await traced(
    [meter!.name],
    async () => {
      await push(other!, PUSHES.instant, "udp");
      await arrived(before + 1);
      await push(meter!, PUSHES.event, "tcp");
    },
    /octet-string/,
  );
  expect(text).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} {2}← {2}push from 127\.0\.0\.1:\d+ over tcp {2}general-glo-ciphering: data-notification, stored$/m,
  );
  expect(text.match(/push from/g)).toHaveLength(1);
  expect(text).toMatch(/ciphered {2}.*counter \d+/);
  for (const key of [meter!.security!.blockCipherKey, meter!.security!.authenticationKey]) {
    expect(text.toLowerCase()).not.toContain(key.toLowerCase());
  }
});

test("trace: what comes of senders that nobody knows is shown with the reason", async () => {
  const listening = told("pushListening").find(({ transport }) => transport === "tcp");
  const text = await traced(
    ["--listener"],
    async () =>
      void (await sendTcp(listening?.address ?? "", [
        encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu: Uint8Array.of(0x0f, 0, 0, 0, 7, 0, 0x11, 5) }),
      ])),
    /unsigned/,
  );
  expect(text).toMatch(/push from \S+ over tcp {2}data-notification, partial: the sender is not known/);
  expect((await shown(["trace"])).code).toBe(2);
});

const COMMAND = join(import.meta.dirname, "..", "..", "..", "src", "cli", "main.ts");

function shown(words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, ...words], (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}
