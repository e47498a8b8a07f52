import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Apdu, encodeApdu } from "../../../../protocol/apdu/apdu.ts";
import type { AssociationRule } from "../../../../protocol/association/server/association-rule.ts";
import { dataFromBytes } from "../../../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { drawPrivateKey } from "../../../../protocol/security/elliptic-key.ts";
import { hlsReply, hlsVerify } from "../../../../protocol/security/hls.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import {
  ascii,
  CLIENT_TITLE,
  clientProtection,
  counter,
  KEYS,
  OPEN_RULE,
  SERVER_CHALLENGE,
  SERVER_TITLE,
  Served,
  serverProtection,
} from "../server-fixture.ts";
import { AARQ_LLS, AARQ_OPEN, aarq, diagnosticOf, GET_CLOCK, withMechanism } from "./server-examples.ts";

function passThree(value: Uint8Array): Apdu {
  const method = { classId: 15, logicalName: fromHex("0000280000ff"), methodId: 1 };
  const parameters = { type: "octet-string", value } as const;
  return { apdu: "action-request", body: { type: "normal", invokeIdAndPriority: 0xc1, method, parameters } };
}

const [SERVER_KEY, CLIENT_KEY] = [3, 4].map((octet) =>
  drawPrivateKey("P-256", (length) => new Uint8Array(length).fill(octet)),
);

test.each(["hls", "hls-md5", "hls-sha1", "hls-sha256", "hls-gmac", "hls-ecdsa"] as const)(
  "server: demands and answers the challenges of %s",
  (mechanism) => {
    const secret = new SecretKey("hlsSecret", ascii("wwwwwwwwwwwwwwww"));
    if (SERVER_KEY === undefined || CLIENT_KEY === undefined) throw new Error("no keys");
    const keys = { signingKey: SERVER_KEY, clientSigningKey: CLIENT_KEY.publicKey };
    const rule: AssociationRule = {
      ...OPEN_RULE,
      mechanism,
      secret,
      ...keys,
      security: { protection: serverProtection() },
    };
    const ownChallenge = ascii("K56iVagYK56iVagYK56iVagYK56iVagY");
    const peerChallenge = SERVER_CHALLENGE.subarray(0, mechanism === "hls-ecdsa" ? 32 : 16);
    const client = clientProtection();
    const inputs = {
      ownChallenge,
      peerChallenge,
      ownSigningKey: CLIENT_KEY,
      peerSigningKey: SERVER_KEY.publicKey,
      secret,
      protection: client,
      ownSystemTitle: CLIENT_TITLE,
      peerSystemTitle: SERVER_TITLE,
    };
    const opening = aarq({ ...withMechanism(mechanism, ownChallenge), callingApTitle: CLIENT_TITLE });

    const server = new Served(rule);
    expect(diagnosticOf(server.apdu(opening))).toBe("accepted authentication-required");
    expect(server.hex(GET_CLOCK)).toBe("d80101");
    const reply = server.apdu(passThree(hlsReply(mechanism, inputs)));
    if (reply?.apdu !== "action-response" || reply.body.type !== "normal") throw new Error("no pass 4");
    const returned = reply.body.outcome.returnParameters;
    if (returned?.type !== "data" || returned.data.type !== "octet-string") throw new Error("no reply in pass 4");
    hlsVerify(mechanism, returned.data.value, inputs);
    expect(server.machine.state).toBe("associated");
    expect(server.hex(GET_CLOCK)).toMatch(/^c401c100/);

    const other = new Served(rule);
    other.apdu(opening);
    const wrong = hlsReply(mechanism, inputs);
    wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
    expect(other.apdu(passThree(wrong))).toMatchObject({ body: { outcome: { result: "other-reason" } } });
    expect(other.events().map((event) => event.type)).toEqual(["authenticationFailed"]);
    expect(other.hex(GET_CLOCK)).toBe("d80101");
  },
);

const CIPHERED = "logical-name-with-ciphering" as const;

