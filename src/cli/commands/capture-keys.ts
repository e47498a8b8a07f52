/** Keys for a capture: of the meters of a configuration, from their references and from the key store. */
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { resolveMeterSecrets } from "../../collect/session/meter-secrets.ts";
import { loadConfig } from "../../config/load.ts";
import { nearestName } from "../../config/nearest-name.ts";
import type { Config, MeterConfig } from "../../config/schema.ts";
import { STORED_KEY } from "../../config/secret.ts";
import type { KeyStore } from "../../keys/key-store.ts";
import { openKeyStore, storedKeys } from "../../keys/stored-keys.ts";
import type { Database } from "../../store/database/database.ts";
import type { CapturedDialogue } from "../../trace/capture-dialogues.ts";
import type { DecipheringKeys } from "../../trace/deciphering.ts";
import { withDatabase } from "./gateway-database.ts";

type FindKeys = (of: Pick<CapturedDialogue, "client" | "server">) => DecipheringKeys | undefined;

/** By the address of a meter, or its host; of the named one for all. Throws ConfigError, KeyError and StoreError. */
export async function meterKeys(configFile: string, name: string | undefined): Promise<FindKeys> {
  const config = await loadConfig(configFile);
  const meters = name === undefined ? config.meters : [namedMeter(config, name)];
  const ciphering = meters.filter(({ association }) => association.security !== undefined);
  const isStored = ciphering.some(({ association }) => JSON.stringify(association).includes(`"${STORED_KEY}"`));
  const found = isStored
    ? await withDatabase({ config: configFile }, async (database) => {
        const store = await openKeyStore(config.keys, database);
        return keysOf(ciphering, { store, ids: await idsOf(database) });
      })
    : await keysOf(ciphering, { store: undefined, ids: new Map() });
  if (name !== undefined) return () => found.values().next().value;
  const byHost = onlyOnes(found);
  return ({ client, server }) => found.get(server) ?? found.get(client) ?? byHost.get(hostOf(server));
}

/** Captures of our own have the port of the standard; so where one meter alone is at a host, its keys serve there. */
function onlyOnes(found: ReadonlyMap<string, DecipheringKeys>): ReadonlyMap<string, DecipheringKeys> {
  const byHost = Map.groupBy(found, ([address]) => hostOf(address));
  return new Map(
    byHost.entries().flatMap(([host, [only, ...others]]) => (only && others.length === 0 ? [[host, only[1]]] : [])),
  );
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}

function namedMeter({ meters }: Config, name: string): MeterConfig {
  const meter = meters.find((each) => each.name === name || each.number === name);
  if (meter !== undefined) return meter;
  const near = nearestName(
    name,
    meters.map((each) => each.name),
  );
  throw new Error(`no meter ${name}${near === undefined ? "" : `; did you mean ${near}?`}`);
}

async function idsOf(database: Database): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query<{ meter_number: string; id: string }>("select meter_number, id from public.meters");
  return new Map(rows.map((row) => [row.meter_number, row.id]));
}

async function keysOf(
  meters: readonly MeterConfig[],
  { store, ids }: { readonly store: KeyStore | undefined; readonly ids: ReadonlyMap<string, string> },
): Promise<Map<string, DecipheringKeys>> {
  const keys = new Map<string, DecipheringKeys>();
  for (const { number, connection, association } of meters) {
    const open = storedKeys(store, ids.get(number) ?? "", association.clientSap);
    const { blockCipherKey, authenticationKey } = await resolveMeterSecrets(association, open);
    const { clientSystemTitle, serverSystemTitle } = association.security ?? {};
    const titles = [clientSystemTitle, serverSystemTitle].filter((title) => title !== undefined);
    keys.set(connection.tcp ?? connection.udp ?? connection.serial ?? "", {
      blockCipherKey,
      authenticationKey,
      systemTitles: titles.map((title) => systemTitle(fromHex(title))),
    });
  }
  return keys;
}
