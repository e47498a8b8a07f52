import type { OtherValue } from "../../profiles/batch.ts";

/** Text that PostgreSQL can hold: it refuses NUL, so such text becomes its octets in hex, as other octets are shown. */
export function storableText(text: string): string {
  return text.includes("\0") ? `0x${Buffer.from(text, "utf8").toString("hex")}` : text.toWellFormed();
}

/** The same for text within a value that is kept as JSON. */
export function storableValue(value: OtherValue): OtherValue {
  if (typeof value === "boolean") return value;
  return typeof value === "string" ? storableText(value) : value.map(storableValue);
}
