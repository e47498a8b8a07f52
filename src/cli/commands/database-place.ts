/** Which database a verb is about: named on the command line, or the one of the configuration. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "../../config/load.ts";
import { resolveSecretText } from "../../config/secret.ts";
import { openEmbedded } from "../../store/server/embedded-postgres.ts";

export interface DatabasePlace {
  readonly config: string;
  readonly url?: string;
  readonly directory?: string;
}

export interface OpenedDatabase {
  /** May hold a password: never for output. */
  readonly url: string;
  /** Of a role that may do more, where we know one. */
  readonly administratorUrl: string;
}

/** Where an embedded database lies within a state directory, as the configuration's default says. */
const WITHIN_STATE = join("data", "postgres");

/** Opens what the options name; `stack` closes what was started for it. Throws ConfigError and StoreError. */
export async function openPlace(place: DatabasePlace, stack: AsyncDisposableStack): Promise<OpenedDatabase> {
  if (place.url !== undefined) return same(await resolveSecretText(place.url));
  if (place.directory !== undefined) return stack.use(await openEmbedded(await serverDirectory(place.directory)));
  const config = await loadConfig(place.config);
  if (config.database.url !== undefined) return same(await resolveSecretText(config.database.url));
  const state = process.env["STATE_DIRECTORY"] ?? config.stateDirectory;
  return stack.use(await openEmbedded(join(state, config.database.directory)));
}

function same(url: string): OpenedDatabase {
  return { url, administratorUrl: url };
}

/** The directory of a demo or of a daemon's state may be named instead of the server's own within it. */
async function serverDirectory(directory: string): Promise<string> {
  const within = join(directory, WITHIN_STATE);
  return (await stat(within).catch(() => undefined)) === undefined ? directory : within;
}
