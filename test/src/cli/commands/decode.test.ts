import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { seal } from "../../../../protocol/security/aead.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../../protocol/security/system-title.ts";
import { type DecodeOptions, decodeCommand } from "../../../../src/cli/commands/decode.ts";

function run(texts: readonly string[], options: DecodeOptions = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const reason = decodeCommand(texts, options, {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    width: undefined,
  });
  return { reason, out: out.join("\n"), err: err.join("\n") };
}

const KEYS = {
  blockCipherKey: "000102030405060708090a0b0c0d0e0f",
  authenticationKey: "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
} as const;
/** An AARQ whose initiate-request is ciphered and carries a dedicated key. */
const AARQ =
  "6066a109060760857405080103a60a04084d4d4d0000bc614e8a0207808b0760857405080201ac0a80083132333435363738be34043221303001234567801302ff8a7874133d414ced25b42534d28db0047720606b175bd52211be6841db204d39ee6fdb8e356855";

test("decode: octets become lines, in one piece or several", () => {
  const { reason, out } = run(["C5 01 C1 00", "1105"]);
  expect(reason).toBe("success");
  expect(out.split("\n")).toEqual([
    "0  c5  set-response           normal",
    "2  c1    invokeIdAndPriority  id 1, confirmed, high priority",
    "3  00    result               success",
    "",
    "0  11 05  data  unsigned 5",
  ]);
});

test("decode: json holds the same tree", () => {
  const { out } = run(["1105"], { json: true });
  expect(JSON.parse(out)).toEqual({
    layer: "data",
    damaged: false,
    nodes: [{ name: "data", offset: 0, length: 2, value: "unsigned 5", octets: "1105" }],
  });
});

test("decode: a system title and a dedicated key in one APDU decipher the next", () => {
  const sealed = seal(
    {
      suite: 0,
      encryption: new SecretKey("dedicatedKey", fromHex("00112233445566778899aabbccddeeff")),
      authentication: new SecretKey("authenticationKey", fromHex(KEYS.authenticationKey)),
    },
    { sender: systemTitle(fromHex("4d4d4d0000bc614e")) },
    { securityControl: 0x30, invocationCounter: 1 },
    fromHex("c001c100080000010000ff0200"),
  );
  const { reason, out } = run([AARQ, `d01e${toHex(sealed)}`], KEYS);
  expect(out).toMatch(/dedicatedKey +00112233445566778899aabbccddeeff/);
  expect(out).toMatch(/get-request +normal/);
  expect(reason).toBe("success");
});

test("decode: without the keys a ciphered APDU is shown closed, with a wrong one as damaged", () => {
  const closed = run([AARQ]);
  expect(closed.reason).toBe("success");
  expect(closed.out).toContain("SECURITY_KEY_MISSING");
  const wrong = run([AARQ], { ...KEYS, authenticationKey: "00".repeat(16) });
  expect(wrong.reason).toBe("failure");
  expect(wrong.out).toContain("SECURITY_TAG_MISMATCH");
});

test("decode: secrets in the octets can be left out", () => {
  const { out } = run([AARQ], { ...KEYS, hideSecrets: true });
  expect(out).toContain("16 octets, hidden");
  expect(out).not.toContain("00112233");
  expect(out).not.toContain("31 32 33 34");
});

test("decode: damaged octets fail, a text that is no hexadecimal is a usage fault", () => {
  expect(run(["c501c1"])).toMatchObject({ reason: "failure", out: expect.stringContaining("DATA_TRUNCATED") });
  expect(run(["c5 01 xx"])).toMatchObject({ reason: "usage", err: expect.stringContaining("HEX_INVALID") });
  expect(run(["1105"], { blockCipherKey: "0011" })).toMatchObject({
    reason: "usage",
    err: expect.stringContaining("SECURITY_KEY_LENGTH"),
  });
});
