/** Push setups of the configuration on simulated meters whose setups really send: compared, written, tested, undone. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { query } from "../../db/query.ts";
import { freePort } from "../free-port.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "../street.ts";
import { applySetup, pushCommand, type SetupResult } from "./push-orders.ts";

const INSTANT = "0.0.25.9.0.255";
const SCHEDULE = "0.0.15.0.4.255";
let over: GatewayOverStreet;
let port = 0;

beforeAll(async () => {
  port = await freePort();
  const setup = { companion: "is15959", logicalName: INSTANT } as const;
  over = await gatewayOverStreet(
    { count: 6 },
    {
      configure: (config) => {
        config.push = {
          listen: [{ address: `127.0.0.1:${port}`, transport: "tcp" }],
          setups: [
            {
              ...setup,
              name: "instant",
              destination: `127.0.0.1:${port}`,
              retries: 4,
              repetitionDelay: "45s",
              schedule: { logicalName: SCHEDULE, at: ["*:00", "*:30"] },
            },
            { ...setup, name: "nowhere", meters: ["*-01"], destination: "127.0.0.1:9", retries: 5 },
            { ...setup, name: "impossible", meters: ["*-01"], logicalName: "0.77.25.9.0.255", retries: 1 },
          ],
          execution: { perMinute: 6000, arrival: "2s" },
        };
      },
    },
  );
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

const push = (...words: readonly string[]) => pushCommand(over.config.socket, ...words);

/** Results come as meters are done; here they stand as in the configuration. */
function placeOf({ meter }: SetupResult): number {
  return over.street.meters.findIndex(({ name }) => name === meter);
}

async function apply(...words: readonly string[]): Promise<{ code: number; results: SetupResult[] }> {
  const { code, results } = await applySetup(over.config.socket, ...words);
  return { code, results: results.toSorted((a, b) => placeOf(a) - placeOf(b)) };
}

/** Its association does not let it write. */
const READER = 32;
const writers = () => indian().filter(({ clientSap }) => clientSap !== READER);
const changed = ({ changes }: SetupResult) => changes.map(({ attribute }) => attribute);
const indian = () => over.street.meters.filter(({ companion }) => companion === "is15959");

test("push setups: a dry run shows what differs on every meter, and writes nothing", async () => {
  const first = await apply("instant", "--dry-run");
  expect(first.code).toBe(0);
  expect(first.results.map(({ meter, state }) => [meter, state])).toEqual(
    indian().map(({ name }) => [name, "differs"]),
  );
  expect(first.results[0]?.changes.at(0)).toMatchObject({ attribute: `40:${INSTANT}:6`, after: 4 });
  expect((await apply("instant", "--dry-run")).results).toEqual(first.results);
});

test("push setups: what differs is written and read back, and the meters push to the new destination", async () => {
  const { code, results } = await apply("instant", "--why", "commissioning");
  const wanted = indian().map(({ clientSap }) =>
    clientSap === READER ? ["refused", "not-ordered"] : ["applied", "arrived"],
  );
  expect(results.map(({ state, testPush }) => [state, testPush])).toEqual(wanted);
  expect(results.find(({ state }) => state === "refused")?.evidence).toContain("has not agreed on writing");
  expect(code).toBe(4);
  // Where to comes after what and how often, when comes last.
  expect(changed(results[0]!).at(-1)).toBe(`22:${SCHEDULE}:4`);
  expect(changed(results[0]!)).toContain(`40:${INSTANT}:3`);
  const again = (await apply("instant", "--why", "again")).results;
  const inOrder = again.filter(({ meter }) => writers().some(({ name }) => name === meter));
  expect(inOrder.map(({ state, changes }) => [state, changes])).toEqual(writers().map(() => ["in-order", []]));
  const rows = await query(
    over.gateway.databaseUrl,
    `select m.name, s.destination, s.transport from dlms.push_setups s join public.meters m on m.id = s.meter_id
     where s.logical_name = $1 order by 1`,
    [INSTANT],
  );
  expect(rows.filter(([name]) => writers().some((each) => each.name === name))).toEqual(
    writers().map(({ name }) => [name, `127.0.0.1:${port}`, "tcp"]),
  );
});

test("push setups: a destination that hears nothing is put back as it was", async () => {
  const { code, results } = await apply("nowhere", "--why", "a mistake");
  expect(code).toBe(4);
  const [result] = results;
  expect(result).toMatchObject({
    state: "restored",
    testPush: "silent",
    evidence: expect.stringContaining("did not arrive"),
  });
  expect(changed(result!)).toEqual([`40:${INSTANT}:6`, `40:${INSTANT}:3`]);
  const [name = ""] = results.map(({ meter }) => meter);
  expect((await apply("instant", "--dry-run", "--meter", name)).results.map(({ state }) => state)).toEqual([
    "in-order",
  ]);
});

test("push setups: a meter without the object is left alone, and one that is away is told", async () => {
  const { code, results } = await apply("impossible", "--why", "not there");
  expect([code, results[0]?.state]).toEqual([4, "refused"]);
  const listing = await push("setups");
  expect(listing.out).toMatch(/impossible +0\.77\.25\.9\.0\.255 +as it is +\S+-01 +refused/);
  expect((await apply("nobody", "--why", "x").catch((error: Error) => error.message)) as string).toContain(
    "no such push setup",
  );
});

test("push setups: the history has before, after, who, why and when", async () => {
  const [row] = JSON.parse((await push("history", "--setup", "nowhere", "--json")).out);
  expect(row).toMatchObject({
    setup: "nowhere",
    state: "restored",
    testPush: "silent",
    why: "a mistake",
    who: expect.stringMatching(/^local \S+$/),
    changes: [
      { attribute: `40:${INSTANT}:6`, before: 4, after: 5, held: false },
      {
        attribute: `40:${INSTANT}:3`,
        before: [0, `127.0.0.1:${port}`, 0],
        after: [0, "127.0.0.1:9", 0],
        held: false,
      },
    ],
  });
  expect((await push("apply", "instant")).code).toBe(2);
});

test("push setups: every step is told as an event, with its meter, setup and state", async () => {
  const told = over.events.filter(
    (each): each is Extract<GatewayEvent, { event: "setupCarriedOut" }> => each.event === "setupCarriedOut",
  );
  expect(new Set(told.map(({ state }) => state))).toEqual(
    new Set(["differs", "applied", "in-order", "restored", "refused"]),
  );
});
