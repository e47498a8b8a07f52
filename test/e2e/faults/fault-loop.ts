/**
 * The daemon as its users start it, a real database, meters that push to be confirmed and others that are polled, and
 * faults: processes killed with signal 9 at any moment, sessions ended, tables locked, a server that stands still, a full
 * disk. At the end every push that was confirmed is in the database once, with its row; every slot that the polled meters
 * hold is there once, with its octets, as the ledger says; and no invocation counter was used twice.
 */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type EmbeddedPostgresOptions, startEmbeddedPostgres } from "../../../src/store/server/embedded-postgres.ts";
import { freePort } from "../../../src/store/server/postmaster.ts";
import { query } from "../../db/query.ts";
import { FaultDaemon, until } from "./fault-daemon.ts";
import { type Fault, ROUNDS } from "./fault-rounds.ts";
import { captureSecond, FaultSenders, NUMBERED_OBJECT } from "./fault-senders.ts";
import { FaultStreet, type PolledReport } from "./fault-street.ts";

const METERS = 6;
/** Meters that are polled: their memories are to be read for as long as the faults go on. */
const FEW_POLLED = 4;
const MANY_POLLED = 16;
const MANY_ROUNDS = 20;
const DISK_MEGABYTES = 700;

export interface FaultLoop {
  readonly fault: Fault;
  readonly rounds: number;
  /** PostgreSQL of another edition, in place of the embedded one. */
  readonly server?: Pick<EmbeddedPostgresOptions, "binaries" | "settings">;
}

export interface FaultReport extends PolledReport {
  readonly fault: Fault;
  readonly rounds: number;
  readonly sent: number;
  readonly confirmed: number;
  /** Confirmed pushes that are in the history once, with their row. */
  readonly once: number;
  readonly lost: number;
  /** Of the lost, how many have no push in the history, or no row. */
  readonly withoutPush: number;
  readonly withoutRow: number;
  /** Records of the spool, and pushes, that were refused. */
  readonly setAside: number;
  readonly rejected: number;
  readonly doubled: number;
  /** Pushes that were not confirmed and are held all the same. */
  readonly unconfirmedHeld: number;
  /** Of what was pushed, and of polled slots; two snapshots of one second may differ. */
  readonly revisions: number;
  /** How often the daemon took to its spool, and how many records came in from there. */
  readonly spoolBegun: number;
  readonly spooledRecords: number;
  readonly durationS: number;
}

/** What has to be true whatever happened. */
export function isWhole(report: FaultReport): boolean {
  const { confirmed, once, doubled, revisions, missingSlots, ledgerFaults, rowsWithoutOctets } = report;
  const wrong = [doubled, revisions, missingSlots, ledgerFaults, rowsWithoutOctets];
  return once === confirmed && [...wrong, report.snapshotsLost, report.countersReused].every((count) => count === 0);
}

/** Throws where the machine does not allow the fault: a small disk has to be mounted. */
export async function runFaultLoop({ fault, rounds, server: how }: FaultLoop): Promise<FaultReport> {
  const startedMs = Date.now();
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-faults-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const disk = join(directory, "disk");
  await mkdir(disk);
  if (fault === "disk-full") await mountSmall(disk, stack);
  const server = await startEmbeddedPostgres({ directory: join(disk, "postgres"), ...how });
  stack.defer(() => server.stop());
  const street = stack.use(await FaultStreet.start(rounds < MANY_ROUNDS ? FEW_POLLED : MANY_POLLED));
  const port = await freePort();
  const meters = Array.from({ length: METERS }, (_, index) => `1FLT${String(index).padStart(9, "0")}`);
  await writeFile(join(directory, "database-url"), server.url, { mode: 0o600 });
  await writeFile(join(directory, "gateway.yaml"), await configuration(directory, { port, meters, street }));
  const daemon = new FaultDaemon(join(directory, "gateway.yaml"));
  stack.defer(() => daemon.stop());
  await daemon.untilReady();
  const senders = new FaultSenders(port, meters);
  await until(
    () => daemon.polls > 0,
    () => `no meter is polled: ${daemon.lastLines.join("\n")}`,
  );
  for (let round = 0; round < rounds; round++) await ROUNDS[fault]({ daemon, server, disk }, round);
  await daemon.untilReady();
  await senders.stop();
  await street.untilRead(server.url);
  const visits = [...daemon.snapshots];
  // All that was confirmed or told is in the database once the spool has been empty; polls go on.
  await daemon.untilDrained();
  const polled = await street.report(server.url, visits);
  await daemon.stop();
  const { spoolBegun, spooledRecords, setAside, rejected } = daemon;
  const counts = await countHeld(server.url, senders.confirmed);
  const durationS = Math.round((Date.now() - startedMs) / 1000);
  return {
    fault,
    rounds,
    sent: senders.sent,
    confirmed: senders.confirmed.size,
    ...counts,
    ...polled,
    setAside,
    rejected,
    spoolBegun,
    spooledRecords,
    durationS,
  };
}

