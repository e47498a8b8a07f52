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
import { isFacts } from "./case.ts";
import { differences, Fits, NOT_GIVEN, OneOf } from "./compare.ts";
import { normaliseData } from "./normalise-data.ts";

/** What some sources call an element that has no name. */
const NAMELESS = "0.0.0.0.0.0";
/** `2022-02-21 17:37:30`: what sources keep of a date-time. */
const STAMP_TEXT_LENGTH = 19;

/** Of an APDU that pushes nothing, no object is told. */
export function pushedObjects(apdu: Apdu): Fits | typeof NOT_GIVEN {
  return apdu.apdu === "data-notification" ? objectsOf(apdu.body.body) : NOT_GIVEN;
}

export function objectsOf(body: Data): Fits {
  const items = new Map<string, PushItem>();
  for (const item of takeApart(body, { companion: "none" }).items) {
    if (item.object !== undefined) items.set(item.object.logicalName, item);
  }
  return new Fits((expected) => {
    if (!isFacts(expected)) return [": expected no objects"];
    return Object.keys(expected).flatMap((name) => {
      const item = items.get(name);
      if (name === NAMELESS) return [];
      return item === undefined ? [`.${name}: not there`] : differences(expected[name], forms(item), `.${name}`);
    });
  });
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
