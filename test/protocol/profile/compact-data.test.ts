import { expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { compactTemplate, decodeCompactData, templateIdOf } from "../../../protocol/profile/compact-data.ts";

const template = compactTemplate(5, fromHex("0203 06 11 09"));
const BUFFER = fromHex("05 00000102 07 03 414243");

test("compact-data: values without tags are read by their template", () => {
  expect(templateIdOf(BUFFER)).toBe(5);
  expect(decodeCompactData(BUFFER, template)).toEqual({
    type: "structure",
    value: [
      { type: "double-long-unsigned", value: 258 },
      { type: "unsigned", value: 7 },
      { type: "octet-string", value: fromHex("414243") },
    ],
  });
});

test("compact-data: another template, too few and too many octets are typed errors", () => {
  expect(() => decodeCompactData(fromHex("06 00000102 07 00"), template)).toThrow(
    expect.objectContaining({ code: "DATA_TYPE_MISMATCH", fault: "peer" }),
  );
  for (let length = 0; length < BUFFER.length; length++) {
    expect(() => decodeCompactData(BUFFER.subarray(0, length), template)).toThrow(DlmsError);
  }
  expect(() => decodeCompactData(fromHex("05 00000102 07 00 00000102 07 00"), template)).toThrow(
    expect.objectContaining({ code: "DATA_TRAILING" }),
  );
  expect(() => compactTemplate(1, fromHex("0203 06 11"))).toThrow(expect.objectContaining({ code: "DATA_TRUNCATED" }));
});
