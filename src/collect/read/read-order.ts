import { dottedObis, parseObis } from "../../../protocol/cosem/obis.ts";
import type { ProfileKind } from "../../profiles/batch.ts";

/** What someone wants to read from a meter. */
export type ReadOrder =
  | { readonly type: "profile"; readonly profile: ProfileKind }
  | { readonly type: "clock" }
  | { readonly type: "objects" }
  | {
      readonly type: "attribute";
      /** Looked up in the meter's object list when it was not said. */
      readonly classId: number | undefined;
      readonly logicalName: string;
      readonly attributeId: number;
    };

/** The words for `what`, and what each means: profiles by their names, the loads by their first words too. */
const READ_WORDS = new Map<string, ReadOrder>([
  ["instant", { type: "profile", profile: "instant" }],
  ["block", { type: "profile", profile: "block_load" }],
  ["block_load", { type: "profile", profile: "block_load" }],
  ["daily", { type: "profile", profile: "daily_load" }],
  ["daily_load", { type: "profile", profile: "daily_load" }],
  ["billing", { type: "profile", profile: "billing" }],
  ["clock", { type: "clock" }],
  ["objects", { type: "objects" }],
]);

/** `3:1.0.1.8.0.255:2`, `1-0:1.8.0*255:2`, `1.0.1.8.0.255`: class and attribute (2) may be left out. */
const ATTRIBUTE = /^(?:(?<classId>\d{1,5}):)?(?<logicalName>(?:\d+-\d+:)?[\d.*]+)(?::(?<attributeId>-?\d{1,3}))?$/;
const VALUE_ATTRIBUTE = 2;

/** Understands `what`; throws an Error that lists what can be said. */
export function parseReadOrder(what: string): ReadOrder {
  const word = READ_WORDS.get(what.toLowerCase());
  if (word !== undefined) return word;
  const { classId, logicalName, attributeId } = ATTRIBUTE.exec(what)?.groups ?? {};
  if (logicalName === undefined) throw notUnderstood(what);
  try {
    return {
      type: "attribute",
      classId: classId === undefined ? undefined : Number(classId),
      logicalName: dottedObis(parseObis(logicalName)),
      attributeId: attributeId === undefined ? VALUE_ATTRIBUTE : Number(attributeId),
    };
  } catch (cause) {
    throw notUnderstood(what, cause);
  }
}

function notUnderstood(what: string, cause?: unknown): Error {
  const words = [...READ_WORDS.keys()].join(", ");
  const message = `"${what}" is neither ${words} nor an attribute like 1.0.1.8.0.255, 1-0:1.8.0*255:2 or 3:1.0.1.8.0.255:2`;
  return new Error(message, { cause });
}
