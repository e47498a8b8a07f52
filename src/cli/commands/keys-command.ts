/** `keys`: what is in the sealed key store, and putting it there. No octets of a key are ever shown. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { loadConfig } from "../../config/load.ts";
import { nearestName } from "../../config/nearest-name.ts";
import { resolveSecretAs } from "../../config/secret.ts";
import { KeyError } from "../../keys/key-error.ts";
import type { KeyStore } from "../../keys/key-store.ts";
import { KeyTable } from "../../keys/key-table.ts";
import { ALL_ASSOCIATIONS } from "../../keys/sealed-key.ts";
import { readShipment, transportKeyOf } from "../../keys/shipment-file.ts";
import { openKeyStore } from "../../keys/stored-keys.ts";
import type { Database } from "../../store/database/database.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printListing, printOutcome, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import { withDatabase } from "./gateway-database.ts";

export interface KeysOptions extends ListingOptions {
  readonly config: string;
}

const SEALING_KEY_LENGTH = 32;
const SECRET_MODE = 0o600;

/** `keys new-sealing-key FILE`: a fresh key in a file that only its owner may read; never over one that is there. */
export async function keysNewSealingKey(file: string, options: ListingOptions, output: Output): Promise<ExitReason> {
  await writeFile(file, `${toHex(new Uint8Array(randomBytes(SEALING_KEY_LENGTH)))}\n`, {
    mode: SECRET_MODE,
    flag: "wx",
  });
  const words = `${file}: a new sealing key; keep a copy in a safe place, without it no stored key can be read`;
  printOutcome(output, options, { file }, words);
  return "success";
}

export interface KeysImportOptions extends KeysOptions {
  /** A reference, as the configuration has for secrets. */
  readonly transportKey?: string;
}

/** `keys import FILE`: all keys of a shipment file, or none. */
export async function keysImport(file: string, options: KeysImportOptions, output: Output): Promise<ExitReason> {
  const { transportKey: reference } = options;
  const transportKey = reference === undefined ? undefined : await resolveSecretAs(reference, transportKeyOf);
  const entries = readShipment(await readFile(file, "utf8"), transportKey);
  const stored = await withStore(options.config, async ({ keys, meters }) => {
    const problems = entries.flatMap(({ place, meter }) => {
      if (meters.has(meter)) return [];
      const near = nearestName(meter, [...meters.keys()]);
      return [`${file}, ${place}: no meter ${meter}${near === undefined ? "" : `; did you mean ${near}?`}`];
    });
    if (problems.length > 0) throw new Error(problems.join("\n"));
    const rows: string[][] = [];
    for (const { meter, clientSap, key } of entries) {
      const version = await keys.put({ meterId: meters.get(meter) ?? "", clientSap }, key);
      rows.push([meter, clientText(clientSap), key.role, String(version)]);
    }
    return rows;
  });
  printListing(output, options, titled("meter", "client", "role", "version"), stored);
  return "success";
}

/** `keys list`: which keys there are. */
export async function keysList(options: KeysOptions, output: Output): Promise<ExitReason> {
  const rows = await withStore(options.config, async ({ table, meters }) => {
    const names = new Map([...meters].map(([name, id]) => [id, name]));
    return (await table.readAll()).map((each) => [
      names.get(each.meterId) ?? each.meterId,
      clientText(each.clientSap),
      each.role,
      String(each.version),
      each.state,
    ]);
  });
  printListing(output, options, titled("meter", "client", "role", "version", "state"), rows.toSorted(byText));
  return "success";
}

/** `keys reseal`: every key under the configuration's sealing key, so that former ones can be forgotten. */
export async function keysReseal(options: KeysOptions, output: Output): Promise<ExitReason> {
  const count = await withStore(options.config, ({ keys }) => keys.reseal());
  const words = `${count} keys sealed again; keys.formerSealingKeys can go from the configuration`;
  printOutcome(output, options, { sealed: count }, words);
  return "success";
}

interface OpenStore {
  readonly keys: KeyStore;
  readonly table: KeyTable;
  /** Ids by name and number. */
  readonly meters: ReadonlyMap<string, string>;
}

/** Lends the configuration's key store, in whichever database it names. Throws ConfigError, StoreError and KeyError. */
async function withStore<Result>(config: string, work: (store: OpenStore) => Promise<Result>): Promise<Result> {
  const { keys: settings } = await loadConfig(config);
  return withDatabase({ config }, async (database) => {
    const keys = await openKeyStore(settings, database);
    if (keys === undefined) throw new KeyError("KEY_STORE_CLOSED");
    return work({ keys, table: new KeyTable(database), meters: await meterIds(database) });
  });
}

/** Ids of the meters by name, and by number where no name is the same. */
async function meterIds(database: Database): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query<{ id: string; name: string; meter_number: string }>(
    "select id, name, meter_number from public.meters",
  );
  return new Map([
    ...rows.map((row) => [row.meter_number, row.id] as const),
    ...rows.map((row) => [row.name, row.id] as const),
  ]);
}

function clientText(clientSap: number): string {
  return clientSap === ALL_ASSOCIATIONS ? "all" : String(clientSap);
}

function byText(a: readonly string[], b: readonly string[]): number {
  return a.join("\t").localeCompare(b.join("\t"));
}
