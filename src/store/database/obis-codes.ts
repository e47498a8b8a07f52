/** Fills dlms.obis_codes, so that whoever queries the database can look up what a logical name means. */
import { obisMeaning } from "../../../protocol/cosem/obis-dictionary.ts";
import { OBIS_NAMES } from "../../../protocol/cosem/obis-names.ts";
import type { Database } from "./database.ts";

export interface ObisEntry {
  /** Dotted logical name. */
  readonly code: string;
  readonly description: string;
  readonly unit: string | undefined;
}

/** Units by value group C of the sum of phases; 20, 40 and 60 more are phases 1 to 3. */
const POWER_UNITS: Readonly<Record<number, string>> = {
  1: "W",
  2: "W",
  3: "var",
  4: "var",
  5: "var",
  6: "var",
  7: "var",
  8: "var",
  9: "VA",
  10: "VA",
  15: "W",
  16: "W",
};
const NETWORK_UNITS: Readonly<Record<number, string>> = { 11: "A", 12: "V", 14: "Hz" };
const PHASE_STEP = 20;
const LAST_PHASE_CODE = 4 * PHASE_STEP;
const NEUTRAL_CURRENT = 91;
/** Values of D that are energies, and those that are powers or other quantities. */
const ENERGIES = [8, 9, 29];
const QUANTITIES = [2, 4, 5, 6, 7, 24, 25, 27];
const TARIFFS = 8;

/** The codes with names: listed objects, and the measured quantities of electricity on channel 0. */
function obisEntries(): ObisEntry[] {
  const entries = new Map<string, ObisEntry>();
  for (const [code, , description] of OBIS_NAMES) {
    if (!entries.has(code)) entries.set(code, { code, description, unit: undefined });
  }
  for (const entry of measuredEntries()) entries.set(entry.code, entry);
  return [...entries.values()];
}

function measuredEntries(): ObisEntry[] {
  const codes = [...upTo(LAST_PHASE_CODE).slice(1), NEUTRAL_CURRENT].flatMap((c) =>
    [...QUANTITIES, ...ENERGIES].flatMap((d) =>
      upTo(TARIFFS).map((e) => ({ code: `1.0.${c}.${d}.${e}.255`, unit: unitOf(c, d) })),
    ),
  );
  return codes.flatMap(({ code, unit }) => {
    const description = obisMeaning(code)?.name;
    return description === undefined ? [] : [{ code, description, unit }];
  });
}

function upTo(last: number): number[] {
  return Array.from({ length: last + 1 }, (_, index) => index);
}

function unitOf(c: number, d: number): string | undefined {
  if (c === NEUTRAL_CURRENT) return "A";
  const quantity = ((c - 1) % PHASE_STEP) + 1;
  const power = POWER_UNITS[quantity];
  if (power !== undefined) return ENERGIES.includes(d) ? `${power}h` : power;
  return ENERGIES.includes(d) ? undefined : NETWORK_UNITS[quantity];
}

/** Writes the entries; those that changed since are corrected. Returns how many did. */
export async function keepObisCodes(
  database: Database,
  entries: readonly ObisEntry[] = obisEntries(),
): Promise<number> {
  const rows = await database.query(
    `insert into dlms.obis_codes as o (code, description, unit)
     select * from unnest($1::text[], $2::text[], $3::text[])
     on conflict (code) do update set description = excluded.description, unit = excluded.unit
     where (o.description, o.unit) is distinct from (excluded.description, excluded.unit)
     returning true`,
    [
      entries.map((entry) => entry.code),
      entries.map((entry) => entry.description),
      entries.map((entry) => entry.unit ?? null),
    ],
  );
  return rows.length;
}