async function configuration(
  directory: string,
  { port, meters, street }: { readonly port: number; readonly meters: readonly string[]; readonly street: FaultStreet },
): Promise<string> {
  const pushing = meters.map((number) => {
    return { name: `m${number}`, number, companion: "idis", connection: { tcp: "127.0.0.1:1" }, type: "pushes" };
  });
  const polled = await street.configuration(directory);
  // JSON is YAML too.
  return JSON.stringify({
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    log: { level: "debug" },
    database: { url: `file:${directory}/database-url` },
    spool: { patience: "100ms" },
    polling: { concurrency: 3 },
    groups: [{ name: "polled", meters: ["*-*"] }],
    plans: [
      { profile: "block_load", every: "15m", history: "40d", group: "polled" },
      { profile: "instant", every: "2s", group: "polled" },
    ],
    push: { listen: [{ address: `127.0.0.1:${port}` }] },
    meters: [...pushing, ...polled],
  });
}

async function mountSmall(directory: string, stack: AsyncDisposableStack): Promise<void> {
  const run = promisify(execFile);
  await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_MEGABYTES}m,mode=0755`, "none", directory]);
  stack.defer(async () => void (await run("umount", ["-l", directory])));
}

async function countHeld(url: string, confirmed: ReadonlySet<number>) {
  const held = await query(
    url,
    `select v.value::int, count(*)::int from dlms.push_values v join dlms.push_history h using (push_key, received_at)
     where v.capture_object = $1 group by 1`,
    [NUMBERED_OBJECT],
  );
  const rows = await query(
    url,
    "select extract(epoch from captured_at)::int from dlms.instant_profile_data where source = 2",
  );
  const [[histories, revisions] = []] = await query(
    url,
    `select (select count(*)::int from dlms.push_history),
       (select count(*)::int from dlms.profile_revisions r join public.meters m using (meter_key)
        where not (r.profile = 'instant' and m.meter_number not like '1FLT%'))`,
  );
  const times = new Map(held.map(([number, count]) => [Number(number), Number(count)]));
  const seconds = new Set(rows.map(([second]) => Number(second)));
  const isOnce = (number: number) => times.get(number) === 1 && seconds.has(captureSecond(number));
  const once = [...confirmed].filter(isOnce).length;
  const lost = [...confirmed].filter((number) => !times.has(number) || !seconds.has(captureSecond(number))).length;
  const withoutPush = [...confirmed].filter((number) => !times.has(number)).length;
  const withoutRow = [...confirmed].filter((number) => !seconds.has(captureSecond(number))).length;
  const doubled = [...times.values()].filter((count) => count > 1).length + Number(histories) - held.length;
  const unconfirmedHeld = [...times.keys()].filter((number) => !confirmed.has(number)).length;
  return { once, lost, withoutPush, withoutRow, doubled, unconfirmedHeld, revisions: Number(revisions) };
}
