import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { drawPrivateKey } from "../../../protocol/security/elliptic-key.ts";
import { type AuthenticationMechanism, type HlsInputs, hlsReply, hlsVerify } from "../../../protocol/security/hls.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import type { SecuritySuite } from "../../../protocol/security/suites.ts";
import { type SystemTitle, systemTitle } from "../../../protocol/security/system-title.ts";

const CLIENT = systemTitle(fromHex("4d4d4d0000000001"));
const SERVER = systemTitle(fromHex("4d4d4d0000bc614e"));
const STOC = fromHex("503677524a323146");
const CTOS = fromHex("4b35366956616759");
const keys = {
  blockCipherKey: new SecretKey("blockCipherKey", fromHex("000102030405060708090a0b0c0d0e0f")),
  authenticationKey: new SecretKey("authenticationKey", fromHex("d0d1d2d3d4d5d6d7d8d9dadbdcdddedf")),
};
const secret = (text: string) => new SecretKey("hlsSecret", new TextEncoder().encode(text));

function protection(own: SystemTitle, peer: SystemTitle, counter: number, suite: SecuritySuite = 0): ApduProtection {
  return new ApduProtection({
    suite,
    ownSystemTitle: own,
    peerSystemTitle: peer,
    keys,
    nextInvocationCounter: () => counter,
  });
}

function gmacPair(): { readonly client: HlsInputs; readonly server: HlsInputs } {
  return {
    client: { ownChallenge: CTOS, peerChallenge: STOC, protection: protection(CLIENT, SERVER, 1) },
    server: { ownChallenge: STOC, peerChallenge: CTOS, protection: protection(SERVER, CLIENT, 0x01234567) },
  };
}

const mismatch = expect.objectContaining({ code: "HLS_REPLY_MISMATCH", fault: "peer" });

test("hls-gmac: the standard's example is made and verified on both sides", () => {
  const { client, server } = gmacPair();
  const pass3 = hlsReply("hls-gmac", client);
  expect(toHex(pass3)).toBe("10000000011a52fe7dd3e72748973c1e28");
  hlsVerify("hls-gmac", pass3, server);
  const pass4 = hlsReply("hls-gmac", server);
  expect(toHex(pass4)).toBe("1001234567fe1466afb3dbcd4f9389e2b7");
  hlsVerify("hls-gmac", pass4, client);
});

test("hls-gmac: the reply's counter moves the window forward, never back", () => {
  const { client, server } = gmacPair();
  const pass3 = hlsReply("hls-gmac", client);
  hlsVerify("hls-gmac", pass3, server);
  expect(server.protection?.lowestAcceptable("global")).toBe(2);
  server.protection?.expectInvocationCounter("global", 50);
  hlsVerify("hls-gmac", pass3, server);
  expect(server.protection?.lowestAcceptable("global")).toBe(50);
});

test("hls-gmac: a reply to another challenge is refused, which is what keeps it fresh", () => {
  const { client, server } = gmacPair();
  const pass3 = hlsReply("hls-gmac", client);
  expect(() => hlsVerify("hls-gmac", pass3, { ...server, ownChallenge: fromHex("503677524a323147") })).toThrow(
    mismatch,
  );
});

test("hls-gmac: a reply of another length, suite, protection or content is refused", () => {
  const { client, server } = gmacPair();
  const pass3 = hlsReply("hls-gmac", client);
  for (let length = 0; length < pass3.length; length++)
    expect(() => hlsVerify("hls-gmac", pass3.subarray(0, length), server)).toThrow(mismatch);
  for (let bit = 8; bit < pass3.length * 8; bit++) {
    const flipped = new Uint8Array(pass3);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => hlsVerify("hls-gmac", flipped, server)).toThrow(mismatch);
  }
  for (const control of [0x00, 0x20, 0x30, 0x50])
    expect(() => hlsVerify("hls-gmac", Uint8Array.of(control, ...pass3.subarray(1)), server)).toThrow(mismatch);
  expect(() => hlsVerify("hls-gmac", Uint8Array.of(0x11, ...pass3.subarray(1)), server)).toThrow(
    expect.objectContaining({ code: "SECURITY_SUITE_MISMATCH" }),
  );
});

