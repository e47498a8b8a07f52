import { expect, test } from "vitest";
import { decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { NO_QUIRKS } from "../../../protocol/quirks.ts";
import { apduVectors } from "./vectors.ts";

apduVectors("exception-response", [
  {
    name: "two codes",
    hex: "d8 01 02",
    apdu: {
      apdu: "exception-response",
      body: { stateError: "service-not-allowed", serviceError: "service-not-supported" },
    },
  },
  {
    name: "the invocation counter that the server wants",
    hex: "d8 01 06 00001234",
    apdu: {
      apdu: "exception-response",
      body: { stateError: "service-not-allowed", serviceError: "invocation-counter-error", invocationCounter: 0x1234 },
    },
    // Older servers send no counter.
    validCuts: [3],
  },
]);

apduVectors("confirmed-service-error", [
  {
    name: "a refused initiate",
    hex: "0e 01 06 01",
    apdu: {
      apdu: "confirmed-service-error",
      body: { service: "initiate-error", error: { type: "initiate", code: "dlms-version-too-low" } },
    },
  },
  {
    name: "a service and a code that no table has",
    hex: "0e 07 09 63",
    apdu: {
      apdu: "confirmed-service-error",
      body: { service: "unknown-7", error: { type: "task", code: "unknown-99" } },
    },
  },
]);

test("enumerated: a name that is none is our own fault", () => {
  expect(() =>
    encodeApdu({ apdu: "exception-response", body: { stateError: "unknown-300", serviceError: "other-reason" } }),
  ).toThrow(expect.objectContaining({ code: "DATA_OUT_OF_RANGE", fault: "caller" }));
});

test("apdu: an unknown tag, no octets and octets after the end are refused with their place", () => {
  expect(() => decodeApdu(fromHex("c6"))).toThrow(
    expect.objectContaining({ code: "APDU_UNKNOWN_TAG", fault: "peer", at: { offset: 0, tag: 0xc6 } }),
  );
  expect(() => decodeApdu(new Uint8Array(0))).toThrow(expect.objectContaining({ code: "DATA_TRUNCATED" }));
  expect(() => decodeApdu(fromHex("c501c100ffff"))).toThrow(
    expect.objectContaining({ code: "DATA_TRAILING", at: { offset: 4, left: 2 } }),
  );
  expect(decodeApdu(fromHex("c501c100ffff"), new Set(["trailing-octets"])).quirks).toEqual(["trailing-octets"]);
});

test("option flag: other octets than 00 and 01 are refused unless allowed", () => {
  const bytes = fromHex("c001c100010000600100ff0202 02 00");
  expect(() => decodeApdu(bytes)).toThrow(
    expect.objectContaining({ code: "OPTION_FLAG_INVALID", at: { offset: 12, flag: 2 } }),
  );
  expect(decodeApdu(bytes, new Set(["optional-flag"])).quirks).toEqual(["optional-flag"]);
});

// GuruxDLMS.c ends a range that fits into one block so: an empty last block, an octet, and the same APDU again.
test("apdu: octets behind a last block without data are dropped by name", () => {
  const octets = fromHex("c402c301000000020000 00 c402c301000000020000");
  const apdu = decodeApdu(octets);
  expect(apdu).toMatchObject({ body: { block: { lastBlock: true } }, quirks: ["empty-last-block-trailer"] });
  const trailing = expect.objectContaining({ code: "DATA_TRAILING", fault: "peer" });
  expect(() => decodeApdu(octets, NO_QUIRKS)).toThrow(trailing);
  expect(() => decodeApdu(fromHex("c402c30000000002000000"))).toThrow(trailing);
  expect(() => decodeApdu(fromHex("c402c3010000000200010900"))).toThrow(trailing);
  expect(() => decodeApdu(fromHex("c103c101000000020000ff"))).toThrow(trailing);
});

/** As the Gurux server answers ACCESS: a get, a set and a method, with the value of the get alone. */
const NULLS_MISSING = "da c000000f 00 00 03 090c07d00101ff00000000000000 03 01 00 02 00 03 00";

test("apdu: an answer to ACCESS without its null-data is read as if they were there, where that is allowed", () => {
  const { body, quirks } = decodeApdu(fromHex(NULLS_MISSING.replaceAll(" ", "")));
  expect(quirks).toEqual(["access-nulls-missing"]);
  expect(body).toMatchObject({
    data: [{ type: "octet-string" }, { type: "null-data" }, { type: "null-data" }],
    results: [{ type: "get" }, { type: "set" }, { type: "action" }],
  });
  expect(() => decodeApdu(fromHex(NULLS_MISSING.replaceAll(" ", "")), NO_QUIRKS)).toThrow(DlmsError);
  const whole = fromHex("dac000000f000002090101000201000200");
  expect(decodeApdu(whole).quirks).toBeUndefined();
  for (let length = 1; length < whole.length; length++) {
    expect(() => decodeApdu(whole.subarray(0, length))).toThrow(DlmsError);
  }
});

test("apdu: zeros behind the number of an acknowledged block are dropped, other octets are not", () => {
  expect(decodeApdu(fromHex("c502cc0000000100")).quirks).toEqual(["acknowledgement-trailer"]);
  expect(() => decodeApdu(fromHex("c502cc0000000101"))).toThrow("DATA_TRAILING");
  expect(() => decodeApdu(fromHex("c502cc0000000100"), NO_QUIRKS)).toThrow("DATA_TRAILING");
});
