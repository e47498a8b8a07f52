/** What cases of pushes say of their bodies, read without the code under test: leaves, names, times, stated values. */
import { type CorpusCase, type Facts, isFacts } from "../../corpus/case.ts";

/** A value in the form of the cases. */
export interface Typed {
  readonly t: string;
  readonly v?: unknown;
}

export interface CaseBody {
  readonly body: Typed;
  /** The header's date-time in hex. */
  readonly headerTime: string | undefined;
}

/** The body of the first notification that a case derives, or undefined when it derives none. */
export function bodyOf({ derived, layer }: CorpusCase): CaseBody | undefined {
  if (layer === "axdr") return isTyped(derived["data"]) ? { body: derived["data"], headerTime: undefined } : undefined;
  if (isTyped(derived["value"])) return { body: derived["value"], headerTime: hexOf(derived["dateTime"]) };
  const units = [derived, ...(Array.isArray(derived["apdus"]) ? derived["apdus"] : [])];
  for (const unit of units) {
    const apdu: unknown = isFacts(unit) ? unit["apdu"] : undefined;
    if (isFacts(apdu) && isTyped(apdu["body"])) return { body: apdu["body"], headerTime: hexOf(apdu["dateTime"]) };
  }
  return undefined;
}

function isTyped(value: unknown): value is Typed {
  return isFacts(value) && typeof value["t"] === "string";
}

function hexOf(dateTime: unknown): string | undefined {
  return isFacts(dateTime) && typeof dateTime["hex"] === "string" ? dateTime["hex"] : undefined;
}

/** All values that are no arrays or structures, in order; null-data, scaler-units and lists of objects left out. */
export function leavesOf(value: Typed): Typed[] {
  if (value.t !== "array" && value.t !== "structure") return value.t === "null-data" ? [] : [value];
  const elements = elementsOf(value);
  if (isScalerUnit(value) || (value.t === "array" && elements.length > 0 && elements.every(isCaptureObject))) return [];
  return elements.flatMap(leavesOf);
}

function elementsOf(value: Typed): Typed[] {
  return Array.isArray(value.v) ? value.v.filter(isTyped) : [];
}

function isScalerUnit(value: Typed): boolean {
  return value.t === "structure" && typesOf(value) === "integer enum";
}

function isCaptureObject(value: Typed): boolean {
  return value.t === "structure" && typesOf(value).startsWith("long-unsigned octet-string integer long-unsigned");
}

function typesOf(value: Typed): string {
  return elementsOf(value)
    .map((each) => each.t)
    .join(" ");
}

const STRINGS = new Set(["visible-string", "utf8-string"]);

/** A dotted logical name where the leaf has six octets. */
export function nameIn({ t, v }: Typed): string | undefined {
  if (t !== "octet-string" || typeof v !== "string" || v.length !== 12) return undefined;
  return [...Buffer.from(v, "hex")].join(".");
}

/** Printable text with a digit: what may be the number of a meter. */
export function numbersIn(each: CorpusCase): string[] {
  const body = bodyOf(each)?.body;
  const texts = body === undefined ? [...statedValues(each).values()].map(String) : leavesOf(body).map(textOf);
  return texts.flatMap((text = "") => {
    return /^[\x20-\x7e]{6,}$/.test(text) && /\d/.test(text) && !/^[A-Za-z]+_/.test(text) ? [text.trim()] : [];
  });
}

function textOf({ t, v }: Typed): string | undefined {
  if (typeof v !== "string") return undefined;
  if (STRINGS.has(t)) return v;
  return t === "octet-string" ? Buffer.from(v, "hex").toString("latin1") : undefined;
}

/** A stored or expected value without regard to scalers: digits of numbers, text, octets. */
export function essence(value: unknown): string {
  const text = String(value);
  if (!/^-?\d+(\.\d+)?$/.test(text)) return text.trim();
  const digits = text.replace(/^-?0*/, "").replace(".", "").replace(/^0+/, "").replace(/0+$/, "");
  return `${text.startsWith("-") ? "-" : ""}${digits === "" ? "0" : digits}`;
}

export function essenceOfLeaf(leaf: Typed): string {
  const text = textOf(leaf);
  if (text === undefined) return essence(leaf.v);
  const trimmed = text.replace(/\0+$/, "").trimEnd();
  return /^[\x20-\x7e]*$/.test(trimmed) ? essence(trimmed) : `0x${String(leaf.v)}`;
}

/** The leaves of a stored value, which may be JSON of nested ones. */
export function storedLeaves(text: string): string[] {
  return text.startsWith("[") ? flatten(JSON.parse(text)) : [essence(text)];
}

function flatten(value: unknown): string[] {
  return Array.isArray(value) ? value.flatMap(flatten) : [essence(value)];
}

