/** A meter as fields of text, by the names that a meter of the configuration has: `connection.tcp` = `10.0.0.9:4059`. */
import { meterSchema } from "../../config/schema.ts";

interface Section {
  [name: string]: unknown;
}

/** What a meter of the configuration would be; numbers, lists and the like are made where the schema wants them. */
export function meterOfFields(fields: Iterable<readonly [string, string]>): Section {
  const meter: Section = {};
  for (const [path, text] of fields) if (text !== "") put(meter, path.split("."), text);
  for (const { code, path } of meterSchema.safeParse(meter).error?.issues ?? []) {
    if (code === "invalid_type" || code === "invalid_union" || code === "invalid_value")
      convert(meter, path.map(String));
  }
  return meter;
}

function put(section: Section, [name = "", ...rest]: readonly string[], text: string): void {
  if (rest.length === 0) {
    section[name] = text;
    return;
  }
  const known = section[name];
  const inner: Section = isSection(known) ? known : {};
  put(inner, rest, text);
  section[name] = inner;
}

/** What stands there as text becomes what its text says; it stays text where it says nothing else. */
function convert(section: Section, [name = "", ...rest]: readonly string[]): void {
  const value = section[name];
  if (typeof value === "string") section[name] = valueOf(value);
  else if (isSection(value) && rest.length > 0) convert(value, rest);
}

function valueOf(text: string): unknown {
  if (/^(yes|true)$/i.test(text)) return true;
  if (/^(no|false)$/i.test(text)) return false;
  if (/^-?\d+$/.test(text)) return Number(text);
  return text.split(/[ ,;]+/);
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null;
}
