/** What was read, as a table of text for people and machines: exact decimals, times in the meter's zone. */
import type { Data } from "../../../protocol/axdr/data.ts";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { type CaptureObject, captureObjectKey } from "../../../protocol/cosem/capture-object.ts";
import { nearestInterfaceClass } from "../../../protocol/cosem/classes/registry.ts";
import { decodeDateTime, formatDateTime } from "../../../protocol/cosem/date-time.ts";
import { decimalText } from "../../../protocol/cosem/decimal.ts";
import { attributeById } from "../../../protocol/cosem/interface-class.ts";
import { obisMeaning } from "../../../protocol/cosem/obis-dictionary.ts";
import type { ScalerUnit } from "../../../protocol/cosem/scaler-unit.ts";
import { unitOf } from "../../../protocol/cosem/units.ts";
import type { DecodedColumn, TimeColumn } from "../../../protocol/profile/column.ts";
import type { DecodedProfile } from "../../../protocol/profile/decode.ts";
import type { ReadAnswer, ReadColumn } from "../../api/read-answer.ts";

const DATE_TIME_LENGTH = 12;
const VALUE_ATTRIBUTE = 2;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;

export function profileAnswer(
  head: Pick<ReadAnswer, "meter" | "what" | "readAt">,
  decoded: DecodedProfile,
): ReadAnswer {
  return {
    ...head,
    columns: decoded.columns.map(columnHead),
    rows: Array.from({ length: decoded.rowCount }, (_, row) => decoded.columns.map((column) => cellText(column, row))),
  };
}

/** One value, with scaler and unit where it has them. */
export function valueAnswer(
  head: Pick<ReadAnswer, "meter" | "what" | "readAt">,
  object: CaptureObject,
  data: Data,
  scalerUnit?: ScalerUnit,
): ReadAnswer {
  const numeric = "value" in data && (typeof data.value === "number" || typeof data.value === "bigint");
  const column = { name: captureObjectKey(object), meaning: meaningOf(object), unit: unitSymbol(scalerUnit), numeric };
  return { ...head, columns: [column], rows: [[dataText(data, scalerUnit)]] };
}

/** What a capture object is, in words. */
function meaningOf({ classId, logicalName, attributeId }: CaptureObject): string | null {
  const meaning = obisMeaning(logicalName, classId)?.name;
  if (meaning === undefined) return null;
  const attribute = nearestInterfaceClass(classId, 0);
  const name = attribute && attributeById(attribute, attributeId)?.name;
  return attributeId === VALUE_ATTRIBUTE || name === undefined ? meaning : `${meaning}: ${name}`;
}

function columnHead(column: DecodedColumn): ReadColumn {
  const head = { name: captureObjectKey(column.captureObject), meaning: meaningOf(column.captureObject) };
  if (column.kind === "time") return { ...head, unit: null, numeric: false };
  return { ...head, unit: unitSymbol(column.scalerUnit), numeric: column.kind === "number" };
}

function unitSymbol(scalerUnit: ScalerUnit | undefined): string | null {
  const symbol = scalerUnit === undefined ? undefined : unitOf(scalerUnit.unit)?.symbol;
  return symbol === undefined || symbol === "" ? null : symbol;
}

function cellText(column: DecodedColumn, row: number): string | null {
  if (column.kind === "data") {
    const data = column.values[row];
    return data === undefined ? null : dataText(data, column.scalerUnit);
  }
  const exception = column.exceptions.get(row);
  if (exception !== undefined) return dataText(exception);
  if (column.kind === "time") return timeText(column, row);
  return column.present[row] === 1 ? decimalText(column.mantissas[row] ?? 0, column.scalerUnit?.scaler ?? 0) : null;
}

/** The meter's own stamp where it sent one; a reckoned stamp as the instant that was reckoned. */
function timeText(column: TimeColumn, row: number): string | null {
  if (column.sent[row] === 1) {
    const start = row * DATE_TIME_LENGTH;
    return formatDateTime(decodeDateTime(column.stamps.subarray(start, start + DATE_TIME_LENGTH)));
  }
  const instantMs = column.instantsMs[row] ?? Number.NaN;
  return Number.isNaN(instantMs) ? null : new Date(instantMs).toISOString();
}

/** A value as text: exact decimals, printable octets as text, others as hexadecimal, structures in braces. */
export function dataText(data: Data, scalerUnit?: ScalerUnit): string | null {
  switch (data.type) {
    case "null-data":
    case "dont-care":
      return null;
    case "array":
    case "structure":
      return `{${data.value.map((each) => dataText(each) ?? "null").join(", ")}}`;
    case "compact-array":
      return `0x${toHex(data.contents)}`;
    case "bit-string":
      return Array.from(data.value, (octet) => octet.toString(2).padStart(8, "0"))
        .join("")
        .slice(0, data.bitCount);
    case "date-time":
      return formatDateTime(decodeDateTime(data.value));
    case "visible-string":
    case "utf8-string":
      return new TextDecoder().decode(data.value);
    case "octet-string":
      return octetsText(data.value);
    case "date":
    case "time":
      return `0x${toHex(data.value)}`;
    case "boolean":
    case "float32":
    case "float64":
      return String(data.value);
    default:
      return decimalText(data.value, scalerUnit?.scaler ?? 0);
  }
}

function octetsText(octets: Uint8Array): string {
  const printable = octets.every((octet) => octet >= FIRST_PRINTABLE && octet <= LAST_PRINTABLE);
  return octets.length > 0 && printable ? new TextDecoder().decode(octets) : `0x${toHex(octets)}`;
}
