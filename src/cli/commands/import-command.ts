/** `db import`: a file of readings into a profile, as rows that were polled go in; what is no row is set aside. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { COMPANIONS } from "../../../protocol/cosem/companion/companion.ts";
import { type CsvTable, csvTable } from "../../exports/csv.ts";
import { Fleet } from "../../fleet/fleet.ts";
import { profileWriter } from "../../gateway/stored-readings.ts";
import type { ProfileBatch, ProfileKind } from "../../profiles/batch.ts";
import { ImportRefusal, type ImportTable, importedRow, importTable, lineOf } from "../../profiles/imported-rows.ts";
import { SeriesCatalogue } from "../../series/catalogue.ts";
import type { Database } from "../../store/database/database.ts";
import { sourceCode } from "../../store/profiles/profile-tables.ts";
import { keepRejectedRows, type RejectedRow } from "../../store/profiles/rejected-rows.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printOutcome } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import type { DatabasePlace } from "./database-place.ts";
import { withDatabase } from "./gateway-database.ts";

export interface ImportOrder {
  readonly file: string;
  readonly profile: ProfileKind;
  /** Of a row, for profiles that have one. */
  readonly intervalS: number | undefined;
}

const KILOBYTE = 1000;
const LINES_AT_ONCE = 2000;
/** Longer ones are none of a table of readings. */
const LONGEST_LINE = 65_536;

export async function importCommand(
  order: ImportOrder,
  place: DatabasePlace & ListingOptions,
  output: Output,
): Promise<ExitReason> {
  return await withDatabase(place, async (database) => {
    const counts = { rows: 0, inserted: 0, held: 0, revised: 0, setAside: 0 };
    const readings = new Readings(database, order, await Fleet.load(database));
    using progress = new Progress(output, Math.ceil((await stat(order.file)).size / KILOBYTE), "kB");
    for await (const { lines, octets } of linesOf(order.file)) {
      const done = await readings.put(lines);
      progress.at(Math.ceil(octets / KILOBYTE));
      for (const key of ["rows", "inserted", "held", "revised", "setAside"] as const) counts[key] += done[key];
    }
    const { rows, inserted, held, revised, setAside } = counts;
    const words = `${rows} lines: ${inserted} new rows, ${held} held already, of these ${revised} that differ, ${setAside} set aside`;
    progress.wipe();
    printOutcome(output, place, counts, words);
    if (setAside > 0) output.err("what was set aside, and why: select * from dlms.rejected_rows where source = 5");
    return setAside === 0 ? "success" : "failure";
  });
}

class Readings {
  readonly #order: ImportOrder;
  readonly #fleet: Fleet;
  readonly #writer;
  readonly #catalogue: SeriesCatalogue;
  #table: (ImportTable & CsvTable) | undefined;

  constructor(database: Database, order: ImportOrder, fleet: Fleet) {
    this.#order = order;
    this.#fleet = fleet;
    this.#writer = profileWriter(database);
    this.#catalogue = new SeriesCatalogue(database);
  }

  /** The first line of all holds the headings. Throws RangeError for one that is unknown, and StoreError. */
  async put(lines: readonly string[]) {
    const [first = "", ...rest] = lines;
    const isFirst = this.#table === undefined;
    this.#table ??= this.#tableUnder(first);
    const batches: ProfileBatch[] = [];
    const rejected: RejectedRow[] = [];
    for (const line of isFirst ? rest : lines) {
      const row = this.#rowOf(this.#table, line);
      if ("rowCount" in row) batches.push(row);
      else rejected.push(row);
    }
    const { inserted, held, revised, setAside } = await this.#writer.write(batches, {
      alsoHere: (client) => keepRejectedRows(client, rejected),
    });
    await this.#catalogue.learn(batches);
    const rows = batches.length + rejected.length;
    return { rows, inserted, held, revised, setAside: setAside.length + rejected.length };
  }

  #tableUnder(firstLine: string): ImportTable & CsvTable {
    const csv = csvTable(firstLine);
    return { ...importTable(this.#order, csv.titles), ...csv };
  }

  #rowOf(table: ImportTable & CsvTable, line: string): ProfileBatch | RejectedRow {
    const readAt = new Date();
    const cells = line.length > LONGEST_LINE ? [] : table.cellsOf(line);
    const { meter, time } = lineOf(table, cells);
    const member = this.#fleet.byNumber(meter) ?? this.#fleet.byName(meter);
    const refused = (reason: string, detail: string): RejectedRow => {
      const meterKey = member?.key ?? -1;
      const json = JSON.stringify({ line: line.slice(0, LONGEST_LINE) });
      return {
        profile: table.profile,
        meterKey,
        capturedAt: time,
        source: sourceCode("import"),
        readAt,
        reason,
        detail,
        json,
      };
    };
    if (member === undefined) return refused("meter_unknown", meter);
    const companion = COMPANIONS.find((each) => each === member.companion) ?? "none";
    try {
      return importedRow(table, cells, { meterKey: member.key, companion, readAt });
    } catch (error) {
      if (!(error instanceof ImportRefusal)) throw error;
      return refused(error.reason, error.message);
    }
  }
}

/** With how much of the file has been read. */
async function* linesOf(file: string): AsyncGenerator<{ readonly lines: string[]; readonly octets: number }> {
  let lines: string[] = [];
  const input = createReadStream(file);
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line !== "") lines.push(line);
    if (lines.length < LINES_AT_ONCE) continue;
    yield { lines, octets: input.bytesRead };
    lines = [];
  }
  if (lines.length > 0) yield { lines, octets: input.bytesRead };
}
