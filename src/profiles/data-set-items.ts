/** Data sets of a P1 telegram or a readout as the elements of a push: each under its logical name, with scaler and unit. */
import type { Data } from "../../protocol/axdr/data.ts";
import type { CaptureObject } from "../../protocol/cosem/capture-object.ts";
import { CLOCK_STATUS, encodeDateTime } from "../../protocol/cosem/date-time.ts";
import { obisMeaning } from "../../protocol/cosem/obis-dictionary.ts";
import type { ScalerUnit } from "../../protocol/cosem/scaler-unit.ts";
import { UNITLESS } from "../../protocol/cosem/units.ts";
import { type DataSet, type DataSets, parseDecimal } from "../../protocol/link/iec62056-21/data-sets.ts";
import { type P1Time, parseP1Time } from "../../protocol/link/iec62056-21/p1.ts";
import { parseReadoutTime } from "../../protocol/link/iec62056-21/readout-time.ts";
import type { PushItem } from "./push-body.ts";
import { CLOCK } from "./push-families.ts";

/** Units as telegrams spell them, in small letters: code and power of ten. */
const UNITS: Readonly<Record<string, readonly [unit: number, exponent: number]>> = {
  wh: [30, 0],
  kwh: [30, 3],
  mwh: [30, 6],
  varh: [32, 0],
  kvarh: [32, 3],
  vah: [31, 0],
  kvah: [31, 3],
  w: [27, 0],
  kw: [27, 3],
  var: [29, 0],
  kvar: [29, 3],
  va: [28, 0],
  kva: [28, 3],
  v: [35, 0],
  a: [33, 0],
  hz: [44, 0],
  s: [7, 0],
  m3: [13, 0],
  gj: [25, 9],
  mj: [25, 6],
};

const DATA_CLASS = 1;
const REGISTER = 3;
const EXTENDED_REGISTER = 4;
const VALUE = 2;
const CAPTURE_TIME = 5;
/** A-B:C.D.E*F; readouts leave out what goes without saying, and mark values that were reset by hand with `&`. */
const ADDRESS = /^(?:(\d{1,3})-(\d{1,3}):)?(\d{1,3}|[CFLP])\.(\d{1,3}|F)(?:\.(\d{1,3}))?(?:[*&](\d{1,3}))?$/;
/** Value groups that readouts write as letters; they are of the meter, not of its electricity. */
const LETTERS: Readonly<Record<string, string>> = { C: "96", F: "97", L: "98", P: "99" };
const LARGEST_GROUP = 255;
const TELEGRAM_TIME = "0.0.1.0.0.255";
/** Numbers of devices and messages to people: text, though it may look like a number. */
const TEXTS = /^(?:0\.\d+\.(?:96\.1|42\.0|96\.13|97\.97)|1\.\d+\.0\.0)\./;
/** Numbers of devices are written as the hexadecimal form of their text. */
const HEX_TEXT = /^(?:[0-9a-f]{2}){8,}$/i;
const LETTERS_AND_DIGITS = /^[0-9A-Za-z]+$/;
/** Gas in DSMR 2 and 3: time, status, period, count, name and unit of the value, then the value. */
const HOURLY_GAS_VALUES = 7;
const LONGEST_COUNT = 10;

/** Lines that are no data sets have their place for a name. */
export function dataSetItems({ dataSets, unreadable }: DataSets): PushItem[] {
  return [
    ...dataSets.flatMap(itemsOf),
    ...unreadable.map((line, index) =>
      item(`line ${index + 1}`, undefined, { data: text(line), scalerUnit: undefined }),
    ),
  ];
}

interface Element {
  readonly data: Data;
  readonly scalerUnit: ScalerUnit | undefined;
}

function item(path: string, object: CaptureObject | undefined, element: Element): PushItem {
  return { path, object, ...element };
}

