/** What each column of the profile tables holds, and the object that most meters keep it in: for the catalogue of series. */

import { PROFILE_KINDS } from "../store/profiles/profile-tables.ts";
import type { ProfileKind } from "./batch.ts";
import { generalObject } from "./column-rules.ts";
import { PROFILE_COLUMNS, type ProfileColumn } from "./columns.ts";

export interface Quantity {
  readonly profile: ProfileKind;
  readonly column: ProfileColumn;
  /** Dotted logical name and attribute; undefined where companion specifications differ. */
  readonly object: { readonly logicalName: string; readonly attributeId: number } | undefined;
}

/** All columns of all profiles. */
export function profileQuantities(): Quantity[] {
  return PROFILE_KINDS.flatMap((profile) =>
    PROFILE_COLUMNS[profile].map((column) => ({ profile, column, object: generalObject(profile, column.name) })),
  );
}
