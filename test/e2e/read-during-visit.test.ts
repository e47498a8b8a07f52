/** What is asked of a meter that is just being read: done on the association that is there, and the visit goes on. */
import { expect, test, vi } from "vitest";
import type { ByteChannel } from "../../drivers/channel.ts";
import { askForOrder } from "../../src/api/local-client.ts";
import { PollLoop } from "../../src/collect/lanes/poll-loop.ts";
import type { PolledMeter } from "../../src/collect/polled-meter.ts";
import type { LedgerPage, StoredLedger } from "../../src/collect/slots/meter-ledger.ts";
import { WAIT } from "./fleet-daemon.ts";
import { MemoryStore, polledStreet } from "./polled-street.ts";
import { gatewayOverStreet } from "./street.ts";

const HALF_HOUR_S = 1800;
const SLOTS_A_DAY = 48;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 4, 25, 10, 2);
const HOLES = 20;

/** Every other day is held: a backfill has a request for each of the others. */
class HoledStore extends MemoryStore {
  override async loadLedger(): Promise<StoredLedger> {
    const today = Math.floor(START_MS / DAY_MS);
    const held = "1".repeat(SLOTS_A_DAY);
    const pages = Array.from<unknown, LedgerPage>({ length: HOLES }, (_, hole) => {
      const day = today - 2 * hole - 1;
      return { profile: "block_load", day, intervalS: HALF_HOUR_S, held, absent: null, off: null, setAside: null };
    });
    const validFromMs = (today - 2 * HOLES) * DAY_MS;
    return { memories: [{ profile: "block_load", validFromMs, intervalS: HALF_HOUR_S, entries: undefined }], pages };
  }
}

test("read during a visit: an ask of a meter in a long backfill is answered long before its end, which reads all", async () => {
  let visits = 0;
  let requests = 0;
  const counted = (channel: ByteChannel): ByteChannel => {
    visits++;
    return {
      name: channel.name,
      start: (sink) => channel.start(sink),
      close: () => channel.close(),
      write: (octets) => {
        requests++;
        channel.write(octets);
      },
    };
  };
  const store = new HoledStore();
  await using polled = await polledStreet(
    { count: 1, startMs: START_MS, latencyMs: 20 },
    { store, tapOf: () => counted, ruleOf: () => ({ historyMs: 45 * DAY_MS, order: "oldest-first" }) },
  );
  const { collector, meters } = polled;
  const [meter] = meters;
  if (meter === undefined) throw new Error("an empty street");
  const loop = new PollLoop<PolledMeter>({
    meters,
    nameOf: ({ target }) => target.name,
    zoneOf: ({ target }) => target.zone,
    plansOf: () => [{ profile: "block_load", everyMs: DAY_MS, deadlineMs: DAY_MS }],
    concurrency: 1,
    startsPerSecond: 10,
    poll: (each, readings, _lane, visit) => collector.poll(each, readings, "backfill", visit),
  });
  const backfilled = loop.pollOnce();
  await vi.waitFor(() => expect(requests).toBeGreaterThan(10), WAIT);
  const wish = { what: "clock" };
  const answer = await loop.readNow(meter, (visit) => collector.read(meter, wish, visit), {
    lane: "on_demand",
    what: "clock",
    onVisit: (connection) => collector.readOn(connection, meter, wish),
  });
  const requestsByThen = requests;
  expect(answer.rows).toHaveLength(1);
  await backfilled;
  expect(requests - requestsByThen).toBeGreaterThan(HOLES / 2);
  expect(visits).toBe(1);
  const stamps = store.stampsOf("block_load");
  const openDays = new Set(stamps.map((stampMs) => Math.floor((stampMs - 1) / DAY_MS)));
  for (let hole = 1; hole <= HOLES; hole++) expect(openDays).toContain(Math.floor(START_MS / DAY_MS) - 2 * hole);
  expect(store.attempts).toMatchObject([
    { what: "clock", failure: undefined },
    { what: "block_load", failure: undefined },
  ]);
});

test("read during a visit: a gateway answers, and carries out an order, while the meter is being read, on one connection", async () => {
  const open: number[] = [];
  let connections = 0;
  await using over = await gatewayOverStreet(
    {
      count: 1,
      latencyMs: 40,
      onConnection: (_meter, isOpen) => {
        connections += isOpen ? 1 : -1;
        open.push(connections);
      },
    },
    { configure: (config) => (config.plans = [{ profile: "block_load", every: "15m", history: "20d" }]) },
  );
  let isPolled = false;
  const polled = over.gateway.pollOnce().then(() => (isPolled = true));
  const name = String(over.config.meters[0]?.name);
  const answer = await over.gateway.read(name, "clock");
  expect(answer.rows).toHaveLength(1);
  const given = await askForOrder(over.config.socket, { meter: name, order: { type: "disconnect" }, why: "a test" });
  expect(given).toMatchObject({ state: "done", before: { output: true }, after: { output: false } });
  expect(isPolled).toBe(false);
  await polled;
  expect(Math.max(...open)).toBe(1);
});
