import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Data } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { mapPush } from "../../../src/profiles/map-push.ts";
import { nordic } from "./push-examples.ts";

interface FieldCase {
  readonly id: string;
  readonly layer: string;
  readonly input: { readonly hex?: string };
  readonly expect: {
    readonly outcome: string;
    readonly stated?: {
      readonly obis?: Readonly<Record<string, unknown>>;
      readonly decoded?: Readonly<Record<string, unknown>>;
    };
    readonly derived?: unknown;
  };
}

const FIELD = join(import.meta.dirname, "../../../../shared/corpus/field/push.json");

/** The captures of other projects are read in place and are not part of this repository. */
const isThere = existsSync(FIELD);
const cases: readonly FieldCase[] = isThere ? (JSON.parse(readFileSync(FIELD, "utf8")) as FieldCase[]) : [];

/** The notification inside a case, as the corpus' own decoder derived it. */
function derivedNotification(node: unknown): { dateTime: Uint8Array | undefined; body: Data } | undefined {
  if (typeof node !== "object" || node === null) return undefined;
  if ("body" in node) {
    const { body: value, dateTime } = node as { body: TypedValue; dateTime?: { hex: string } | null };
    return { dateTime: dateTime == null ? undefined : fromHex(dateTime.hex), body: dataOf(value) };
  }
  for (const each of Object.values(node)) {
    const found = derivedNotification(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface TypedValue {
  readonly t: string;
  readonly v?: unknown;
}

function dataOf({ t, v }: TypedValue): Data {
  if (t === "array" || t === "structure") return { type: t, value: (v as TypedValue[]).map(dataOf) };
  if (t === "octet-string") return { type: t, value: fromHex(v as string) };
  if (t === "visible-string") return { type: t, value: new TextEncoder().encode(v as string) };
  if (t === "null-data") return { type: t };
  if (t === "boolean") return { type: t, value: v as boolean };
  return { type: t, value: v } as Data;
}

/** Names by which another project calls the columns. */
const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  active_power_import_total: "active_import_total",
  active_power_export_total: "active_export_total",
  reactive_power_import_total: "reactive_import_total",
  reactive_power_export_total: "reactive_export_total",
};

test.skipIf(!isThere)(
  "map-push: captured pushes give the numbers that their sources state (field corpus, if there)",
  () => {
    const wrong: string[] = [];
    let compared = 0;
    for (const each of cases) {
      const notification = derivedNotification(each.expect.derived);
      // The source of this one states the numbers as sent, before their scaler.
      if (notification === undefined || each.id === "dlmsparser-kamstrup-omnipower") continue;
      const push = mapPush(notification, nordic);
      for (const [name, stated] of Object.entries(each.expect.stated?.obis ?? {})) {
        if (typeof stated !== "number") continue;
        const value = push.values.find(({ logicalName }) => logicalName === name)?.value;
        compared++;
        if (Number(value) !== stated) wrong.push(`${each.id} ${name}: ${String(value)}, stated ${stated}`);
      }
      for (const [name, stated] of Object.entries(each.expect.stated?.decoded ?? {})) {
        if (typeof stated !== "number") continue;
        const column = FOREIGN_NAMES[name] ?? name;
        const value = push.values.find((one) => one.column === column)?.value;
        compared++;
        if (Number(value) !== stated) wrong.push(`${each.id} ${name}: ${String(value)}, stated ${stated}`);
      }
    }
    // Two single-phase captures of one project are stated with values of another capture.
    expect(wrong.filter((line) => !line.startsWith("amshan-kamstrup-no-list-2-single-phase "))).toEqual([]);
    expect(compared).toBeGreaterThan(150);
  },
);

test.skipIf(!isThere)("map-push: no value of a captured push is without a name but those of opaque bodies", () => {
  const nameless: string[] = [];
  for (const each of cases) {
    const notification = derivedNotification(each.expect.derived);
    if (notification === undefined) continue;
    const push = mapPush(notification, nordic);
    const lost = push.values.filter(({ logicalName }) => logicalName === undefined).length;
    if (lost > 0) nameless.push(`${each.id}: ${lost} of ${push.values.length}`);
    const raw = push.values.filter(({ captureObject }) => captureObject.endsWith("@raw"));
    if (raw.length > 0) nameless.push(`${each.id}: raw ${raw.map(({ captureObject }) => captureObject).join(" ")}`);
  }
  expect(nameless).toEqual(["u9n-datanotif: 1 of 1"]);
});
