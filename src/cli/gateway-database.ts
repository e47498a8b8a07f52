/** The database that a verb asks: the one of a configuration, or one that a reference names. */
import { join } from "node:path";
import { loadConfig } from "../config/load.ts";
import { resolveSecretText } from "../config/secret.ts";
import { type Database, openDatabase } from "../store/database.ts";
import { runningServerUrl } from "../store/running-server.ts";

export const CONFIG_FILE = "/etc/dlms-gateway/gateway.yaml";

export interface DatabaseOptions {
  readonly config: string;
  /** `env:NAME` or `file:PATH` of a connection string; wins over the configuration. */
  readonly database?: string;
}

/** Opens it with one connection. Throws ConfigError or StoreError. */
export async function openGatewayDatabase(options: DatabaseOptions): Promise<Database> {
  return openDatabase({ url: await urlOf(options), connections: 1, applicationName: "dlms-gateway command" });
}

async function urlOf({ config: file, database }: DatabaseOptions): Promise<string> {
  if (database !== undefined) return resolveSecretText(database);
  const config = await loadConfig(file);
  if (config.database.url !== undefined) return resolveSecretText(config.database.url);
  // The server that the daemon runs answers others on this machine too.
  return runningServerUrl(join(config.stateDirectory, config.database.directory));
}
