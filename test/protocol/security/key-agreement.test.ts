import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import {
  drawPrivateKey,
  privateKeyFromOctets,
  privateKeyFromPem,
  publicKeyFromObject,
  publicKeyFromOctets,
} from "../../../protocol/security/elliptic-key.ts";
import {
  acceptEphemeralKey,
  deriveKey,
  offerEphemeralKey,
  sharedSecret,
  staticPartyUInfo,
} from "../../../protocol/security/key-agreement.ts";
import { signatureFits, signOctets } from "../../../protocol/security/signature.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";

// Keys, signatures and agreed keys of the examples in the Green Book's annex on key agreement (P-256), recomputed.
const CLIENT = systemTitle(fromHex("4d4d4d0000bc614e"));
const SERVER = systemTitle(fromHex("4d4d4d0000000001"));
const CLIENT_SIGNING = privateKeyFromOctets(
  "P-256",
  fromHex("418073c239fa6125011de4d6cd2e645780289f761bb21bfb0835cb5585e8b373"),
);
const CLIENT_SIGNING_PUBLIC =
  "baaffde06a8cb1c9dae8d94023c601dbbb249254ba22edd827e820bca2bcc64362fbb83d86a82b87bb8b7161d2aab5521911a946b97a284a90f7785cd9047d25";
const EPHEMERAL_2E0S =
  "2914d60e10ab705f62ed6cc349d7cb99b9ab3f3978e59278c7af595b3af987941372dab6d5af1fa867e134167e6f23de664a6693e05f43414611058d1b48f894";
const SIGNATURE_2E0S =
  "06f0607702aa0e2435a183e2f6b1ecd19629712e389a213610c03f77b2590860ea840af5c3fa1f2bcdf055d4744e9a01ce9a0e55026bcaa4eebeb764ced64bb3";
const EPHEMERAL_1E1S =
  "c323c2bd45711de4688637d919f92e9db8fb2dfc213a88d21c9dc8dcba917d8170511de1badb360d50058f794b0960ae11fa28d392cff907a62d13e3357b1dc0";
const SIGNATURE_1E1S =
  "b51be089d0b682863b2217201e73a1a9031968a9b4121dcbc3281a69739af87429f5b3ac5471e7b6a04a2c0f2f8a25fd772a317df97fc5463feac248eb8ab8be";

test("elliptic keys: a private key gives the published public key, and comes back whole", () => {
  expect(toHex(CLIENT_SIGNING.publicKey.octets())).toBe(CLIENT_SIGNING_PUBLIC);
  expect(toHex(CLIENT_SIGNING.reveal())).toBe("418073c239fa6125011de4d6cd2e645780289f761bb21bfb0835cb5585e8b373");
  const pem = CLIENT_SIGNING.keyObject.export({ type: "pkcs8", format: "pem" }).toString();
  expect(privateKeyFromPem(pem).publicKey.equals(CLIENT_SIGNING.publicKey)).toBe(true);
  expect(toHex(publicKeyFromObject(CLIENT_SIGNING.publicKey.keyObject).octets())).toBe(CLIENT_SIGNING_PUBLIC);
});

const code = (code: string, fault: string) => expect.objectContaining({ code, fault });

test("elliptic keys: what is no point or no scalar of the curve is refused", () => {
  expect(() => publicKeyFromOctets("P-256", new Uint8Array(64).fill(3))).toThrow(
    code("SECURITY_PUBLIC_KEY_INVALID", "peer"),
  );
  expect(() => publicKeyFromOctets("P-384", new Uint8Array(64))).toThrow(code("SECURITY_PUBLIC_KEY_INVALID", "peer"));
  for (const octet of [0, 0xff])
    expect(() => privateKeyFromOctets("P-256", new Uint8Array(32).fill(octet))).toThrow(
      code("SECURITY_PRIVATE_KEY_INVALID", "caller"),
    );
  expect(() => privateKeyFromPem("-----BEGIN NONSENSE-----")).toThrow(code("SECURITY_PRIVATE_KEY_INVALID", "caller"));
});

