import { expect, test } from "vitest";
import type { ProfileKind } from "../../../src/profiles/batch.ts";
import { PROFILE_COLUMNS, profileColumn } from "../../../src/profiles/columns.ts";

const KINDS: readonly ProfileKind[] = ["instant", "block_load", "daily_load", "billing"];
/** Columns that every table has besides; a named column may not hide one. */
const ROW_COLUMNS = [
  "meter_key",
  "captured_at",
  "interval_s",
  "meter_time",
  "time_rule",
  "clock_status",
  "source",
  "layout_fingerprint",
  "others",
];

test.for(KINDS)("columns: names of %s are unique SQL identifiers, stored and shown", (kind) => {
  const stored = PROFILE_COLUMNS[kind].map((column) => column.name);
  const shown = PROFILE_COLUMNS[kind].map((column) => column.shownAs);
  expect(new Set(stored).size).toBe(stored.length);
  expect(new Set(shown).size).toBe(shown.length);
  for (const name of [...stored, ...shown]) {
    expect(name).toMatch(/^[a-z][a-z0-9_]{0,62}$/);
    expect(ROW_COLUMNS).not.toContain(name);
  }
});

test("columns: a name means the same unit and exponent in every table", () => {
  const seen = new Map<string, string>();
  for (const kind of KINDS) {
    for (const column of PROFILE_COLUMNS[kind]) {
      const meaning = `${column.kind} ${column.unit} ${column.exponent} ${column.shownAs}`;
      expect(seen.get(column.name) ?? meaning).toBe(meaning);
      seen.set(column.name, meaning);
    }
  }
});

test("columns: a column is found by its name in its table only", () => {
  expect(profileColumn("block_load", "active_import")).toMatchObject({ shownAs: "active_import_wh", exponent: -3 });
  expect(profileColumn("instant", "voltage_l1")).toMatchObject({ shownAs: "voltage_l1_v" });
  expect(profileColumn("instant", "power_factor")).toMatchObject({ shownAs: "power_factor" });
  expect(profileColumn("billing", "demand_apparent_import_max_t8_time")).toMatchObject({ kind: "timestamp" });
  expect(profileColumn("daily_load", "voltage_l1")).toBeUndefined();
});
