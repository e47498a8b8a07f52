/** Full disks, as small file systems in memory: of the spool, and of the database. */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { blockLoad, makeMeters, slots } from "./profile-batches.ts";
import { query } from "./query.ts";
import { type SpoolStation, startSpoolStation } from "./spool-station.ts";

const run = promisify(execFile);
/** After every slot that is brought. */
const READ_AT = new Date(Date.UTC(2060, 0, 1));
const MEGABYTE = 1024 * 1024;

/** A directory on a file system of its own; a text says why there can't be one. */
async function smallDisk(stack: AsyncDisposableStack, megabytes: number): Promise<string | Error> {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-disk-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "none", directory]);
  } catch (error) {
    return new Error("nothing may be mounted here", { cause: error });
  }
  stack.defer(async () => void (await run("umount", ["-l", directory])));
  await chmod(directory, 0o711);
  return directory;
}

/** Puts one batch after the other; how many rows are acknowledged grows until `progress.ends`. */
async function bring(station: SpoolStation, meter: number, progress: { acknowledged: number; ends: boolean }) {
  for (let slot = 0; !progress.ends; slot += 20) {
    const { written } = await station.intake.rows.put(blockLoad(meter, slots(slot, slot + 20), { readAt: READ_AT }));
    await written;
    progress.acknowledged += 20;
  }
}

async function heldRows(station: SpoolStation, meter: number): Promise<unknown> {
  const [row] = await query(
    station.url,
    "select count(*)::int, count(distinct captured_at)::int from dlms.block_load_profile_data where meter_key = $1",
    [meter],
  );
  return row;
}

/** Whether the spool's disk has refused a record. */
function isRefused({ events }: SpoolStation): boolean {
  return events.some((each) => each.event === "storeFailed" && each.reason.startsWith("SPOOL_WRITE_FAILED"));
}

function told(station: SpoolStation, event: string): boolean {
  return station.events.some((each) => each.event === event);
}

test("disk full: a spool without room refuses nothing that it took, and goes on by itself when there is room", async (context) => {
  await using stack = new AsyncDisposableStack();
  const disk = await smallDisk(stack, 1);
  context.skip(disk instanceof Error, String(disk));
  const station = stack.use(await startSpoolStation({ spoolDirectory: join(String(disk), "spool") }));
  const [meter = 0] = await makeMeters(station.database, ["FULL1"]);
  await station.stopServer();
  const progress = { acknowledged: 0, ends: false };
  const bringing = bring(station, meter, progress);
  while (!isRefused(station)) await sleep(20);
  const acknowledged = progress.acknowledged;
  expect(acknowledged).toBeGreaterThan(0);
  await station.startServer();
  while (progress.acknowledged === acknowledged) await sleep(20);
  progress.ends = true;
  await bringing;
  await station.drained();
  expect(await heldRows(station, meter)).toEqual([progress.acknowledged, progress.acknowledged]);
});

test("disk full: a database without room is a database that is away", async (context) => {
  await using stack = new AsyncDisposableStack();
  const disk = await smallDisk(stack, 400);
  context.skip(disk instanceof Error, String(disk));
  const serverDirectory = join(String(disk), "server");
  await mkdir(serverDirectory);
  const station = stack.use(await startSpoolStation({ serverDirectory }));
  const [meter = 0] = await makeMeters(station.database, ["FULL2"]);
  const progress = { acknowledged: 0, ends: false };
  const bringing = bring(station, meter, progress);
  const { bavail, bsize } = await statfs(String(disk));
  const filler = join(String(disk), "filler");
  await writeFile(filler, new Uint8Array(Math.max(0, bavail * bsize - MEGABYTE / 4)));
  while (!told(station, "spoolBegun")) await sleep(20);
  const acknowledged = progress.acknowledged;
  while (progress.acknowledged < acknowledged + 200) await sleep(5);
  await rm(filler);
  progress.ends = true;
  await bringing;
  await station.drained();
  expect(await heldRows(station, meter)).toEqual([progress.acknowledged, progress.acknowledged]);
});