/** Two lists as multisets: what each has that the other lacks. */
export function difference(a: readonly string[], b: readonly string[]): { onlyA: string[]; onlyB: string[] } {
  const left = [...b];
  const onlyA = a.filter((each) => {
    const at = left.indexOf(each);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return { onlyA, onlyB: left };
}

/** The moment of the stamp in the body, else in the header; undefined when there is none that can be believed. */
export function instantOf({ body, headerTime }: CaseBody): Date | undefined {
  const stamp = leavesOf(body).find(isStamp);
  const hex = stamp === undefined ? headerTime : String(stamp.v);
  if (hex === undefined) return undefined;
  const octets = Buffer.from(hex, "hex");
  const [month = 0, day = 0, , hour = 0, minute = 0, second = 0] = octets.subarray(2);
  const deviation = octets.readInt16BE(9);
  const status = octets[11] ?? 0xff;
  if (status !== 0xff && (status & 1) !== 0) return undefined;
  const wall = Date.UTC(octets.readUInt16BE(0), month - 1, day, hour, minute, second === 0xff ? 0 : second);
  return new Date(wall + (deviation === -0x8000 ? 0 : deviation) * 60_000);
}

function isStamp({ t, v }: Typed): boolean {
  return t === "octet-string" && typeof v === "string" && /^07[0-9a-f]{22}$/.test(v);
}

/** Values that the source of a case states, by value groups C.D.E, or by the whole logical name. */
export function statedValues({ stated }: CorpusCase): Map<string, string | number> {
  const values = new Map<string, string | number>();
  const obis = isFacts(stated["obis"]) ? stated["obis"] : stated;
  for (const [name, value] of Object.entries(obis)) {
    const known = /^\d+(\.\d+){5}$/.test(name) && (typeof value === "number" || typeof value === "string");
    if (known && value !== "" && name !== "0.0.0.0.0.0" && !/^\d{4}-\d\d-\d\d /.test(String(value)))
      values.set(name, value);
  }
  const decoded = wholeFacts(isFacts(stated["decoded"]) ? stated["decoded"] : stated);
  for (const [name, value] of Object.entries(decoded)) {
    const at = DECODED[name];
    if (at !== undefined && (typeof value === "number" || /^[\w ]+$/.test(String(value)))) {
      values.set(at, value as string | number);
    }
  }
  for (const reading of Array.isArray(stated["readings"]) ? stated["readings"] : []) {
    const [, name, value] = /^\d-\d:([\d.]+)\(([\d.]+)\*/.exec(String(reading)) ?? [];
    if (name !== undefined) values.set(name, Number(Number(value).toFixed(6)));
  }
  return values;
}

const DECODED: Readonly<Record<string, string>> = {
  active_power_import: "1.7.0",
  active_power_export: "2.7.0",
  reactive_power_import: "3.7.0",
  reactive_power_export: "4.7.0",
  active_power_import_total: "1.8.0",
  active_power_export_total: "2.8.0",
  reactive_power_import_total: "3.8.0",
  reactive_power_export_total: "4.8.0",
  current_l1: "31.7.0",
  current_l2: "51.7.0",
  current_l3: "71.7.0",
  voltage_l1: "32.7.0",
  voltage_l2: "52.7.0",
  voltage_l3: "72.7.0",
  meter_id: "any",
  equipmentIdentifier: "any",
  activePowerImport_W: "1.7.0",
};

/** Facts that were cut out of a program's text beyond their end may be those of the next case. */
function wholeFacts(facts: Facts): Facts {
  return Object.values(facts).some((value) => String(value).includes("assert")) ? {} : facts;
}

/** UCUM codes of the units that field pushes carry. */
const UNITS: Readonly<Record<number, string | null>> = {
  27: "W",
  28: "V.A",
  29: "V.A{reactive}",
  30: "W.h",
  31: "V.A.h",
  32: "V.A.h{reactive}",
  33: "A",
  35: "V",
  255: null,
};

export interface DerivedRegister {
  readonly value: string;
  readonly unit: string | null | undefined;
}

/** Registers that a case derives with scaler and unit, by logical name; values as exact decimals. */
export function derivedRegisters({ derived }: CorpusCase): Map<string, DerivedRegister> {
  const registers = new Map<string, DerivedRegister>();
  const units = [derived, ...(Array.isArray(derived["apdus"]) ? derived["apdus"] : [])];
  for (const unit of units) {
    const obis = isFacts(unit) && isFacts(unit["obis"]) ? unit["obis"] : {};
    for (const [name, facts] of Object.entries(obis)) {
      if (!isFacts(facts) || typeof facts["raw"] !== "number" || typeof facts["scaler"] !== "number") continue;
      const value = Number(`${facts["raw"]}e${facts["scaler"]}`);
      registers.set(name, { value: String(value), unit: UNITS[Number(facts["unit"])] });
    }
  }
  return registers;
}