test("elliptic keys: a number out of range is drawn again, a source that gives only such ones is given up", () => {
  const draws = [new Uint8Array(32).fill(0xff), new Uint8Array(32), new Uint8Array(32).fill(7)];
  const key = drawPrivateKey("P-256", () => draws.shift() ?? new Uint8Array(32));
  expect(toHex(key.reveal())).toBe("07".repeat(32));
  expect(() => drawPrivateKey("P-384", (length) => new Uint8Array(length))).toThrow(
    expect.objectContaining({ code: "SECURITY_PRIVATE_KEY_INVALID" }),
  );
});

test("C(2e,0s): the published offer is accepted for its key id only, and gives the published keys of both prints", () => {
  const verification = publicKeyFromOctets("P-256", fromHex(CLIENT_SIGNING_PUBLIC));
  const offer = fromHex(EPHEMERAL_2E0S + SIGNATURE_2E0S);
  const clientEphemeral = acceptEphemeralKey(verification, offer, 0);
  expect(toHex(clientEphemeral.octets())).toBe(EPHEMERAL_2E0S);
  for (const wrong of [1, undefined])
    expect(() => acceptEphemeralKey(verification, offer, wrong)).toThrow(
      expect.objectContaining({ code: "SECURITY_SIGNATURE_MISMATCH", fault: "peer" }),
    );
  const serverEphemeral = privateKeyFromOctets(
    "P-256",
    fromHex("34a8c23a34dbb519d09b245754c85a6cfe05d14a063efa5aa41545aa8241efae"),
  );
  const z = sharedSecret(serverEphemeral, clientEphemeral);
  expect(toHex(z)).toBe("c1cf8fe7891aef3617d7190795e61fe6c24efc3cca2e08469bad1a225ce6ea08");
  const derivation = { suite: 1, partyUInfo: CLIENT, partyVInfo: SERVER } as const;
  expect(toHex(deriveKey("blockCipherKey", z, derivation).reveal())).toBe("c5f4512846ede51cfb8ccf59f08a694e");
  const earlier = { ...derivation, identifier: "first-print" } as const;
  expect(toHex(deriveKey("blockCipherKey", z, earlier).reveal())).toBe("e025ca6f9ee8d2b40f993739d44cfbc0");
});

test("C(1e,1s): the published signature is over the ephemeral key alone; request and response agree on a key each", () => {
  const verification = publicKeyFromOctets("P-256", fromHex(CLIENT_SIGNING_PUBLIC));
  const clientEphemeral = acceptEphemeralKey(verification, fromHex(EPHEMERAL_1E1S + SIGNATURE_1E1S));
  const serverStatic = privateKeyFromOctets(
    "P-256",
    fromHex("aad3fd0732e991cf52a74c66c1f2827ddc53522a2e0a169d7c4ffcc0fb5d6a4d"),
  );
  const z = sharedSecret(serverStatic, clientEphemeral);
  expect(toHex(z)).toBe("0d4385ba0dd756cbcab9887eb538396ee8f090a14c1079b4359f115b977f4615");
  const request = deriveKey("transactionKey", z, { suite: 1, partyUInfo: CLIENT, partyVInfo: SERVER });
  expect(toHex(request.reveal())).toBe("59a71fd81c929a86a99438da17a66c05");

  const serverVerification = publicKeyFromOctets(
    "P-256",
    fromHex(
      "933acf15b03a9248e029b2787fb52a0aecaf635f07c42a0019fb3197e38f8f549a125ea36781b0ca96be89a0e1fe2cf9b7361ed48b3c5e24592b9c0f4edd31d1",
    ),
  );
  const serverEphemeral = acceptEphemeralKey(
    serverVerification,
    fromHex(
      "6439724714b47cd9cb988897d8424ab946dcd083d37a954637616011b9c2378773295f0f850d8dafd1bbe9fe666e53e4f097cd10b38b69622152724a90987444" +
        "e1ff47974a1f6931a6502f58147463f0e8cc517d47f55b0ac56dd8ac5c9d0e481934f2d90f9893016bd82b6e3ffe21ff1588f3278b4e9d98eb4fb62add64b380",
    ),
  );
  const clientStatic = privateKeyFromOctets(
    "P-256",
    fromHex("a51c16ff5c498fcc89323d4a9267cd71bf81fd6f6a891cd240da7f3d6f283e65"),
  );
  const back = sharedSecret(clientStatic, serverEphemeral);
  expect(toHex(back)).toBe("2b4302dc49790e2e78d990cfb52ed6e2f273dece441a2d95e4301b93812a9fac");
  const response = deriveKey("transactionKey", back, { suite: 1, partyUInfo: SERVER, partyVInfo: CLIENT });
  expect(toHex(response.reveal())).toBe("f0184bda9466bfa4601a64a7ef46504a");
});

