/** Readings of a street, exported: by command from the database, and over the API, in all formats. */
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { EXPORT_FORMAT_NAMES } from "../../src/exports/export-formats.ts";
import { run } from "./command.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

let over: GatewayOverStreet;
let url = "";
beforeAll(async () => {
  over = await gatewayOverStreet(
    { count: 3 },
    {
      configure: (config) => {
        config.collections = [{ name: "first", meters: [config.meters?.[0]?.name ?? ""] }];
      },
    },
  );
  await over.gateway.pollOnce();
  url = join(over.directory, "url");
  await writeFile(url, over.gateway.databaseUrl, { mode: 0o600 });
  await vi.waitUntil(async () => (await rowsHeld()).length > 100, 30_000);
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

function rowsHeld() {
  return over.gateway.database.query<{ name: string; at: Date; wh: string | null }>(
    `select m.name, p.captured_at as at, p.active_import_wh as wh from dlms.block_load_profile p
     join public.meters m on m.id = p.meter_id order by 1, 2`,
  );
}

const RANGE = ["--from", "2000-01-01T00:00:00Z"];

async function exported(file: string, ...args: string[]): Promise<{ octets: Buffer; told: string }> {
  const out = join(over.directory, file);
  const words = ["export", "block-load", ...args, ...RANGE, "--out", out, "--url", `file:${url}`];
  const { code, out: told, err } = await run(words);
  if (code !== 0) throw new Error(err);
  return { octets: await readFile(out), told };
}

function ask(path: string): Promise<{ status: number | undefined; octets: Buffer }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: over.config.socket, path }, (response) => {
      void buffer(response).then((octets) => resolve({ status: response.statusCode, octets }));
    });
    call.once("error", reject).end();
  });
}

test("export: CSV and Parquet hold every row of the database, digit by digit", async () => {
  const held = await rowsHeld();
  const csv = (await exported("load.csv")).octets.toString().trimEnd().split("\r\n");
  const at = csv[0]?.split(",").indexOf("active_import_wh") ?? -1;
  const lines = csv.slice(1).map((line) => line.split(","));
  expect(lines.map((cells) => [cells[0], cells[1], cells[at]])).toEqual(
    held.map(({ name, at: captured, wh }) => [name, captured.toISOString(), wh ?? ""]),
  );
  const { octets, told } = await exported("load.parquet", "--format", "parquet");
  expect(told).toContain(`${held.length} rows of 3 meters`);
  const rows = await parquetReadObjects({ file: new Uint8Array(octets).buffer });
  const form = z.object({ meter: z.string(), captured_at: z.date(), active_import_wh: z.number().nullable() });
  expect(z.array(form).parse(rows)).toEqual(
    held.map(({ name, at: captured, wh }) => ({
      meter: name,
      captured_at: captured,
      active_import_wh: wh === null ? null : Number(wh),
    })),
  );
});

test("export: a collection, and a meter that nobody knows", async () => {
  const json = (await exported("first.json", "--format", "cim-json", "--collection", "first")).octets.toString();
  const [first] = over.street.meters;
  expect(json).toContain(first?.name ?? "?");
  expect(json).not.toContain(over.street.meters[1]?.name ?? "?");
  await expect(exported("none.csv", "stranger")).rejects.toThrow("there is no meter stranger");
});

test("exports: the API streams the same as the command writes", async () => {
  for (const format of EXPORT_FORMAT_NAMES) {
    const to = "2100-01-01T00:00:00Z";
    const { octets } = await exported(`api.${format}`, "--format", format, "--to", to);
    const answer = await ask(`/v1/exports/block-load?format=${format}&from=2000-01-01T00:00:00Z&to=${to}`);
    expect(answer.status).toBe(200);
    expect(answer.octets.equals(octets)).toBe(true);
  }
  expect((await ask("/v1/exports/block-load?meter=stranger")).status).toBe(404);
  expect((await ask("/v1/exports/block-load?collection=none")).status).toBe(404);
}, 120_000);
