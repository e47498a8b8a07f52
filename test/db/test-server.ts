/** The database servers that tests run against: which edition, how it is started, and why not when it can't be. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type EmbeddedPostgresOptions, startEmbeddedPostgres } from "../../src/store/server/embedded-postgres.ts";
import { scratchDirectory } from "./scratch.ts";

export type TestEdition = "embedded" | "timescale-apache" | "timescale-given";

export interface TestServer {
  readonly url: string;
  /** Of a role that may end other sessions. */
  readonly administratorUrl: string;
  stop(): Promise<void>;
}

const INSTALL_TIMEOUT_MS = 240_000;
const run = promisify(execFile);

/**
 * Starts a server of an edition; a text says why that is not possible here. `durable` for one that writes to disk as in
 * production; the others are for tests that end with the server.
 */
export async function startTestServer(
  edition: TestEdition,
  { durable = false }: { readonly durable?: boolean } = {},
): Promise<TestServer | string> {
  if (edition === "timescale-given") {
    const url = process.env["DLMS_GATEWAY_TEST_TIMESCALE_URL"];
    if (url === undefined) return "DLMS_GATEWAY_TEST_TIMESCALE_URL names no server";
    return { url, administratorUrl: url, stop: async () => undefined };
  }
  const settings: Record<string, string> = durable ? {} : { fsync: "off" };
  const newDirectory = () => (durable ? mkdtempSync(join(tmpdir(), "dlms-gateway-bench-")) : scratchDirectory("tests"));
  if (edition === "embedded") return startIn({ directory: newDirectory(), settings });
  const how = await faultServer("timescale-apache");
  if (typeof how === "string") return how;
  return startIn({ directory: newDirectory(), ...how, settings: { ...settings, ...how.settings } });
}

/** How a server of an edition is started that a test may kill; a text says why that is not possible here. */
export async function faultServer(
  edition: string,
): Promise<Pick<EmbeddedPostgresOptions, "binaries" | "settings"> | string> {
  if (edition === "embedded") return {};
  if (edition === "given") {
    const programs = process.env["DLMS_GATEWAY_TEST_TIMESCALE_BINARIES"];
    return programs === undefined ? "DLMS_GATEWAY_TEST_TIMESCALE_BINARIES names no directory" : timescaleIn(programs);
  }
  if (edition !== "timescale-apache") return `there is no edition ${edition}`;
  const programs = await installTimescale().catch((error: unknown) => new Error("not installed", { cause: error }));
  if (programs instanceof Error) return `TimescaleDB can't be installed here: ${lastLine(programs.cause)}`;
  return timescaleIn(programs);
}

function timescaleIn(programs: string) {
  return {
    binaries: {
      postgres: join(programs, "postgres"),
      initdb: join(programs, "initdb"),
      majorVersion: /\/(\d+)\/bin\/?$/.exec(programs)?.[1] ?? "",
    },
    settings: { shared_preload_libraries: "timescaledb", "timescaledb.telemetry_level": "off" },
  };
}

/** Where pg_dump and pg_restore of a major version are; undefined where they are not installed. */
export async function clientPrograms(major: number): Promise<string | undefined> {
  const ofTimescale = await installTimescale().catch(() => "");
  const places = [`/usr/lib/postgresql/${major}/bin`, ...(ofTimescale.includes(`/${major}/`) ? [ofTimescale] : [])];
  return places.find((place) => existsSync(join(place, "pg_dump")));
}

/** The directory of the programs; kept between runs. */
async function installTimescale(): Promise<string> {
  const script = join(import.meta.dirname, "install-timescale.sh");
  const directory = join(tmpdir(), `dlms-gateway-timescaledb-2-${process.getuid?.() ?? 0}`);
  const { stdout } = await run(script, [directory], { timeout: INSTALL_TIMEOUT_MS });
  return stdout.trim().split("\n").at(-1) ?? "";
}

function lastLine(error: unknown): string {
  const output = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
  return output.trim().split("\n").at(-1) ?? "";
}

async function startIn(options: EmbeddedPostgresOptions): Promise<TestServer> {
  const server = await startEmbeddedPostgres(options);
  return {
    url: server.url,
    administratorUrl: server.administratorUrl,
    stop: async () => {
      await server.stop();
      await rm(options.directory, { recursive: true, force: true });
    },
  };
}
