/*
 * Compares the tables with the reference. What it says of classes and units is kept here, so that any clone compares; the
 * rest, and whether what is kept is still what it says, is skipped where ../shared/reference is absent.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { INTERFACE_CLASSES, interfaceClassOf } from "../../../protocol/cosem/classes/registry.ts";
import { attributeById, methodById } from "../../../protocol/cosem/interface-class.ts";
import { obisMeaning } from "../../../protocol/cosem/obis-dictionary.ts";
import { unitOf } from "../../../protocol/cosem/units.ts";
import { HAS_REFERENCE, referenceRows } from "./reference.ts";

function letters(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/gu, "");
}

type Kind = "attribute" | "method";

/** `v2+` in the notes: a member that came with version 2; `(v0 only)` in the name: one that went with version 1. */
function belongsTo(version: string, name: string, notes: string): boolean {
  if (/\(v0 only\)/u.test(name)) return version === "0";
  return Number(version) >= Number(/^v(\d)/u.exec(notes)?.[1] ?? 0);
}

/** Members of each class and version as lines, `7/1 attribute 2 buffer; 3 capture_objects; …`. */
function memberLines(): string {
  const lines = new Map<string, string[]>();
  for (const { class_id: classId, versions = "", kind, index, name = "", notes = "" } of referenceRows("classes.csv")) {
    if (kind !== "attribute" && kind !== "method") continue;
    for (const version of versions.split(",").filter((each) => belongsTo(each, name, notes))) {
      const key = `${classId}/${version} ${kind}`;
      lines.set(key, [...(lines.get(key) ?? []), `${index} ${name}`]);
    }
  }
  return `${Array.from(lines, ([key, members]) => `${key} ${members.join("; ")}`).join("\n")}\n`;
}

function unitLines(): string {
  const rows = referenceRows("units.csv").filter((row) => /^\d+$/u.test(row["enum"] ?? ""));
  return `${rows.map((row) => `${row["enum"]} ${row["symbol"]}`).join("\n")}\n`;
}

const MEMBERS = join(import.meta.dirname, "class-members.txt");
const UNITS = join(import.meta.dirname, "units.txt");

test.skipIf(!HAS_REFERENCE)("reference: what is kept of it here is what it says", async () => {
  await expect(memberLines()).toMatchFileSnapshot(MEMBERS);
  await expect(unitLines()).toMatchFileSnapshot(UNITS);
});

interface Member {
  readonly key: string;
  readonly wanted: string;
  /** The name that our tables have; undefined where they have no such member. */
  readonly name: string | undefined;
}

function members(kind: Kind): Member[] {
  return readLines(MEMBERS).flatMap((line) => {
    const [, classId, version, each, rest = ""] = /^(\d+)\/(\d+) (\w+) (.*)$/u.exec(line) ?? [];
    const found = interfaceClassOf(Number(classId), Number(version));
    return (each === kind ? rest.split("; ") : []).map((member): Member => {
      const [, index, wanted = ""] = /^(\d+) (.*)$/u.exec(member) ?? [];
      const id = Number(index);
      const ours = kind === "attribute" ? found && attributeById(found, id) : found && methodById(found, id);
      return { key: `${classId}/${version} ${kind} ${index}`, wanted, name: ours?.name };
    });
  });
}

function readLines(path: string): string[] {
  return readFileSync(path, "utf8").trimEnd().split("\n");
}

/** Attribute 3 came with version 1: version 0 holds quality and network parameters in one structure. */
const SINCE_LATER = new Set(["151/0 attribute 3"]);

test.each(["attribute", "method"] as const)(
  "reference: every class and version has each %s under its number",
  (kind) => {
    const found = members(kind);
    expect(found.length).toBeGreaterThan(150);
    const missing = found.filter(({ name }) => name === undefined).map(({ key }) => key);
    expect(missing.filter((key) => !SINCE_LATER.has(key))).toEqual([]);
  },
);

/** What the reference abbreviates and our tables spell out. */
const SPELLED_OUT: readonly (readonly [RegExp, string])[] = [
  [/ \(.*\)$/u, ""],
  [/^(LTE|CoAP)_/u, ""],
  [/^BT_/u, "block_transfer_"],
  [/addr(?=_|$)/u, "address"],
  [/^pass_/u, "password_"],
  [/^avail_/u, "available_"],
  [/^MSS$/u, "maximum_segment_size"],
  [/^nb_of_sim_conn$/u, "number_of_simultaneous_connections"],
  [/^DL_/u, "data_link_"],
  [/_mc_/u, "_multicast_"],
  [/nbof/u, "number_of"],
  [/^cs_/u, "circuit_switched_"],
  [/^ps_/u, "packet_switched_"],
  [/^no_of_KCT_supported$/u, "number_of_key_change_tokens"],
  [/_no$/u, "_number"],
  [/^token_carrier_type$/u, "token_carrier_types"],
];

test.each(["attribute", "method"] as const)("reference: each %s has the name of the reference", (kind) => {
  const differing = members(kind).filter(({ name, wanted }) => {
    const spelled = SPELLED_OUT.reduce((text, [short, long]) => text.replace(short, long), wanted);
    return name !== undefined && letters(name) !== letters(spelled) && letters(name) !== letters(wanted);
  });
  expect(differing).toEqual([]);
});

test("reference: at least 100 classes and versions have typed attributes", () => {
  const typed = INTERFACE_CLASSES.filter((each) => Object.keys(each.attributes).length > 1);
  expect(typed.length).toBeGreaterThanOrEqual(100);
});

test.skipIf(!HAS_REFERENCE)("reference: every object of the lists has a name", () => {
  const nameless = ["obis.csv", "obis-is15959.csv", "companion-eu.csv"].flatMap((file) =>
    referenceRows(file).filter((row) => {
      const classId = row["class_id"] === "" ? undefined : Number(row["class_id"]);
      return obisMeaning(row["dotted"] ?? row["obis"] ?? "", classId) === undefined;
    }),
  );
  expect(nameless.map((row) => row["dotted"] ?? row["obis"])).toEqual([]);
});

test("reference: every unit has its symbol and UCUM code", () => {
  const units = readLines(UNITS).map((line) => {
    const [, number, symbol = ""] = /^(\d+) ?(.*)$/u.exec(line) ?? [];
    return { number, symbol, unit: unitOf(Number(number)) };
  });
  const differing = units.filter(({ symbol, unit }) => unit === undefined || letters(unit.symbol) !== letters(symbol));
  // The enumeration reserves these.
  expect(differing.map(({ number }) => number)).toEqual(["58", "59", "68", "69", "253"]);
  expect(units.filter(({ unit }) => unit?.ucum === undefined).length).toBe(5);
});