function cipheredRule(minimum: "authenticated" | "encrypted" | "authenticated-encrypted"): AssociationRule {
  const protection = serverProtection({ minimum: { received: minimum } });
  return { ...OPEN_RULE, applicationContexts: [CIPHERED], security: { protection, response: minimum } };
}

function cipheredAarq(
  client = clientProtection(),
  control: "encrypted" | "authenticated-encrypted" = "authenticated-encrypted",
): Apdu {
  const plain = aarq({}, 0x407e1f);
  if (plain.apdu !== "aarq" || plain.body.userInformation === undefined) throw new Error("no initiate");
  const userInformation = client.protect(plain.body.userInformation, {
    control,
    form: "service-specific",
    keySet: "global",
  });
  return aarq({ applicationContextName: CIPHERED, callingApTitle: CLIENT_TITLE, userInformation });
}

test.each(["service-specific", "general"] as const)("server: answers a request in %s ciphering likewise", (form) => {
  const server = new Served(cipheredRule("authenticated-encrypted"));
  const client = clientProtection();
  const aare = server.apdu(cipheredAarq(client));
  expect(diagnosticOf(aare)).toBe("accepted null");
  if (aare?.apdu !== "aare" || aare.body.userInformation === undefined) throw new Error("no AARE");
  expect(aare.body.respondingApTitle).toEqual(SERVER_TITLE);
  expect(client.unprotect(aare.body.userInformation)).toMatchObject({ form: "service-specific", verified: true });
  const control = "authenticated-encrypted" as const;
  const answer = server.octets(client.protect(fromHex(GET_CLOCK), { control, form, keySet: "global" }));
  const opened = client.unprotect(answer ?? new Uint8Array(0));
  expect(opened).toMatchObject({ form, keySet: "global", verified: true });
  expect(dataFromBytes(opened.apdu.subarray(4))).toMatchObject({ type: "octet-string" });
});

test("server: uses the dedicated key of the association and forgets it with it", () => {
  const server = new Served(cipheredRule("authenticated-encrypted"));
  const client = clientProtection();
  const dedicated = new SecretKey("dedicatedKey", fromHex("00112233445566778899AABBCCDDEEFF"));
  const initiate = fromHex("010110001122334455 66778899AABBCCDDEEFF000006 5F1F0400407E1F04B0");
  const protection = { control: "authenticated-encrypted", form: "service-specific", keySet: "global" } as const;
  const userInformation = client.protect(initiate, protection);
  server.apdu(aarq({ applicationContextName: CIPHERED, callingApTitle: CLIENT_TITLE, userInformation }));
  client.useDedicatedKey(dedicated);
  const ask = () =>
    server.octets(client.protect(fromHex(GET_CLOCK), { ...protection, keySet: "dedicated" })) ?? new Uint8Array(0);
  const answer = ask();
  expect(answer[0]).toBe(0xd4);
  expect(client.unprotect(answer)).toMatchObject({ keySet: "dedicated", invocationCounter: 1 });
  server.apdu(cipheredAarq(client));
  expect(toHex(ask())).toBe("d80105");
});

test("server: enforces its security policy", () => {
  const server = new Served(cipheredRule("authenticated-encrypted"));
  const client = clientProtection();
  const inClear = server.apdu(aarq({ applicationContextName: CIPHERED, callingApTitle: CLIENT_TITLE }));
  expect(diagnosticOf(inClear)).toBe("rejected-permanent no-reason-given");
  expect(inClear).toMatchObject({ body: { userInformation: fromHex("0e010604") } });
  expect(server.hex(encodeApdu(cipheredAarq(client, "encrypted")))).toBe("d80101");
  server.apdu(cipheredAarq(client));
  expect(server.hex(GET_CLOCK)).toBe("d80101");
  const form = { form: "service-specific", keySet: "global" } as const;
  expect(server.hex(client.protect(fromHex(GET_CLOCK), { control: "authenticated", ...form }))).toBe("d80101");
  expect(server.events().map((event) => event.type)).toEqual(["refused", "fault", "associated", "fault", "fault"]);
});