function itemsOf({ address, values }: DataSet): PushItem[] {
  const logicalName = logicalNameOf(address);
  const [first = "", second] = values;
  const time = parseP1Time(first);
  if (logicalName === undefined) return [item(address, undefined, elementOf(undefined, values))];
  if (logicalName === TELEGRAM_TIME && time !== undefined) return [item(address, CLOCK, stampOf(time))];
  if (values.length === HOURLY_GAS_VALUES) {
    const [, , , , name = "", unit = "", value = ""] = values;
    return itemsOf({ address: name, values: [first, `${value}*${unit}`] });
  }
  if (second !== undefined && values.length === 2) {
    if (time !== undefined) return timedItems(address, logicalName, { value: second, time });
    const behind = parseDecimal(first) && parseReadoutTime(second);
    if (behind !== undefined) return timedItems(address, logicalName, { value: first, time: behind });
  }
  const element = elementOf(logicalName, values);
  const hasUnit = element.scalerUnit !== undefined && element.scalerUnit.unit !== UNITLESS;
  const classId = hasUnit ? REGISTER : DATA_CLASS;
  return [item(address, objectOf(logicalName, obisMeaning(logicalName, classId)?.classId ?? classId, VALUE), element)];
}

/** A value and the time of it: a maximum, or what another device sent. */
function timedItems(address: string, logicalName: string, said: { value: string; time: P1Time }): PushItem[] {
  return [
    item(address, objectOf(logicalName, EXTENDED_REGISTER, VALUE), elementOf(logicalName, [said.value])),
    item(`${address} time`, objectOf(logicalName, EXTENDED_REGISTER, CAPTURE_TIME), stampOf(said.time)),
  ];
}

/** The dotted logical name of an address; undefined for what is none. */
export function logicalNameOf(address: string): string | undefined {
  const [, a, b = "0", c, d = "", e = "0", f = "255"] = ADDRESS.exec(address) ?? [];
  if (c === undefined) return undefined;
  const medium = a ?? (c in LETTERS ? "0" : "1");
  const groups = [medium, b, LETTERS[c] ?? c, LETTERS[d] ?? d, e, f].map(Number);
  return groups.every((group) => group <= LARGEST_GROUP) ? groups.join(".") : undefined;
}

function objectOf(logicalName: string, classId: number, attributeId: number): CaptureObject {
  return { classId, logicalName, attributeId, dataIndex: 0 };
}

function elementOf(logicalName: string | undefined, values: readonly string[]): Element {
  const [only = ""] = values;
  if (values.length > 1) return { data: { type: "structure", value: values.map(text) }, scalerUnit: undefined };
  if (only === "") return { data: { type: "null-data" }, scalerUnit: undefined };
  const isRegister = logicalName !== undefined && obisMeaning(logicalName)?.classId === REGISTER;
  const isText = logicalName === undefined || TEXTS.test(logicalName);
  return (
    (isText ? undefined : numberOf(only, isRegister)) ?? {
      data: text(isText ? fromHexText(only) : only),
      scalerUnit: undefined,
    }
  );
}

/** What has a unit, or is short enough to be a count; a register's number without its unit says nothing. */
function numberOf(written: string, isRegister: boolean): Element | undefined {
  const number = parseDecimal(written);
  if (number === undefined) return undefined;
  const unit = number.unit === undefined ? ([UNITLESS, 0] as const) : UNITS[number.unit.toLowerCase()];
  const isCount = number.unit === undefined && !isRegister && written.length <= LONGEST_COUNT;
  if (unit === undefined || (number.unit === undefined && !isCount)) return undefined;
  const [code, exponent] = unit;
  return {
    data: { type: "long64", value: number.mantissa },
    scalerUnit: { scaler: exponent - number.decimals, unit: code },
  };
}

function text(value: string): Data {
  return { type: "octet-string", value: Uint8Array.from(value, (letter) => letter.charCodeAt(0)) };
}

function fromHexText(written: string): string {
  if (!HEX_TEXT.test(written)) return written;
  const octets = written.match(/../g) ?? [];
  const decoded = String.fromCharCode(...octets.map((octet) => Number.parseInt(octet, 16)));
  return LETTERS_AND_DIGITS.test(decoded) ? decoded : written;
}

const SEASONS = { summer: CLOCK_STATUS.daylightSavingActive, winter: 0 } as const;

/** The clock of a meter that says its time in words of its own. */
export function clockItem(time: P1Time): PushItem {
  return item("clock", CLOCK, stampOf(time));
}

function stampOf({ season, ...time }: P1Time): Element {
  const value = encodeDateTime({
    ...time,
    dayOfWeek: undefined,
    hundredths: undefined,
    deviationMinutes: undefined,
    clockStatus: season === undefined ? undefined : SEASONS[season],
  });
  return { data: { type: "octet-string", value }, scalerUnit: undefined };
}
