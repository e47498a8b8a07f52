/** `counters`: how far the invocation counters of meters' keys are, and raising one by an operator's word. */
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { MAX_INVOCATION_COUNTER } from "../../../protocol/security/suites.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { resolveMeterSecrets } from "../../collect/session/meter-secrets.ts";
import { loadConfig } from "../../config/load.ts";
import { nearestName } from "../../config/nearest-name.ts";
import type { Config, MeterConfig } from "../../config/schema.ts";
import type { CounterName } from "../../keys/counter-reservations.ts";
import { CounterTable } from "../../keys/counter-table.ts";
import { keyCounterName } from "../../keys/key-counters.ts";
import { openKeyStore, storedKeys } from "../../keys/stored-keys.ts";
import { messageOf } from "../../observe/message-of.ts";
import type { Database } from "../../store/database/database.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printList, printListing, printOutcome, prose, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import { withDatabase } from "./gateway-database.ts";

export interface CountersOptions extends ListingOptions {
  readonly config: string;
}

export interface RaiseOptions extends CountersOptions {
  readonly to: string;
}

export interface SkipOptions extends CountersOptions {
  readonly by: string;
}

const PERCENT = 100;

/** `counters list`: one line for each ciphered meter. */
export async function countersList({ config: file, ...options }: CountersOptions, output: Output): Promise<ExitReason> {
  const config = await loadConfig(file);
  const rows = await withDatabase({ config: file }, async (database) => {
    const names = await counterNames(config, database);
    const table = new CounterTable(database);
    return Promise.all(
      config.meters.filter(isCiphered).map(async (meter) => {
        const name = await names(meter).catch(messageOf);
        if (typeof name === "string") return [meter.name, "", "", name];
        const next = await table.read(name);
        const used = `${((PERCENT * (next ?? 0)) / (MAX_INVOCATION_COUNTER + 1)).toFixed(2)} %`;
        return [meter.name, String(next ?? 0), used, next === undefined ? "not used yet" : ""];
      }),
    );
  });
  printList(output, options, {
    columns: [...titled("meter", "next counter", "used"), ...prose("evidence")],
    rows,
    objects: rows.map(([meter, next, used, evidence]) => ({ meter, next, used, evidence })),
  });
  return "success";
}

/** `counters raise METER --to N`. A running gateway goes on there when its meter asks for more than is believed. */
export async function countersRaise(
  meterName: string,
  { config: file, to, ...options }: RaiseOptions,
  output: Output,
): Promise<ExitReason> {
  const config = await loadConfig(file);
  const floor = /^\d{1,10}$/.test(to) ? Number(to) : Number.NaN;
  if (!(floor <= MAX_INVOCATION_COUNTER)) throw new Error(`--to is a number up to ${MAX_INVOCATION_COUNTER}`);
  const meter = config.meters.find(({ name }) => name === meterName);
  if (meter === undefined) {
    const near = nearestName(
      meterName,
      config.meters.map(({ name }) => name),
    );
    throw new Error(`no meter ${meterName}${near === undefined ? "" : `; did you mean ${near}?`}`);
  }
  if (!isCiphered(meter)) throw new Error(`${meterName} is not ciphered, so it has no counter`);
  return withDatabase({ config: file }, async (database) => {
    const name = await (await counterNames(config, database))(meter);
    const table = new CounterTable(database);
    const before = (await table.read(name)) ?? 0;
    if (before >= floor) throw new Error(`the counter is at ${before} already, and never goes down`);
    const after = await table.raise(name, floor);
    const words = `${meterName}: the next counter is ${after}; it was ${before}`;
    printOutcome(output, options, { meter: meterName, before, after }, words);
    return "success" as const;
  });
}

/** `counters skip --by N`: for a database that was restored. Keys that the backup did not know begin there as well. */
export async function countersSkip({ config: file, by, ...options }: SkipOptions, output: Output): Promise<ExitReason> {
  const config = await loadConfig(file);
  const count = /^\d{1,9}$/.test(by) ? Number(by) : Number.NaN;
  if (!(count > 0)) throw new Error("--by is a number of counters");
  return withDatabase({ config: file }, async (database) => {
    const table = new CounterTable(database);
    const keys = await table.skip(count);
    const names = await counterNames(config, database);
    for (const meter of config.meters.filter(isCiphered)) await table.raise(await names(meter), count);
    printListing(output, options, titled("keys", "counters left out"), [[keys, count]]);
    return "success" as const;
  });
}

function isCiphered({ association: { security } }: MeterConfig): boolean {
  return security?.blockCipherKey !== undefined;
}

/** What the counters of a meter's key are remembered by. The function rejects with ConfigError or KeyError. */
async function counterNames(
  { keys }: Config,
  database: Database,
): Promise<(meter: MeterConfig) => Promise<CounterName>> {
  const store = await openKeyStore(keys, database);
  const rows = await database.query<{ id: string; meter_number: string }>("select id, meter_number from public.meters");
  const ids = new Map(rows.map((row) => [row.meter_number, row.id]));
  return async ({ association, number }) => {
    const openStored = storedKeys(store, ids.get(number) ?? "", association.clientSap);
    const { blockCipherKey: key } = await resolveMeterSecrets(association, openStored);
    const title = association.security?.clientSystemTitle;
    if (key === undefined || title === undefined) throw new Error("the association has no block cipher key");
    return keyCounterName({ key, clientSystemTitle: systemTitle(fromHex(title)) });
  };
}
