import { expect, test } from "vitest";
import { DRIFT_CHECK, REPAIR, type SetupState } from "../../src/push/setups/setup-state.ts";
import { keepSetupRecord, unsettledSetups } from "../../src/store/push/push-setup-history.ts";
import { makeMeters } from "./profile-batches.ts";
import { query } from "./query.ts";
import { useTestDatabase } from "./test-database.ts";

const current = useTestDatabase();

type Step = readonly [state: SetupState, why?: string];

const DONE = "an order";

/** What is known at the next start of a meter with these records. */
async function unsettledAfter(number: string, ...steps: readonly Step[]): Promise<{ mixed: number; drifted: number }> {
  const { database, url } = current();
  await makeMeters(database, [number]);
  const [[meterId] = []] = await query(url, "select id from public.meters where meter_number = $1", [number]);
  const at = new Date();
  for (const [state, why = DONE] of steps) {
    await keepSetupRecord(database, {
      meterId: String(meterId),
      setup: "all",
      logicalName: "0.0.25.9.0.255",
      startedAt: at,
      endedAt: at,
      state,
      changes: state === "unreached" ? [] : [{ attribute: "40:0.0.25.9.0.255:6", before: 1, after: 3, held: null }],
      testPush: "not-ordered",
      evidence: undefined,
      who: "somebody",
      why,
    });
  }
  const { mixed, drifted } = await unsettledSetups(database);
  const ofMeter = (each: { meterId: string }) => each.meterId === meterId;
  return { mixed: mixed.filter(ofMeter).length, drifted: drifted.filter(ofMeter).length };
}

test("push setups: what was left between two states is known at the next start, whatever looks came after", async () => {
  expect(await unsettledAfter("M1", ["mixed"], ["differs"], ["unreached", DRIFT_CHECK])).toMatchObject({ mixed: 1 });
  expect(await unsettledAfter("M2", ["mixed"], ["refused"], ["restored"], ["mixed"])).toMatchObject({ mixed: 2 });
  expect(await unsettledAfter("M3", ["mixed"], ["restored", REPAIR])).toMatchObject({ mixed: 0 });
  expect(await unsettledAfter("M4", ["mixed"], ["applied"], ["differs"])).toMatchObject({ mixed: 0 });
});

test("push setups: a drift is known at the next start until somebody found the meter to have what is wanted", async () => {
  expect(await unsettledAfter("D1", ["differs", DRIFT_CHECK], ["unreached"], ["differs"])).toMatchObject({
    drifted: 1,
  });
  expect(await unsettledAfter("D2", ["restored", DRIFT_CHECK], ["applied", REPAIR])).toMatchObject({ drifted: 1 });
  expect(await unsettledAfter("D3", ["differs", DRIFT_CHECK], ["in-order", DRIFT_CHECK])).toMatchObject({ drifted: 0 });
  expect(await unsettledAfter("D4", ["differs"], ["applied", DRIFT_CHECK])).toMatchObject({ drifted: 0 });
});
