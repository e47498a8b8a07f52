/**
 * What a push says about which object. Sources write it as sent, as scaled numbers, as texts, or as the whole structure
 * of value, scaler and unit; every object that they name must be there with the same value.
 */
import type { Apdu } from "../../protocol/apdu/apdu.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { DATE_TIME_LENGTH } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { decodeDateTime, formatDateTime } from "../../protocol/cosem/date-time.ts";
import { formatDecimal } from "../../src/profiles/decimal.ts";
import { decimalFromData, textOf } from "../../src/profiles/other-value.ts";
import { type PushItem, takeApart } from "../../src/profiles/push-body.ts";
import { type CorpusCase, type Facts, isFacts } from "./case.ts";
import { differences, Fits, OneOf } from "./compare.ts";
import { normaliseData } from "./normalise-data.ts";

const LOGICAL_NAME = /^\d+(?:\.\d+){5}$/;
/** What some sources call an element that has no name. */
const NAMELESS = "0.0.0.0.0.0";
/** `2022-02-21 17:37:30`: what sources keep of a date-time. */
const STAMP_TEXT_LENGTH = 19;

/** Of an APDU that pushes nothing, no object is told. */
export function pushedFacts({ stated }: CorpusCase, apdu: Apdu): Facts {
  if (apdu.apdu !== "data-notification") return {};
  const items = itemsOf(apdu.body.body);
  const objects = objectsIn(items);
  const named = Object.keys(stated).filter((name) => LOGICAL_NAME.test(name));
  return {
    obis: objects,
    values: objects,
    objectCount: items.size,
    readings: new Fits((expected) => readingDifferences(expected, items)),
    ...Object.fromEntries(named.flatMap((name) => [[name, formsOrNothing(items.get(name))] as const])),
  };
}

type Items = ReadonlyMap<string, PushItem>;

function itemsOf(body: Data): Items {
  const items = new Map<string, PushItem>();
  for (const item of takeApart(body, { companion: "none" }).items) {
    if (item.object !== undefined) items.set(item.object.logicalName, item);
  }
  return items;
}

export function objectsOf(body: Data): Fits {
  return objectsIn(itemsOf(body));
}

function objectsIn(items: Items): Fits {
  return new Fits((expected) => {
    if (!isFacts(expected)) return [": expected no objects"];
    return Object.keys(expected).flatMap((name) => {
      if (name === NAMELESS) return [];
      return differences(expected[name], formsOrNothing(items.get(dotted(name))), `.${name}`);
    });
  });
}

/** `1-0:1.7.0.255` and `1-0:1.7.0`. */
function dotted(name: string): string {
  const parts = name.split(/[-:.]/);
  return [...parts, ...(parts.length === 5 ? ["255"] : [])].join(".");
}

function formsOrNothing(item: PushItem | undefined): OneOf | undefined {
  return item && forms(item);
}

/** How many there are, or each as `1-0:32.7.0(230.7*V)`. */
function readingDifferences(expected: unknown, items: Items): string[] {
  if (!Array.isArray(expected)) return differences(expected, items.size, "");
  return expected.flatMap((reading) => {
    const [, name = "", text = ""] = /^(.*)\((.*?)(?:\*.*)?\)$/.exec(String(reading)) ?? [];
    const item = items.get(dotted(name));
    if (item === undefined) return [`: ${name} is not there`];
    // Sources multiply in binary floating point.
    const said = wordsOf(item).map((each) => (typeof each === "number" ? each.toPrecision(12) : each));
    const number = Number(text);
    return said.includes(Number.isNaN(number) || text === "" ? text : number.toPrecision(12)) || said.includes(text)
      ? []
      : [`: ${name} says ${said.join(" or ")}, not ${text}`];
  });
}

function wordsOf({ data, scalerUnit }: PushItem): unknown[] {
  return inWords(data, scalerUnit?.scaler ?? 0);
}

function forms({ data, scalerUnit }: PushItem): OneOf {
  const { t: type, v: raw } = normaliseData(data);
  const { scaler, unit } = scalerUnit ?? {};
  const whole = [
    normaliseData(data),
    {
      t: "structure",
      v: [
        { t: "integer", v: scaler },
        { t: "enum", v: unit },
      ],
    },
  ];
  return new OneOf(
    // A reference decoder may take what follows for scaler and unit: they count where they are numbers.
    new Fits((expected) => sentDifferences(expected, { type, raw, scaler, unit })),
    { type: "structure", raw: whole },
    ...inWords(data, scaler ?? 0),
  );
}

function sentDifferences(expected: unknown, sent: Readonly<Record<string, unknown>>): string[] {
  if (!isFacts(expected)) return [": is no value with a type"];
  const counted = ["type", "raw", ...["scaler", "unit"].filter((name) => typeof expected[name] === "number")];
  return counted.flatMap((name) => differences(expected[name], sent[name], `.${name}`));
}

function inWords(data: Data, scaler: number): unknown[] {
  if (data.type === "boolean") return [Number(data.value)];
  if (data.type === "octet-string" || data.type === "visible-string") {
    const text = textOf(data.value);
    const stamp = data.value.length === DATE_TIME_LENGTH ? formatDateTime(decodeDateTime(data.value)) : undefined;
    // Sources leave octets empty that are no text.
    return [text ?? "", toHex(data.value), stamp?.slice(0, STAMP_TEXT_LENGTH)];
  }
  const decimal = decimalFromData(data);
  if (decimal === undefined) return [normaliseData(data).v];
  return [Number(formatDecimal({ ...decimal, exponent: decimal.exponent + scaler })), Number(formatDecimal(decimal))];
}
