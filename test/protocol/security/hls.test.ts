import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { hlsReply, hlsVerify } from "../../../protocol/security/hls.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";

const CLIENT = systemTitle(fromHex("4d4d4d0000000001"));
const SERVER = systemTitle(fromHex("4d4d4d0000bc614e"));
const STOC = fromHex("503677524a323146");
const CTOS = fromHex("4b35366956616759");
const keys = {
  blockCipherKey: new SecretKey("blockCipherKey", fromHex("000102030405060708090a0b0c0d0e0f")),
  authenticationKey: new SecretKey("authenticationKey", fromHex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf")),
};

test("hls 5: the standard's example is made and verified on both sides", () => {
  const client = {
    ownChallenge: CTOS,
    peerChallenge: STOC,
    protection: new ApduProtection({
      suite: 0,
      ownSystemTitle: CLIENT,
      peerSystemTitle: SERVER,
      keys,
      nextInvocationCounter: () => 1,
    }),
  };
  const server = {
    ownChallenge: STOC,
    peerChallenge: CTOS,
    protection: new ApduProtection({
      suite: 0,
      ownSystemTitle: SERVER,
      peerSystemTitle: CLIENT,
      keys,
      nextInvocationCounter: () => 0x01234567,
    }),
  };
  const pass3 = hlsReply("hls-gmac", client);
  expect(toHex(pass3)).toBe("10000000011a52fe7dd3e72748973c1e28");
  hlsVerify("hls-gmac", pass3, server);
  const pass4 = hlsReply("hls-gmac", server);
  expect(toHex(pass4)).toBe("1001234567fe1466afb3dbcd4f9389e2b7");
  hlsVerify("hls-gmac", pass4, client);
});

test("hls-gmac: the reply's counter may be below that of the ciphered APDU which carries it", () => {
  let counter = 7;
  const server = new ApduProtection({
    suite: 0,
    ownSystemTitle: SERVER,
    keys,
    nextInvocationCounter: () => counter++,
  });
  const client = new ApduProtection({
    suite: 0,
    ownSystemTitle: CLIENT,
    peerSystemTitle: SERVER,
    keys,
    nextInvocationCounter: () => 1,
  });
  const reply = server.signChallenge(CTOS);
  const carrier = server.protect(fromHex("c701c100010009"), {
    control: "authenticated-encrypted",
    form: "service-specific",
    keySet: "global",
  });
  client.unprotect(carrier);
  client.verifyChallenge(CTOS, reply);
  expect(client.lowestAcceptable("global")).toBe(9);
  expect(() => client.unprotect(carrier)).toThrow(expect.objectContaining({ code: "SECURITY_COUNTER_REPLAYED" }));
});
