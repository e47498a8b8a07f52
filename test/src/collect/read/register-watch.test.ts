import { expect, test } from "vitest";
import { watchRegisters } from "../../../../src/collect/read/register-watch.ts";
import type { GatewayEvent } from "../../../../src/observe/events.ts";
import type { ProfileBatch, ProfileKind } from "../../../../src/profiles/batch.ts";

const HOUR_MS = 3_600_000;

/** Rows as [hour, import, export]; what a batch has no column for is left out of all of them. */
function batchOf(
  rows: readonly (readonly [number, bigint, bigint?])[],
  profile: ProfileKind = "instant",
): ProfileBatch {
  const exported = rows.every(([, , value]) => value !== undefined);
  const column = (name: string, at: 1 | 2) => ({ column: name, values: rows.map((row) => row[at]) });
  return {
    meterKey: 1,
    profile,
    source: "poll",
    layoutFingerprint: "",
    readAt: new Date(0),
    rowCount: rows.length,
    instantsMs: rows.map(([hour]) => hour * HOUR_MS),
    timeRules: rows.map(() => "zone" as const),
    meterTimes: undefined,
    intervalS: undefined,
    columns: [column("active_import_total", 1), ...(exported ? [column("active_export_total", 2)] : [])],
    others: [],
  };
}

/** What is told of each batch in turn: register, values and whether they were swapped. */
function told(...batches: readonly ProfileBatch[]): string[] {
  const meter = { target: { name: "m" } };
  const events: GatewayEvent[] = [];
  for (const batch of batches) watchRegisters(meter, batch, (event) => events.push(event));
  return events.map((event) => {
    if (event.event !== "registerWentBack") throw new Error(event.event);
    return `${event.register} ${event.before} ${event.after}${event.swapped ? " swapped" : ""}`;
  });
}

test("register watch: registers that grow or stay are not told, whatever profile they come by", () => {
  expect(
    told(
      batchOf([[1, 10n, 5n]]),
      batchOf(
        [
          [2, 10n],
          [3, 12n],
        ],
        "billing",
      ),
      batchOf([[4, 12n, 5n]]),
    ),
  ).toEqual([]);
});

test("register watch: one that was reset is told once, between visits and within one", () => {
  expect(told(batchOf([[1, 500n, 5n]]), batchOf([[2, 3n, 6n]]), batchOf([[3, 4n, 6n]]))).toEqual([
    "active_import_total 500 3",
  ]);
  expect(
    told(
      batchOf([
        [1, 500n],
        [2, 510n],
        [3, 7n],
        [4, 8n],
      ]),
    ),
  ).toEqual(["active_import_total 510 7"]);
});

test("register watch: import and export that are swapped are named so", () => {
  expect(told(batchOf([[1, 5000n, 20n]]), batchOf([[2, 21n, 5003n]]))).toEqual(["active_import_total 5000 21 swapped"]);
});

test("register watch: older rows are held against each other, and not against newer ones", () => {
  expect(
    told(
      batchOf([[9, 90n]]),
      batchOf(
        [
          [2, 20n],
          [1, 10n],
          [3, 30n],
        ],
        "billing",
      ),
    ),
  ).toEqual([]);
  expect(
    told(
      batchOf([[9, 90n]]),
      batchOf(
        [
          [1, 10n],
          [2, 5n],
        ],
        "billing",
      ),
    ),
  ).toEqual(["active_import_total 10 5"]);
});
