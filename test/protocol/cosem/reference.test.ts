/* Compares the tables with the reference; skipped with its reason where ../shared/reference is absent. */
import { expect, test } from "vitest";
import { INTERFACE_CLASSES, interfaceClassOf } from "../../../protocol/cosem/classes/registry.ts";
import { attributeById, methodById } from "../../../protocol/cosem/interface-class.ts";
import { obisMeaning } from "../../../protocol/cosem/obis-dictionary.ts";
import { unitOf } from "../../../protocol/cosem/units.ts";
import { HAS_REFERENCE, referenceRows } from "./reference.ts";

function letters(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/gu, "");
}

interface Member {
  readonly key: string;
  readonly wanted: string;
  /** The name that our tables have; undefined where they have no such member. */
  readonly name: string | undefined;
}

/** `v2+` in the notes: a member that came with version 2; `(v0 only)` in the name: one that went with version 1. */
function belongsTo(version: number, name: string, notes: string): boolean {
  if (/\(v0 only\)/u.test(name)) return version === 0;
  return version >= Number(/^v(\d)/u.exec(notes)?.[1] ?? 0);
}

function members(kind: "attribute" | "method"): Member[] {
  return referenceRows("classes.csv")
    .filter((row) => row["kind"] === kind)
    .flatMap(({ class_id: classId, versions = "", name = "", notes = "", index }) =>
      versions
        .split(",")
        .map(Number)
        .filter((version) => belongsTo(version, name, notes))
        .map((version): Member => {
          const found = interfaceClassOf(Number(classId), version);
          const id = Number(index);
          const member = kind === "attribute" ? found && attributeById(found, id) : found && methodById(found, id);
          return { key: `${classId}/${version} ${kind} ${index}`, wanted: name, name: member?.name };
        }),
    );
}

/** Attribute 3 came with version 1: version 0 holds quality and network parameters in one structure. */
const SINCE_LATER = new Set(["151/0 attribute 3"]);

test.skipIf(!HAS_REFERENCE).each(["attribute", "method"] as const)(
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

test.skipIf(!HAS_REFERENCE).each(["attribute", "method"] as const)(
  "reference: each %s has the name of the reference",
  (kind) => {
    const differing = members(kind).filter(({ name, wanted }) => {
      const spelled = SPELLED_OUT.reduce((text, [short, long]) => text.replace(short, long), wanted);
      return name !== undefined && letters(name) !== letters(spelled) && letters(name) !== letters(wanted);
    });
    expect(differing).toEqual([]);
  },
);

test.skipIf(!HAS_REFERENCE)("reference: at least 100 classes and versions have typed attributes", () => {
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

test.skipIf(!HAS_REFERENCE)("reference: every unit has its symbol and UCUM code", () => {
  const differing = referenceRows("units.csv")
    .filter((row) => /^\d+$/u.test(row["enum"] ?? ""))
    .map((row) => ({ row, unit: unitOf(Number(row["enum"])) }))
    .filter(({ row, unit }) => unit === undefined || letters(unit.symbol) !== letters(row["symbol"] ?? ""));
  // The enumeration reserves these.
  expect(differing.map(({ row }) => row["enum"])).toEqual(["58", "59", "68", "69", "253"]);
  const ucum = referenceRows("units.csv").filter((row) => /^\d+$/u.test(row["enum"] ?? ""));
  expect(ucum.filter((row) => unitOf(Number(row["enum"]))?.ucum === undefined).length).toBe(5);
});
