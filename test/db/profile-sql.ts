/** How tables and views of profiles are made of the list of columns. */
import type { ProfileKind } from "../../src/profiles/batch.ts";
import { PROFILE_COLUMNS, type ProfileColumn } from "../../src/profiles/columns.ts";
import { storedType } from "../../src/store/profiles/profile-tables.ts";

const TITLES: Readonly<Record<ProfileKind, string>> = {
  instant: "Snapshots of what a meter measures, at the moment of capture.",
  block_load: "Load by interval; captured_at is the end of the interval.",
  daily_load: "Registers at midnight, as the meter captured them.",
  billing: "Registers and maximum demands at the end of billing periods.",
};

export function profileSql(profile: ProfileKind): string {
  const lines = PROFILE_COLUMNS[profile].map((column) =>
    [column.name, storedType(column), column.shownAs, factorOf(column), shownComment(column)].join(" | "),
  );
  const names = `'${profile}', '${profileView(profile)}', '${TITLES[profile]}'`;
  return `select dlms.make_profile(${names}, $$\n${lines.join("\n")}\n$$);`;
}

/** What a stored integer is multiplied by, so as to be in plain units; nothing for what is shown as it is. */
function factorOf({ kind, exponent }: ProfileColumn): string {
  if (kind !== "number" || exponent === 0) return "";
  return exponent < 0 ? `0.${"0".repeat(-exponent - 1)}1` : `1${"0".repeat(exponent)}`;
}

/** Name of the view. */
export function profileView(profile: ProfileKind): string {
  return profile === "daily_load" ? "daily_load_captures" : `${profile}_profile`;
}

/** What people read about a column of the view. */
export function shownComment(column: ProfileColumn): string {
  return column.unit === "" ? `${column.description}.` : `${column.description}, in ${column.unit}.`;
}
