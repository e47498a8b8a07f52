/** What an OpenTelemetry collector gets of polls. */
import { createServer, type Server } from "node:http";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startTracing } from "../../src/observe/tracing.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const spanForm = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  status: z.object({ code: z.number().optional(), message: z.string().optional() }),
  attributes: z.array(z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional() }) })),
});
const exportForm = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(spanForm) })) })),
});
type Span = z.output<typeof spanForm>;

let over: GatewayOverStreet;
let collector: Server;
const spans: Span[] = [];
let said = "";
beforeAll(async () => {
  collector = createServer(async (request, response) => {
    const body: unknown = await json(request);
    said += JSON.stringify(body);
    const { resourceSpans } = exportForm.parse(body);
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    response.setHeader("content-type", "application/json").end("{}");
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  over = await gatewayOverStreet(
    { count: 3 },
    {
      configure: ({ meters: [, unreachable] = [] }) => {
        if (unreachable !== undefined) unreachable.connection.tcp = "127.0.0.1:1";
      },
    },
  );
}, 120_000);
afterAll(async () => {
  collector.close();
  await over[Symbol.asyncDispose]();
});

function meterOf({ attributes }: Span): string | undefined {
  return attributes.find(({ key }) => key === "dlms.meter")?.value.stringValue;
}

test("tracing: nothing is sent until it is wanted; then a poll is a span, with what it spends its time on within", async () => {
  await over.gateway.pollOnce();
  expect(spans).toEqual([]);
  const address = collector.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  {
    await using _ = await startTracing({ endpoint: `http://127.0.0.1:${port}/v1/traces`, share: 1, version: "test" });
    await over.gateway.pollOnce();
  }
  const polls = spans.filter(({ name }) => name === "poll");
  expect(polls).toHaveLength(over.street.meters.length);
  expect(new Set(polls.map(meterOf))).toEqual(new Set(over.street.meters.map(({ name }) => name)));
  const [failed, ...others] = polls.filter(({ status }) => status.code === 2);
  expect([failed && meterOf(failed), failed?.status.message, others]).toEqual([
    over.street.meters[1]?.name,
    "port refused",
    [],
  ]);
  const first = polls.find(({ status }) => status.code !== 2);
  const within = spans.filter(({ parentSpanId }) => parentSpanId === first?.spanId).map(({ name }) => name);
  expect(within).toEqual(expect.arrayContaining(["connect", "associate", "profile", "store"]));
  expect(new Set(polls.map(({ traceId }) => traceId)).size).toBe(polls.length);
  const count = spans.length;
  await over.gateway.pollOnce();
  expect(spans.length).toBe(count);
});

test("tracing: no secret of a meter is in what is sent", () => {
  expect(said.length).toBeGreaterThan(1000);
  const secrets = over.street.meters
    .flatMap(({ secret, security }) => [secret, security?.blockCipherKey, security?.authenticationKey])
    .filter((each) => each !== undefined);
  expect(secrets.length).toBeGreaterThan(2);
  expect(secrets.filter((each) => said.toLowerCase().includes(each.toLowerCase()))).toEqual([]);
});