test("server: protects a response as the policy says, even where the request was protected less", () => {
  const rule = cipheredRule("encrypted");
  const security = rule.security && { ...rule.security, response: "authenticated-encrypted" as const };
  const server = new Served({ ...rule, ...(security && { security }) });
  const client = clientProtection();
  server.apdu(cipheredAarq(client, "encrypted"));
  const request = client.protect(fromHex(GET_CLOCK), {
    control: "encrypted",
    form: "service-specific",
    keySet: "global",
  });
  expect(client.unprotect(server.octets(request) ?? new Uint8Array(0)).securityControl.octet).toBe(0x30);
});

test.each(["encrypted", "authenticated-encrypted"] as const)(
  "server: tells the lowest counter it takes when one comes again (%s)",
  (control) => {
    const server = new Served(cipheredRule(control));
    const client = clientProtection({ nextInvocationCounter: counter(500) });
    server.apdu(cipheredAarq(client, control));
    const request = client.protect(fromHex(GET_CLOCK), { control, form: "service-specific", keySet: "global" });
    expect(server.octets(request)?.[0]).toBe(0xcc);
    expect(server.hex(request)).toBe("d80106000001f6");
    const opening = encodeApdu(cipheredAarq(clientProtection({ nextInvocationCounter: counter(3) }), control));
    expect(server.hex(opening)).toBe("d80106000001f6");
  },
);

test("server: answers what it can't decipher as its rule says", () => {
  const wrong = clientProtection({
    keys: { ...KEYS, blockCipherKey: new SecretKey("blockCipherKey", new Uint8Array(16)) },
  });
  const rule = cipheredRule("authenticated-encrypted");
  expect(new Served(rule).hex(encodeApdu(cipheredAarq(wrong)))).toBe("d80105");
  expect(new Served({ ...rule, decipherFailure: "silence" }).octets(encodeApdu(cipheredAarq(wrong)))).toBeUndefined();
  const refusal = new Served({ ...rule, decipherFailure: "aare" }).apdu(cipheredAarq(wrong));
  expect(diagnosticOf(refusal)).toBe("rejected-permanent no-reason-given");
});

test("server: pushes within an association, ciphered by its policy", () => {
  const server = new Served(cipheredRule("authenticated-encrypted"));
  const client = clientProtection();
  const notification = { longInvokeIdAndPriority: 1, body: { type: "unsigned", value: 7 } } as const;
  expect(() => server.machine.command({ type: "notify", notification }, 0)).toThrow(/SERVICE_UNEXPECTED/);
  server.apdu(cipheredAarq(client));
  server.machine.command({ type: "notify", notification }, 0);
  const opened = client.unprotect(server.machine.takeBytes() ?? new Uint8Array(0));
  expect(opened.form).toBe("general");
  expect(toHex(opened.apdu)).toBe("0f00000001001107");
});

test("server: whatever comes, it answers or stays silent, and goes on", () => {
  const request = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(
        fc.constantFrom(AARQ_OPEN, AARQ_LLS, GET_CLOCK, "6200", "C003C101"),
        fc.uint8Array({ maxLength: 3 }),
        fc.nat(40),
      )
      .map(([hex, noise, at]) => {
        const octets = fromHex(hex);
        octets.set(noise.subarray(0, Math.max(0, octets.length - at)), Math.min(at, octets.length));
        return octets;
      }),
  );
  fc.assert(
    fc.property(fc.array(request, { maxLength: 12 }), (requests) => {
      const server = new Served(OPEN_RULE);
      for (const octets of requests) server.octets(octets);
      server.octets(AARQ_OPEN);
      expect(server.machine.state).toBe("associated");
    }),
    { numRuns: 300 },
  );
});

test("server: every truncation of a request is answered by an exception", () => {
  const server = new Served(OPEN_RULE);
  for (const hex of [AARQ_OPEN, AARQ_LLS, GET_CLOCK, "C101C100080000010000FF0200090107"]) {
    const whole = fromHex(hex);
    for (let length = 0; length < whole.length; length++) {
      server.octets(AARQ_OPEN);
      expect(server.octets(whole.subarray(0, length))?.[0]).toBe(0xd8);
    }
  }
});