test("hls: AES-ECB as in India, with the sample of one vendor's default secret", () => {
  const inputs = {
    ownChallenge: fromHex("ff112233445566778899aabbccddee00"),
    peerChallenge: fromHex("00112233445566778899aabbccddeeff"),
    secret: secret("wwwwwwwwwwwwwwww"),
  };
  expect(toHex(hlsReply("hls", inputs))).toBe("d0727b1b17213ed44da3ea14e5300de1");
});

test("hls: short secrets and challenges are filled up with zeros, or refused where that is not wanted", () => {
  const inputs = { ownChallenge: CTOS, peerChallenge: STOC, secret: secret("12345678") };
  const filled = {
    ownChallenge: CTOS,
    peerChallenge: Uint8Array.of(...STOC, ...new Uint8Array(8)),
    secret: secret("12345678\0\0\0\0\0\0\0\0"),
  };
  expect(toHex(hlsReply("hls", inputs))).toBe(toHex(hlsReply("hls", { ...filled, ecbPadding: "none" })));
  expect(() => hlsReply("hls", { ...inputs, ecbPadding: "none" })).toThrow(
    expect.objectContaining({ code: "SECURITY_KEY_LENGTH", fault: "caller" }),
  );
  expect(() => hlsReply("hls", { ...filled, peerChallenge: STOC, ecbPadding: "none" })).toThrow(
    expect.objectContaining({ code: "HLS_CHALLENGE_LENGTH", fault: "peer" }),
  );
  expect(() => hlsReply("hls", { ...inputs, secret: secret("seventeen letters") })).toThrow(
    expect.objectContaining({ code: "SECURITY_KEY_LENGTH" }),
  );
  expect(hlsReply("hls", { ...inputs, peerChallenge: new Uint8Array(33) }).length).toBe(48);
});

const SAMPLES = [
  // Own samples over the example's challenges, secret 12345678: client's reply.
  { mechanism: "hls-md5", reply: "53d4537e37dab4ff089629e25557af9f" },
  { mechanism: "hls-sha1", reply: "6dbd949d1b1efdd6fe5f9ea627877e986e8708cb" },
  { mechanism: "hls-sha256", reply: "67342baa6815da654eefbb879b6a23da0d2bb0404abbb1a738631241a6b96516" },
] as const;

test.each(SAMPLES)("$mechanism: the reply is the digest that the formula says", ({ mechanism, reply }) => {
  const inputs = {
    ownChallenge: CTOS,
    peerChallenge: STOC,
    secret: secret("12345678"),
    ownSystemTitle: CLIENT,
    peerSystemTitle: SERVER,
  };
  expect(toHex(hlsReply(mechanism, inputs))).toBe(reply);
});

const MECHANISMS = ["hls", "hls-md5", "hls-sha1", "hls-gmac", "hls-sha256", "hls-ecdsa"] as const;

function pair(mechanism: AuthenticationMechanism): { readonly client: HlsInputs; readonly server: HlsInputs } {
  const ecdsa = mechanism === "hls-ecdsa";
  const [ctos, stoc] = ecdsa ? [new Uint8Array(32).fill(1), new Uint8Array(64).fill(2)] : [CTOS, STOC];
  const [mine, peers] = [3, 4].map((octet) => drawPrivateKey("P-256", (length) => new Uint8Array(length).fill(octet)));
  const shared = { secret: secret("12345678") };
  const { client, server } = gmacPair();
  return {
    client: {
      ...client,
      ...shared,
      ownChallenge: ctos,
      peerChallenge: stoc,
      ownSystemTitle: CLIENT,
      peerSystemTitle: SERVER,
      ...(mine && peers && { ownSigningKey: mine, peerSigningKey: peers.publicKey }),
    },
    server: {
      ...server,
      ...shared,
      ownChallenge: stoc,
      peerChallenge: ctos,
      ownSystemTitle: SERVER,
      peerSystemTitle: CLIENT,
      ...(mine && peers && { ownSigningKey: peers, peerSigningKey: mine.publicKey }),
    },
  };
}

