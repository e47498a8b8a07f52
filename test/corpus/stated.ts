/** What sources state in their own words, found in what was decoded: the names differ, the facts are the same. */
import { fromHex } from "../../protocol/bytes/hex.ts";
import { type Facts, isFacts } from "./case.ts";

/** Stated name → names that the decoded form has for it, in the order in which they are looked for. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  apduSize: ["clientMaxReceivePduSize", "serverMaxReceivePduSize"],
  authentication: ["mechanism"],
  frameCounter: ["invocationCounter"],
  callingApTitle: ["callingApTitle"],
  invokeIdAndPriority: ["raw"],
  longInvokeIdAndPriorityValue: ["invokeId"],
};

/** Names that can be looked up as they are, wherever they stand in the decoded form. */
const PLAIN: ReadonlySet<string> = new Set([
  "attribute",
  "blockNumber",
  "classId",
  "clientMaxReceivePduSize",
  "dedicatedKey",
  "error",
  "invokeId",
  "invocationCounter",
  "lastBlock",
  "method",
  "negotiatedDlmsVersion",
  "negotiatedQualityOfService",
  "obis",
  "proposedDlmsVersion",
  "reason",
  "responseAllowed",
  "result",
  "selector",
  "serverMaxReceivePduSize",
  "systemTitle",
]);

/** Names that sources give null where nothing of the kind is there. */
const ABSENT: ReadonlySet<string> = new Set([
  "accessSelection",
  "authentication",
  "dateTime",
  "dedicatedKey",
  "parameters",
  "reason",
  "returnParameters",
  "selectedValues",
  "timestamp",
  "userInformation",
]);
/** What the decoded form calls them. */
const CALLED: Readonly<Record<string, string>> = { accessSelection: "access", authentication: "mechanism" };

const HEX = /^(?:[0-9a-f]{2})+$/i;

/** 2.16.756.5.8.1.n */
const CONTEXT_NUMBERS = ["LN", "SN", "LN-ciphered", "SN-ciphered"];

const DERIVED: Readonly<Record<string, (decoded: Facts, expected: unknown) => unknown>> = {
  applicationContext: (decoded, expected) =>
    String(expected).startsWith("2 16 ") ? `2 16 756 5 8 1 ${contextNumber(decoded)}` : decoded["applicationContext"],
  appCtxt: (decoded) => contextNumber(decoded),
  charstring: (decoded) => passwordOf(decoded),
  password: (decoded) => passwordOf(decoded),
  confirmed: (decoded) => is(decoded, "serviceClass", "confirmed"),
  highPriority: (decoded) => is(decoded, "priority", "high"),
  diagnostic: (decoded, expected) => find(decoded["diagnostic"], typeof expected === "number" ? "value" : "name"),
  count: (decoded) => (Array.isArray(decoded["list"]) ? decoded["list"].length : undefined),
  rawLength: (decoded) => (typeof decoded["rawData"] === "string" ? decoded["rawData"].length / 2 : undefined),
  userInformation: (decoded, expected) =>
    HEX.test(String(expected)) ? decoded["userInformationHex"] : find(decoded["userInformation"], "apdu"),
};

function contextNumber(decoded: Facts): number {
  return CONTEXT_NUMBERS.indexOf(String(decoded["applicationContext"])) + 1;
}

function passwordOf(decoded: Facts): string | undefined {
  const { hex } = isFacts(decoded["authenticationValue"]) ? decoded["authenticationValue"] : {};
  return typeof hex === "string" ? new TextDecoder().decode(fromHex(hex)) : undefined;
}

/** The stated facts that the decoded form has a value of the same kind for; others are left uncompared. */
export function statedFacts(stated: Facts, decoded: Facts): Facts {
  const found = Object.entries(stated).flatMap(([name, expected]) => {
    if (expected === null && ABSENT.has(name)) return [[name, isThere(decoded, name) ? "something" : null] as const];
    const actual = lookUp(name, decoded, expected);
    return actual !== undefined && sameKind(expected, actual) ? [[name, actual] as const] : [];
  });
  return Object.fromEntries(found);
}

function lookUp(name: string, decoded: Facts, expected: unknown): unknown {
  const derive = DERIVED[name];
  if (derive !== undefined) return derive(decoded, expected);
  const names = ALIASES[name] ?? (PLAIN.has(name) ? [name] : []);
  return names.map((each) => find(decoded, each)).find((value) => value !== undefined);
}

function isThere(decoded: unknown, name: string): boolean {
  if (!isFacts(decoded)) return false;
  const found = decoded[CALLED[name] ?? name] ?? undefined;
  return (found !== undefined && found !== "none") || Object.values(decoded).some((each) => isThere(each, name));
}

/** The first simple value of that name, nearest to the top. */
function find(decoded: unknown, name: string): unknown {
  let level: unknown[] = [decoded];
  while (level.length > 0) {
    for (const each of level) {
      if (isFacts(each) && name in each && !isFacts(each[name])) return each[name];
    }
    level = level.flatMap((each) => (isFacts(each) ? Object.values(each) : []));
  }
  return undefined;
}

function is(decoded: Facts, name: string, value: string): boolean | undefined {
  const found = find(decoded, name);
  return found === undefined ? undefined : found === value;
}

function sameKind(expected: unknown, actual: unknown): boolean {
  return typeof expected === typeof actual && Array.isArray(expected) === Array.isArray(actual);
}
