import { expect, test } from "vitest";
import { decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { longInvokeIdAndPriority, longInvokeIdAndPriorityField } from "../../../protocol/apdu/invoke-id.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { ALL_QUIRKS, NO_QUIRKS } from "../../../protocol/quirks.ts";
import { apduVectors, CLOCK_TIME } from "./vectors.ts";

const stamp = fromHex("07e80a0f020c1e0000800000");
const value = { type: "unsigned", value: 5 } as const;

apduVectors("data-notification", [
  {
    name: "with a date-time",
    hex: "0f 40000001 0c 07e80a0f020c1e0000800000 1105",
    apdu: {
      apdu: "data-notification",
      body: { longInvokeIdAndPriority: 0x4000_0001, dateTime: stamp, body: value },
    },
  },
  {
    name: "without a date-time",
    hex: "0f 80000004 00 1105",
    apdu: { apdu: "data-notification", body: { longInvokeIdAndPriority: 0x8000_0004, body: value } },
  },
]);

apduVectors("data-notification-confirm", [
  {
    name: "with a date-time",
    hex: "10 40000001 0c 07e80a0f020c1e0000800000",
    apdu: { apdu: "data-notification-confirm", body: { longInvokeIdAndPriority: 0x4000_0001, dateTime: stamp } },
  },
]);

apduVectors("event-notification-request", [
  {
    name: "with a date-time",
    hex: "c2 01 0c 07e80a0f020c1e0000800000 0008 0000010000ff 02 1105",
    apdu: { apdu: "event-notification-request", body: { dateTime: stamp, attribute: CLOCK_TIME, value } },
  },
  {
    name: "without a date-time",
    hex: "c2 00 0008 0000010000ff 02 1105",
    apdu: { apdu: "event-notification-request", body: { attribute: CLOCK_TIME, value } },
  },
]);

test("data-notification: a date-time with a type tag is read, named, and encoded without the tag", () => {
  const apdu = decodeApdu(fromHex("0f 40000001 09 0c 07e80a0f020c1e0000800000 1105"));
  expect(apdu).toEqual({
    apdu: "data-notification",
    body: { longInvokeIdAndPriority: 0x4000_0001, dateTime: stamp, body: value },
    quirks: ["tagged-date-time"],
  });
  expect(toHex(encodeApdu(apdu))).toBe("0f400000010c07e80a0f020c1e00008000001105");
});

test("event-notification-request: the type tag in place of the presence flag is read and named", () => {
  expect(decodeApdu(fromHex("c2 09 0c 07e80a0f020c1e0000800000 0008 0000010000ff 02 1105"))).toMatchObject({
    body: { dateTime: stamp },
    quirks: ["tagged-date-time"],
  });
});

test("date-time: only none and twelve octets are allowed", () => {
  for (const hex of ["0f 40000001 05 07e80a0f02 1105", "0f 40000001 09 1105"]) {
    expect(() => decodeApdu(fromHex(hex), NO_QUIRKS)).toThrow(expect.objectContaining({ code: "LENGTH_INVALID" }));
  }
  expect(() =>
    encodeApdu({
      apdu: "data-notification",
      body: { longInvokeIdAndPriority: 1, dateTime: new Uint8Array(5), body: value },
    }),
  ).toThrow(expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" }));
});

test("data-notification: descriptors without type tags are read only where that is allowed", () => {
  const bytes = fromHex("0f 00000001 00 0202 1601 0101 0202 0003 0100010700ff 02 06 00000003");
  expect(() => decodeApdu(bytes)).toThrow(expect.objectContaining({ code: "DATA_TRAILING" }));
  const apdu = decodeApdu(bytes, ALL_QUIRKS);
  expect(apdu.quirks).toEqual(["untagged-descriptors"]);
  expect(apdu).toMatchObject({
    body: {
      body: {
        value: [
          { type: "enum", value: 1 },
          {
            type: "array",
            value: [
              {
                type: "structure",
                value: [
                  { type: "long-unsigned", value: 3 },
                  { type: "octet-string", value: fromHex("0100010700ff") },
                  { type: "integer", value: 2 },
                  { type: "double-long-unsigned", value: 3 },
                ],
              },
            ],
          },
        ],
      },
    },
  });
});

test("data-notification: a tagged body stays one where missing tags are allowed", () => {
  const bytes = fromHex("0f 00000001 00 0202 1601 0101 1105");
  expect(decodeApdu(bytes, ALL_QUIRKS)).toEqual(decodeApdu(bytes));
});

test("long-invoke-id-and-priority: every flag has its bit", () => {
  for (const field of [0x0000_0000, 0x1000_0001, 0x2000_0002, 0x4000_0003, 0x8000_0004, 0xf0ff_ffff]) {
    expect(longInvokeIdAndPriorityField(longInvokeIdAndPriority(field))).toBe(field);
  }
  expect(longInvokeIdAndPriority(0xa000_0005)).toEqual({
    longInvokeId: 5,
    selfDescriptive: false,
    breakOnError: true,
    confirmed: false,
    highPriority: true,
  });
});
