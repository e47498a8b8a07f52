/** What meters say between a request and its answer goes the way of all pushes, and is confirmed when it is durable. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DataNotification } from "../../../protocol/apdu/data-notification.ts";
import { pushNotification } from "../../../src/simulator/push-message.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "../street.ts";

/** D1, D2 and D3 ciphered, an IDIS and a DSMR meter, and D1 without ciphering. */
const COUNT = 6;
const WANTS_CONFIRMATION = 0x4000_0000;
/** The meter speaks before it answers this request of the association. */
const REQUEST = 4;

let over: GatewayOverStreet;
const requests = new Map<string, number>();
const said = new Map<string, number>();
const confirmed = new Map<string, number>();

/** The first of its setups, once. */
function unasked(name: string): DataNotification | undefined {
  const count = (requests.get(name) ?? 0) + 1;
  requests.set(name, count);
  const setup = over.street.meters.find((meter) => meter.name === name)?.pushSetups[0];
  if (count !== REQUEST || setup === undefined) return undefined;
  const longInvokeId = WANTS_CONFIRMATION | (said.size + 1);
  said.set(name, longInvokeId);
  return pushNotification(over.street.meter(name), { setup, longInvokeId, dated: true });
}

beforeAll(async () => {
  over = await gatewayOverStreet({
    count: COUNT,
    unasked,
    onEvent: (meter, event) => {
      if (event.type === "confirmed") confirmed.set(meter, event.longInvokeIdAndPriority);
    },
  });
  await over.gateway.pollOnce();
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

test("pushes in mid-poll: each is kept as its meter's, and confirmed when it is durable", async () => {
  const pushing = over.street.meters.filter(({ pushSetups }) => pushSetups.length > 0);
  expect([...said.keys()].toSorted()).toEqual(pushing.map(({ name }) => name).toSorted());
  await expect.poll(() => confirmed.size, { timeout: 20_000 }).toBe(pushing.length);
  expect(Object.fromEntries(confirmed)).toEqual(Object.fromEntries(said));
  const rows = await over.gateway.database.query<{ meter_number: string; push_setup: string; octets: number }>(
    `select m.meter_number, h.push_setup, length(h.octets)::int as octets
     from dlms.push_history h join public.meters m on m.id = h.meter_id where h.outcome <> 'rejected'`,
  );
  expect(rows.map((row) => row.meter_number).toSorted()).toEqual(pushing.map(({ serial }) => serial).toSorted());
  for (const { octets } of rows) expect(octets).toBeGreaterThan(20);
});

test("pushes in mid-poll: the polls go on as if nothing had been said", async () => {
  expect(over.events.filter(({ event }) => event === "meterFailed" || event === "pushRejected")).toEqual([]);
  const polled = over.events.filter((each) => each.event === "meterPolled");
  expect(polled).toHaveLength(COUNT);
  for (const { rows } of polled) expect(rows).toBeGreaterThan(50);
});
