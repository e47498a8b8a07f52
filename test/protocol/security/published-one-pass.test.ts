/** The standard's worked example of general-ciphering with C(1e,1s), as a public test of another library quotes it whole. */
import { expect, test } from "vitest";
import { decodeApdu } from "../../../protocol/apdu/apdu.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { counterMode, initialisationVector, parseContent } from "../../../protocol/security/aead.ts";
import { privateKeyFromOctets, publicKeyFromOctets } from "../../../protocol/security/elliptic-key.ts";
import { parseGeneralCiphering } from "../../../protocol/security/general-apdu.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { findTransactionKey } from "../../../protocol/security/transaction-key.ts";

const APDU = fromHex(
  `dd 08 0102030405060708 08 4d4d4d0000bc614e 08 4d4d4d0000000001 00 00 01 02 01 01 8180
   c323c2bd45711de4688637d919f92e9db8fb2dfc213a88d21c9dc8dcba917d81
   70511de1badb360d50058f794b0960ae11fa28d392cff907a62d13e3357b1dc0
   b51be089d0b682863b2217201e73a1a9031968a9b4121dcbc3281a69739af874
   29f5b3ac5471e7b6a04a2c0f2f8a25fd772a317df97fc5463feac248eb8ab8be
   81eb 31 00000000
   f435069679270c5bf4425ee5777402a6c8d51c620eed52dbb188378b836e2857d5c053e6ddf27fa87409aef502cd9618
   ae47017c010224fd109cc0beb21e742d44ab40cd11908743ec90ec8c40e221d517f72228e1a26e827f43dc18ed27b5f4
   58d66508b05a2a4cc6fed178c881afc3bc67064689be8bb41c80abb3c114a31f4cb03b8b64c7e0b4ce77b2399c933478
   58888f92239713b38df01c4858245827a92ef334172ea636b31cbbdf2a96ad5d035f66aa38f1a2d97d4bba99622e6b5f
   18789cecb2dfb3937d9f3e17f8b472098e6563238f37528374809836002aea6e7012d2adfaa7`,
);
const RECIPIENT_KEY = privateKeyFromOctets(
  "P-256",
  fromHex("aad3fd0732e991cf52a74c66c1f2827ddc53522a2e0a169d7c4ffcc0fb5d6a4d"),
);
const ORIGINATOR_SIGNING_KEY = publicKeyFromOctets(
  "P-256",
  fromHex(
    `baaffde06a8cb1c9dae8d94023c601dbbb249254ba22edd827e820bca2bcc643
     62fbb83d86a82b87bb8b7161d2aab5521911a946b97a284a90f7785cd9047d25`,
  ),
);
const CONTEXT = {
  suite: 1,
  keys: { ownAgreementKey: RECIPIENT_KEY, peerSigningKey: ORIGINATOR_SIGNING_KEY },
  kdfIdentifier: "corrected",
} as const;

test("published one-pass APDU: the key is signed and agreed on, the content is the ACCESS request of the example", () => {
  const { header, keyInfo, content } = parseGeneralCiphering(APDU);
  expect(header.originator && toHex(header.originator)).toBe("4d4d4d0000bc614e");
  const { scheme, key } = findTransactionKey(keyInfo, header, { ...CONTEXT, ephemeralSignature: "key" });
  expect(scheme).toBe("one-pass");
  // The tag that is printed covers none of the known forms of additional data: the content is proved by what it says.
  const { invocationCounter, payload } = parseContent(content);
  const vector = initialisationVector(systemTitle(fromHex("4d4d4d0000bc614e")), invocationCounter);
  const plain = counterMode({ suite: 1, encryption: key }, vector, payload);
  const apdu = decodeApdu(plain);
  if (apdu.apdu !== "access-request") throw new Error(apdu.apdu);
  expect(apdu.body.specifications.map(({ type }) => type)).toEqual(["get", "get", "set", "set"]);
});

test("published one-pass APDU: its signature does not cover the octet of the scheme", () => {
  const { header, keyInfo } = parseGeneralCiphering(APDU);
  expect(() => findTransactionKey(keyInfo, header, { ...CONTEXT, ephemeralSignature: "scheme-and-key" })).toThrow(
    "SECURITY_SIGNATURE_MISMATCH",
  );
});
