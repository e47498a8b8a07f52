import { expect, test } from "vitest";
import { dataToBytes } from "../../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { entryAccess, rangeAccess } from "../../../protocol/profile/selective-access.ts";

const CLOCK = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
const FROM = "07ea0101ff000000ff800000";
const TO = "07ea0102ff000000ff800000";

test("selective access: a range of time is a structure of four with all columns (Profile generic, selector 1)", () => {
  const access = rangeAccess({ restrictingObject: CLOCK, from: fromHex(FROM), to: fromHex(TO) });
  expect(access.selector).toBe(1);
  expect(toHex(dataToBytes(access.parameters))).toBe(
    `02040204120008090600000100 00ff0f02120000090c${FROM}090c${TO}0100`.replace(" ", ""),
  );
});

test("selective access: entries count from 1 and 0 is the last (Profile generic, selector 2)", () => {
  const access = entryAccess(1, 5);
  expect(access.selector).toBe(2);
  expect(toHex(dataToBytes(access.parameters))).toBe("0204060000000106000000051200011200 00".replace(" ", ""));
});
