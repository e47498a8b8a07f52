/** Pushes over a serial port: HDLC and M-Bus frames end as they do over TCP, and an unplugged port is opened again. */
import { existsSync, mkdtempSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { type CorpusCase, loadCases } from "../../corpus/case.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { Pty } from "../../drivers/serial/pty.ts";
import { sendTcp, startPushStation } from "./push-station.ts";

const FIELD = join(import.meta.dirname, "..", "..", "..", "..", "shared", "corpus", "field", "push.json");
const ABSENT = !existsSync(FIELD);
const cases = ABSENT ? [] : loadCases([FIELD]).cases;
/** Segments of HDLC, blocks in them, several APDUs, M-Bus in many segments. */
const IDS = [
  "dlmsparser-hdlc-iskra550",
  "dlmsparser-hdlc-norway-han-3phase",
  "dlmsparser-hdlc-landis-gyr-e450",
  "esphome-cyprus-gbt",
  "hasm-sim-three-phase",
  "hasm-sim-many-segments",
];

const current = useTestDatabase();
/** Pushes of earlier tests, whose ports may have had the same names. */
let before: unknown = 0;
beforeEach(async () => {
  const rows = await query(current().url, "select coalesce(max(push_key), 0) from dlms.push_history");
  before = rows[0]?.[0];
});

function unitsOf({ input }: CorpusCase): Uint8Array[] {
  const { frames, apdus, hex } = input;
  const units = Array.isArray(frames) ? frames : Array.isArray(apdus) ? apdus : [hex];
  return units.map((unit) => Buffer.from(String(unit), "hex"));
}

async function pushesOf(peer: string): Promise<{ key: unknown; outcome: unknown }[]> {
  const rows = await query(
    current().url,
    "select push_key, outcome from dlms.push_history where peer = $1 and push_key > $2 order by push_key",
    [peer, before],
  );
  return rows.map(([key, outcome]) => ({ key, outcome }));
}

async function until(peer: string, count: number): Promise<void> {
  while ((await pushesOf(peer)).length < count) await sleep(20);
}

function valuesOf(peer: string): Promise<unknown[][]> {
  return query(
    current().url,
    `select v.capture_object, v.value, v.unit from dlms.push_history h
     left join dlms.push_values v using (push_key) where h.peer = $1 and push_key > $2 order by h.push_key, v.position`,
    [peer, before],
  );
}

test.each(IDS.map((id) => [id] as const))("serial pushes: %s says the same as over TCP", async (id) => {
  const each = cases.find((one) => one.id === id);
  if (each === undefined) return;
  const { guek, gak } = each.keys;
  const title = /"systemTitle":"([0-9a-fA-F]{16})"/.exec(JSON.stringify(each.derived))?.[1];
  using line = new Pty(() => undefined);
  await using station = await startPushStation({
    database: current().database,
    meters: [
      {
        number: `meter of ${id}`,
        serial: line.path,
        ...(title !== undefined && { systemTitle: title }),
        ...(guek !== undefined && { blockCipherKey: guek }),
        ...(gak !== undefined && { authenticationKey: gak }),
      },
    ],
    serial: [{ serial: line.path, speed: 2400, parity: "even" }],
  });
  const units = unitsOf(each);
  const { peer } = await sendTcp(station.tcp, units);
  await station.settled();
  const wanted = await valuesOf(peer);
  for (const unit of units) {
    line.say(unit);
    await sleep(10);
  }
  await until(line.path, (await pushesOf(peer)).length);
  expect(wanted.length).toBeGreaterThan(2);
  expect(await valuesOf(line.path)).toEqual(wanted);
});

test.skipIf(ABSENT)("serial pushes: a port that was unplugged is listened to again", async () => {
  const [before, after] = ["dlmsparser-hdlc-norway-han-3phase", "dlmsparser-hdlc-norway-han-1phase"].map(
    (wanted) => cases.filter(({ id }) => id === wanted).flatMap(unitsOf)[0] ?? new Uint8Array(0),
  );
  const path = join(mkdtempSync(join(tmpdir(), "push-serial-")), "usb-adapter");
  const first = new Pty(() => undefined);
  symlinkSync(first.path, path);
  await using station = await startPushStation({
    database: current().database,
    meters: [],
    serial: [{ serial: path }],
  });
  const listening = () => station.events.filter((each) => each.event === "pushListening" && each.address === path);
  while (listening().length < 1) await sleep(5);
  first.say(before ?? new Uint8Array(0));
  await until(path, 1);
  unlinkSync(path);
  first.unplug();
  while (!station.events.some(({ event }) => event === "pushRejected")) await sleep(20);
  const second = new Pty(() => undefined);
  onTestFinished(() => second[Symbol.dispose]());
  symlinkSync(second.path, path);
  while (listening().length < 2) await sleep(5);
  second.say(after ?? new Uint8Array(0));
  await until(path, 2);
  expect((await pushesOf(path)).slice(0, 2).map(({ outcome }) => outcome)).toEqual(["partial", "partial"]);
});