test.each(MECHANISMS)(
  "%s: both sides convince one another; a reply sent back, cut or changed convinces nobody",
  (name) => {
    const { client, server } = pair(name);
    const pass3 = hlsReply(name, client);
    const pass4 = hlsReply(name, server);
    hlsVerify(name, pass3, server);
    hlsVerify(name, pass4, client);
    expect(() => hlsVerify(name, pass3, client)).toThrow(mismatch);
    expect(() => hlsVerify(name, pass4.subarray(1), client)).toThrow(mismatch);
    const changed = new Uint8Array(pass4);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(() => hlsVerify(name, changed, client)).toThrow(mismatch);
  },
);

test.each(MECHANISMS)(
  "%s: a challenge that is our own, or of a wrong length, is refused before anything is computed",
  (name) => {
    const { client } = pair(name);
    for (const attempt of [
      hlsReply,
      (mechanism: typeof name, inputs: HlsInputs) => hlsVerify(mechanism, CTOS, inputs),
    ]) {
      expect(() => attempt(name, { ...client, peerChallenge: new Uint8Array(client.ownChallenge) })).toThrow(
        expect.objectContaining({ code: "HLS_CHALLENGE_ECHOED", fault: "peer" }),
      );
      for (const length of [0, 7, 65])
        expect(() => attempt(name, { ...client, peerChallenge: new Uint8Array(length) })).toThrow(
          expect.objectContaining({ code: "HLS_CHALLENGE_LENGTH", fault: "peer" }),
        );
      expect(() => attempt(name, { ...client, ownChallenge: new Uint8Array(3) })).toThrow(
        expect.objectContaining({ code: "HLS_CHALLENGE_LENGTH", fault: "caller" }),
      );
    }
  },
);

test("hls-ecdsa: challenges below 32 octets are refused", () => {
  const { client } = pair("hls-ecdsa");
  expect(() => hlsReply("hls-ecdsa", { ...client, peerChallenge: new Uint8Array(31) })).toThrow(
    expect.objectContaining({ code: "HLS_CHALLENGE_LENGTH", at: { length: 31, min: 32, max: 64 } }),
  );
});

test("hls: what a mechanism needs and was not given is named", () => {
  const bare = { ownChallenge: new Uint8Array(32).fill(1), peerChallenge: new Uint8Array(32).fill(2) };
  const wanted = {
    hls: "secret",
    "hls-md5": "secret",
    "hls-sha1": "secret",
    "hls-gmac": "protection",
    "hls-sha256": "secret",
    "hls-ecdsa": "ownSigningKey",
  };
  for (const name of MECHANISMS)
    expect(() => hlsReply(name, bare)).toThrow(
      expect.objectContaining({ code: "HLS_INPUT_MISSING", fault: "caller", at: { input: wanted[name] } }),
    );
  expect(() => hlsReply("hls-sha256", { ...bare, secret: secret("x") })).toThrow(
    expect.objectContaining({ at: { input: "replier's system title" } }),
  );
  for (const name of ["none", "lls"] as const)
    expect(() => hlsReply(name, bare)).toThrow(expect.objectContaining({ code: "HLS_NO_CHALLENGE", fault: "caller" }));
});

test("hls-2 of a maker with a formula of its own: it stands in place of AES, on both sides", () => {
  const client: HlsInputs = {
    ownChallenge: CTOS,
    peerChallenge: STOC,
    secret: secret("seven77"),
    formula: (challenge, own) => challenge.map((octet) => octet ^ own.length),
  };
  const reply = hlsReply("hls", client);
  expect(reply).toEqual(STOC.map((octet) => octet ^ 7));
  hlsVerify("hls", reply, { ...client, ownChallenge: STOC, peerChallenge: CTOS });
  const { formula: _, ...standard } = client;
  expect(() => hlsVerify("hls", reply, { ...standard, ownChallenge: STOC, peerChallenge: CTOS })).toThrow(mismatch);
});
