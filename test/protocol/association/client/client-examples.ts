/** What the tests of the client machine against single APDUs share. */
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { ascii, CLOCK } from "../server-fixture.ts";

export const PASSWORD = new SecretKey("hlsSecret", ascii("12345678"));
export const clock = { classId: 8, logicalName: CLOCK, attributeId: 2 };
export const GET_CLOCK = { type: "get", attribute: clock } as const;
export const TIME_HEX = "09 0C 07E9071703081E18FF014A00";
