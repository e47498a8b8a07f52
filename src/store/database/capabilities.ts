/** Which database this is and what it can do: asked once, never found out by trying. */
import type { ClientBase } from "pg";

type Edition = "timescaledb-community" | "timescaledb-apache-2" | "postgresql";

export interface Capabilities {
  readonly edition: Edition;
  /** `18.4` */
  readonly serverVersion: string;
  readonly timescaleVersion: string | undefined;
  readonly hypertables: boolean;
  /** Continuous aggregates, compression, policies and gap filling come together, with the Community licence. */
  readonly continuousAggregates: boolean;
  readonly compression: boolean;
  readonly policies: boolean;
}

interface ProbeRow {
  server_version: string;
  timescale_version: string | null;
  licence: string | null;
}

export async function probeCapabilities(client: Pick<ClientBase, "query">): Promise<Capabilities> {
  const { rows } = await client.query<ProbeRow>(
    `select split_part(current_setting('server_version'), ' ', 1) as server_version,
       (select extversion from pg_extension where extname = 'timescaledb') as timescale_version,
       current_setting('timescaledb.license', true) as licence`,
  );
  const row = rows[0];
  const timescale = row?.timescale_version ?? undefined;
  const community = timescale !== undefined && row?.licence === "timescale";
  return {
    edition: timescale === undefined ? "postgresql" : community ? "timescaledb-community" : "timescaledb-apache-2",
    serverVersion: row?.server_version ?? "",
    timescaleVersion: timescale,
    hypertables: timescale !== undefined,
    continuousAggregates: community,
    compression: community,
    policies: community,
  };
}

/** `PostgreSQL 18.4`, `TimescaleDB 2.19.3 (Apache-2 edition) on PostgreSQL 17.6`: for people. */
export function describeCapabilities(capabilities: Capabilities): string {
  const server = `PostgreSQL ${capabilities.serverVersion}`;
  if (capabilities.timescaleVersion === undefined) return server;
  const edition = capabilities.edition === "timescaledb-community" ? "Community" : "Apache-2";
  return `TimescaleDB ${capabilities.timescaleVersion} (${edition} edition) on ${server}`;
}
