import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { expect, test } from "vitest";
import { z } from "zod";
import { metersImport } from "../../src/cli/commands/meters-add-command.ts";
import { scratchDirectory } from "../db/scratch.ts";

const orderForm = z.object({ meters: z.array(z.object({ name: z.string() })), dryRun: z.boolean() });

test("meters import: a name that somebody takes between the look and the order stops it, with what is in", async () => {
  const directory = scratchDirectory("import");
  const socket = join(directory, "gateway.sock");
  const ordered: string[] = [];
  const daemon = createServer(async (request, response) => {
    const { meters, dryRun } = orderForm.parse(await json(request));
    const index = dryRun ? -1 : meters.findIndex(({ name }) => name === "m600");
    const problems = index < 0 ? [] : [{ index, path: "name", message: "there is a meter of this name" }];
    if (!dryRun) ordered.push(meters[0]?.name ?? "");
    const added = dryRun || problems.length > 0 ? [] : meters.map(({ name }) => name);
    response.setHeader("content-type", "application/json").end(JSON.stringify({ added, problems }));
  }).listen(socket);
  await once(daemon, "listening");
  const file = join(directory, "meters.csv");
  const names = Array.from({ length: 1200 }, (_, at) => `m${at}`);
  await writeFile(file, ["name", ...names].join("\n"));
  const told: string[] = [];
  const output = { out: (line: string) => told.push(line), err: (line: string) => told.push(line), width: undefined };
  expect(await metersImport(file, { socket, json: true }, output)).toBe("failure");
  daemon.close();
  await rm(directory, { recursive: true });
  expect(ordered).toEqual(["m0", "m500"]);
  expect(told.at(-1)).toContain("what is before line 502 is added, the rest is not");
  expect(told.join("\n")).toContain("there is a meter of this name");
});