test("C(0e,2s): party U is the originator's title and the transaction id with its length", () => {
  const clientStatic = privateKeyFromOctets(
    "P-256",
    fromHex("a51c16ff5c498fcc89323d4a9267cd71bf81fd6f6a891cd240da7f3d6f283e65"),
  );
  const serverStatic = publicKeyFromOctets(
    "P-256",
    fromHex(
      "a653565b0e06070bae9fbe140a5d2156812aee2dd525053e3efc850bf13bfdffcb240bc7b77bff5883344e7275908d2287befa3725017295a096989d2338290b",
    ),
  );
  const z = sharedSecret(clientStatic, serverStatic);
  expect(toHex(z)).toBe("b1455b2ad5f68bcffe6ad5412ba89548aca7e0cbf4b1560d6a57496f15e931ad");
  const partyUInfo = staticPartyUInfo(CLIENT, fromHex("0102030405060708"));
  const key = deriveKey("transactionKey", z, { suite: 1, partyUInfo, partyVInfo: SERVER });
  expect(toHex(key.reveal())).toBe("56c46b57df675515c31025455822514a");
});

test("key agreement: an offer that we make is one that the peer accepts; one octet less or changed is not", () => {
  const ephemeral = drawPrivateKey("P-256", (length) => new Uint8Array(length).fill(9));
  const offer = offerEphemeralKey(CLIENT_SIGNING, ephemeral.publicKey, 2);
  expect(acceptEphemeralKey(CLIENT_SIGNING.publicKey, offer, 2).equals(ephemeral.publicKey)).toBe(true);
  expect(() => acceptEphemeralKey(CLIENT_SIGNING.publicKey, offer.subarray(1), 2)).toThrow(
    expect.objectContaining({ code: "LENGTH_INVALID" }),
  );
  const changed = new Uint8Array(offer);
  changed[3] = (changed[3] ?? 0) ^ 1;
  expect(() => acceptEphemeralKey(CLIENT_SIGNING.publicKey, changed, 2)).toThrow(
    expect.objectContaining({ code: "SECURITY_SIGNATURE_MISMATCH" }),
  );
});

test("signature: raw r ‖ s on P-384 verifies as published (Suite B implementer's guide), and ours do", () => {
  const publicKey = publicKeyFromOctets(
    "P-384",
    fromHex(
      "1fbac8eebd0cbf35640b39efe0808dd774debff20a2a329e91713baf7d7f3c3e81546d883730bee7e48678f857b02ca0eb213103bd68ce343365a8a4c3d4555fa385f5330203bdd76ffad1f3affb95751c132007e1b240353cb0a4cf1693bdf9",
    ),
  );
  const message = new TextEncoder().encode("This is only a test message. It is 48 bytes long");
  const signature = fromHex(
    "a0c27ec893092dea1e1bd2ccfed3cf945c8134ed0c9f81311a0f4a05942db8dbed8dd59f267471d5462aa14fe72de85620ab3f45b74f10b6e11f96a2c8eb694d206b9dda86d3c7e331c26b22c987b7537726577667adadf168ebbe803794a402",
  );
  expect(signatureFits(publicKey, message, signature)).toBe(true);
  expect(signatureFits(publicKey, message.subarray(1), signature)).toBe(false);
  expect(signatureFits(publicKey, message, signature.subarray(1))).toBe(false);
  const own = drawPrivateKey("P-384", (length) => new Uint8Array(length).fill(5));
  const made = signOctets(own, message);
  expect(made.length).toBe(96);
  expect(signatureFits(own.publicKey, message, made)).toBe(true);
});
