/** Simulated meters that the daemon polls while faults go on, and what has to be true of what came of it in the end. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import { decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { streetConfiguration } from "../../../src/cli/demo/demo-street.ts";
import { type Street, type StreetMeter, startStreet } from "../../../src/simulator/street.ts";
import { type Database, openDatabase } from "../../../src/store/database/database.ts";
import { checkCoverage } from "../../../src/store/ledger/coverage.ts";
import { keptBuffers } from "../../../src/store/profiles/raw-buffers.ts";
import { CounterWatch } from "../counter-watch.ts";

/** So that reading what the meters hold takes about as long as the faults do. */
const LATENCY_MS = 25;
const LONGEST_WAIT_MS = 300_000;

/** A visit that the daemon has told of as having brought a snapshot of the meter. */
export interface SnapshotVisit {
  readonly meter: string;
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface PolledReport {
  readonly polledRows: number;
  /** Slots between a meter's first row and now that are not held. */
  readonly missingSlots: number;
  /** Visits told; two within a second bring the same row. */
  readonly snapshotsTold: number;
  readonly snapshotsHeld: number;
  /** Of the visits told, how many have no row of their time. */
  readonly snapshotsLost: number;
  /** Pages of the ledger that disagree with the rows. */
  readonly ledgerFaults: number;
  /** Rows of polls that are in no kept buffer. */
  readonly rowsWithoutOctets: number;
  readonly countersSeen: number;
  readonly countersReused: number;
}

export class FaultStreet implements AsyncDisposable {
  readonly #street: Street;
  readonly #watches: readonly CounterWatch[];
  readonly #meters: readonly StreetMeter[];

  /** Over wrapper and HDLC, with passwords and with keys. */
  static async start(count: number): Promise<FaultStreet> {
    const street = await startStreet({ count, latencyMs: LATENCY_MS });
    const watches: CounterWatch[] = [];
    const meters: StreetMeter[] = [];
    for (const meter of street.meters) {
      if (meter.link.type !== "wrapper" || meter.security === undefined) {
        meters.push(meter);
        continue;
      }
      const watch = await CounterWatch.start(meter.port);
      watches.push(watch);
      meters.push(Object.assign({}, meter, { port: watch.port }));
    }
    return new FaultStreet(street, watches, meters);
  }

  private constructor(street: Street, watches: readonly CounterWatch[], meters: readonly StreetMeter[]) {
    this.#street = street;
    this.#watches = watches;
    this.#meters = meters;
  }

  /** The meters as the configuration has them; JSON is YAML too. */
  async configuration(directory: string): Promise<readonly unknown[]> {
    return streetConfiguration(this.#meters, join(directory, "keys"));
  }

  /** Ends when all that the meters hold has been read, or never will be. */
  async untilRead(url: string): Promise<void> {
    await using database = await openDatabase({ url, connections: 1, unlimited: true });
    const endMs = Date.now() + LONGEST_WAIT_MS;
    while ((await missing(database)) > 0 && Date.now() < endMs) await sleep(500);
  }

  /** Holds the database against what the meters hold, and against the visits that were told. */
  async report(url: string, visits: readonly SnapshotVisit[]): Promise<PolledReport> {
    await using database = await openDatabase({ url, connections: 2, unlimited: true });
    const [counts] = await database.query<{ rows: number; snapshots: number; lost: number }>(
      `select (select count(*)::int from dlms.block_load_profile_data where source = 1) as rows,
         (select count(*)::int from dlms.instant_profile_data where source = 1) as snapshots,
         (select count(*)::int from jsonb_to_recordset($1::jsonb) as v ("meter" text, "startedMs" float8, "endedMs" float8)
          where not exists (
            select from dlms.instant_profile_data d join public.meters m using (meter_key)
            where m.name = v."meter" and d.captured_at between to_timestamp(v."startedMs" / 1000) - interval '2 seconds'
              and to_timestamp(v."endedMs" / 1000) + interval '2 seconds'
          )) as lost`,
      [JSON.stringify(visits)],
    );
    const { faults } = await checkCoverage(database, {});
    return {
      polledRows: counts?.rows ?? 0,
      missingSlots: await missing(database),
      snapshotsTold: visits.length,
      snapshotsHeld: counts?.snapshots ?? 0,
      snapshotsLost: counts?.lost ?? 0,
      ledgerFaults: faults.length,
      rowsWithoutOctets: await this.#withoutOctets(database),
      countersSeen: this.#watches.reduce((sum, { count }) => sum + count, 0),
      countersReused: this.#watches.reduce((sum, { reused }) => sum + reused.length, 0),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const watch of this.#watches) await watch[Symbol.asyncDispose]();
    await this.#street.close();
  }

  async #withoutOctets(database: Database): Promise<number> {
    let without = 0;
    for (const { serial, timeZone } of this.#meters) {
      const rows = await database.query<{ meter_key: number; at: Date[] }>(
        `select m.meter_key, array(select d.captured_at from dlms.block_load_profile_data d
           where d.meter_key = m.meter_key and d.source = 1) as at
         from public.meters m where m.meter_number = $1::text`,
        [serial],
      );
      const [meter] = rows;
      if (meter === undefined) continue;
      const kept = await stampsOfBuffers(database, meter.meter_key, timeZone);
      without += meter.at.filter((at) => !kept.has(at.getTime())).length;
    }
    return without;
  }
}

async function stampsOfBuffers(database: Database, meterKey: number, timeZone: string): Promise<ReadonlySet<number>> {
  const stamps = new Set<number>();
  for await (const { buffers } of keptBuffers(database, { meterKeys: [meterKey], profile: "block_load" })) {
    for (const { form, octets, layout, deviation } of buffers) {
      const { clock } = decodeProfileBuffer(octets, layout, {
        clock: { deviation, zone: namedZone(timeZone) },
        keepWholeRows: form === "part",
      });
      for (const instantMs of clock?.instantsMs ?? []) stamps.add(instantMs);
    }
  }
  return stamps;
}

/** Slots of the plan whose time is over, deadline included; a meter that has no row yet misses one. */
async function missing(database: Database): Promise<number> {
  const rows = await database.query<{ missing: number }>(
    `select coalesce(sum(greatest(0, wanted - held)), 0)::int as missing
     from (
       select m.meter_key,
         coalesce(floor(extract(epoch from (now() - interval '35 minutes' - min(d.captured_at)) / p.interval_s))::int + 1, 1)
           as wanted,
         count(*) filter (where d.captured_at <= now() - interval '35 minutes')::int as held
       from public.meters m
       left join dlms.meter_profiles p on p.meter_key = m.meter_key and p.profile = 'block_load'
       left join dlms.block_load_profile_data d on d.meter_key = m.meter_key
       where m.meter_number not like '1FLT%'
       group by m.meter_key, p.interval_s
     ) as slots`,
  );
  return rows[0]?.missing ?? 0;
}
