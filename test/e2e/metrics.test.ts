/** What Prometheus scrapes of a gateway that works, and that the rules and the dashboard ask for nothing else. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { FAILURE_CAUSES } from "../../src/collect/causes/failure-cause.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const OBSERVE = join(import.meta.dirname, "../../docs/observe");
const COUNT = 4;
/** What a histogram's series end with. */
const SERIES_SUFFIX = /_(?:bucket|sum|count)$/;

let over: GatewayOverStreet;
let text = "";
let contentType: string | null = null;
let base = "";
beforeAll(async () => {
  over = await gatewayOverStreet(
    { count: COUNT, faults: { [COUNT - 1]: "refuses-association" } },
    {
      configure: (config) => {
        config.api = { listen: { port: 0 } };
      },
    },
  );
  base = over.events.flatMap((event) => (event.event === "apiListening" ? [event.address] : []))[0] ?? "";
  await over.gateway.pollOnce();
  const response = await fetch(`${base}/metrics`);
  contentType = response.headers.get("content-type");
  text = await response.text();
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

/** Names of metrics, by what their HELP lines say there is. */
function names(): Set<string> {
  return new Set([...text.matchAll(/^# HELP (\S+) /gm)].map(([, name]) => name ?? ""));
}

test("metrics: visits, rows and meters are counted, and no label names a meter", () => {
  expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(text).toContain(`dlms_gateway_visits_total{outcome="read"} ${COUNT - 1}\n`);
  expect(text).toContain('dlms_gateway_visit_failures_total{cause="association refused"} 1\n');
  expect(text).toMatch(/^dlms_gateway_rows_total\{outcome="inserted"\} [1-9]/m);
  expect(text).toContain(`dlms_gateway_visit_duration_seconds_count ${COUNT}\n`);
  expect(text).toContain(`dlms_gateway_meters ${COUNT}\n`);
  expect(text).toContain('dlms_gateway_stalled_seconds{part="planner"} 0\n');
  for (const { name, serial } of over.street.meters) {
    expect(text).not.toContain(name);
    expect(text).not.toContain(serial);
  }
  const labels = new Set(
    [...text.matchAll(/^dlms_gateway_\w+\{([^}]*)\}/gm)].flatMap(([, all = ""]) => all.match(/\w+(?==")/g)),
  );
  expect(labels).toEqual(new Set(["cause", "event", "le", "outcome", "part", "version"]));
});

test("metrics: names have the prefix, the base units and the suffixes of Prometheus' conventions", () => {
  const own = [...text.matchAll(/^# TYPE (dlms_gateway_\S+) (\w+)$/gm)];
  expect(own.length).toBeGreaterThan(12);
  for (const [, name = "", type] of own) {
    expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
    expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|mb|kb|percent)(?:_|$)/);
  }
});

test("metrics: every metric and every cause that alerts and dashboard ask for is there", () => {
  const alerts = readFileSync(join(OBSERVE, "alerts.yaml"), "utf8");
  const dashboard = readFileSync(join(OBSERVE, "dashboards/gateway.json"), "utf8");
  const rule = z.object({ alert: z.string(), expr: z.string(), annotations: z.record(z.string(), z.string()) });
  const groups = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) }).parse(parse(alerts)).groups;
  expect(groups.flatMap(({ rules }) => rules).length).toBeGreaterThan(8);
  const asked = [...`${alerts}${dashboard}`.matchAll(/\b(?:dlms_gateway|nodejs|process)_\w+/g)].map(([name]) => name);
  const known = names();
  expect(new Set(asked).size).toBeGreaterThan(15);
  expect(asked.filter((name) => !known.has(name) && !known.has(name.replace(SERIES_SUFFIX, "")))).toEqual([]);
  const events = readFileSync(join(import.meta.dirname, "../../src/observe/events.ts"), "utf8");
  const wanted = [...alerts.matchAll(/event=~?"([^"]+)"/g)].flatMap(([, all = ""]) => all.split("|"));
  expect(wanted.filter((event) => !events.includes(`  ${event}: {`))).toEqual([]);
  expect(Object.keys(FAILURE_CAUSES).length).toBeLessThan(100);
});

test("health: each part that the gateway depends on says how it is", async () => {
  const answer = await (await fetch(`${base}/v1/health`)).json();
  expect(answer).toMatchObject({
    ok: true,
    dependencies: [
      { name: "database", ok: true },
      { name: "spool", ok: true, says: "0 MB of 2000 MB" },
      { name: "polling", ok: true, says: `${COUNT} meters, due work 0 s late` },
      { name: "writing", ok: true, says: "0 rows and 0 pushes in memory" },
    ],
  });
});
