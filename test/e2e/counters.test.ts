/** `counters`: what is remembered of keys' counters, and an operator's word on a meter that asks for far more. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { countersList, countersRaise } from "../../src/cli/commands/counters-command.ts";
import { visit } from "../sim/visitor.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const FAR = 0xa000_0000;

let over: GatewayOverStreet;
let config = "";
let meters: unknown;
beforeAll(async () => {
  over = await gatewayOverStreet(
    { count: 6 },
    {
      configure: (input) => {
        meters = structuredClone(input.meters);
      },
    },
  );
  vi.stubEnv("TEST_COUNTERS_URL", over.gateway.databaseUrl);
  config = join(over.directory, "gateway.yaml");
  await writeFile(config, stringify({ database: { url: "env:TEST_COUNTERS_URL" }, meters }));
}, 120_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await over[Symbol.asyncDispose]();
});

async function written(run: (output: Parameters<typeof countersList>[1]) => Promise<unknown>): Promise<string> {
  const lines: string[] = [];
  const take = (text: string) => void lines.push(text);
  await run({ out: take, err: take, width: undefined });
  return lines.join("\n");
}

async function counterOf(name: string): Promise<number> {
  const text = await written((output) => countersList({ config, json: true }, output));
  const list = JSON.parse(text) as { meter: string; next: string }[];
  return Number(list.find(({ meter }) => meter === name)?.next);
}

function house(index: number): string {
  return over.street.meters[index]?.name ?? "";
}

test("counters: each ciphered meter is listed, with what is used up", async () => {
  await over.gateway.read(house(0), "clock");
  const text = await written((output) => countersList({ config }, output));
  for (const { name, security } of over.street.meters) expect(text.includes(name)).toBe(security !== undefined);
  expect(text).toContain("not used yet");
  expect(await counterOf(house(0))).toBeGreaterThan(1000);
});

test("counters: a counter is raised by an operator, and by nobody lowered", async () => {
  const raise = (to: string) => written((output) => countersRaise(house(0), { config, to }, output));
  expect(await raise(String(FAR))).toContain(String(FAR));
  await expect(raise("17")).rejects.toThrow("never goes down");
  await expect(raise("4294967296")).rejects.toThrow("--to");
  await expect(raise("-1")).rejects.toThrow("--to");
  expect(await counterOf(house(0))).toBe(FAR);
  await expect(written((output) => countersRaise("nobody", { config, to: "1" }, output))).rejects.toThrow("no meter");
  await expect(written((output) => countersRaise(house(5), { config, to: "1" }, output))).rejects.toThrow("no counter");
});

test("counters: a meter that asks for far more is not believed before an operator says so", async () => {
  const [, meter] = over.street.meters;
  if (meter === undefined) throw new Error("an empty street");
  const remembering = over.street.meter(meter.name);
  await over.gateway.read(house(1), "clock");
  // Somebody else has used the key meanwhile.
  const visitor = await visit(meter, { firstCounter: FAR, clientTitle: "444C4D5347570001" });
  await visitor.leave();
  await expect(over.gateway.read(house(1), "clock")).rejects.toThrow("counter implausible");
  await written((output) => countersRaise(house(1), { config, to: String(FAR) }, output));
  expect(remembering.identity.serial).toBe(meter.serial);
  expect((await over.gateway.read(house(1), "clock")).rows).toHaveLength(1);
});
