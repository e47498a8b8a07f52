/** What the configuration says of an association is what goes over the socket: each habit once, with a long read. */
import { createHash } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { Pump } from "../../drivers/pump.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import type { AssociationRule } from "../../protocol/association/server/association-rule.ts";
import { AssociationServer } from "../../protocol/association/server/server.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../protocol/ber/conformance.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { readCertificate } from "../../protocol/security/certificate.ts";
import { privateKeyFromPem } from "../../protocol/security/elliptic-key.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import type { InvocationCounters } from "../../src/collect/session/meter-access.ts";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import { meterTarget } from "../../src/collect/session/meter-target.ts";
import { meterSchema } from "../../src/config/schema.ts";
import { SIGNING_IDENTITIES } from "../protocol/association/identities.ts";
import { ServedLink } from "../protocol/association/served-link.ts";
import {
  ascii,
  CLOCK,
  FixtureObjects,
  OPEN_RULE,
  SERVER_CHALLENGE,
  SERVER_TITLE,
  serverProtection,
} from "../protocol/association/server-fixture.ts";

const clock = { attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 } };
const LONG: Data = { type: "octet-string", value: Uint8Array.from({ length: 4000 }, (_, index) => index) };
const SECRET = "sixteen octets!!";
const EVERYTHING = conformanceFromNumber(0x60fe1f);
const KEYS = {
  clientSystemTitle: "4d4d4d0000000001",
  blockCipherKey: "env:TEST_STACK_BLOCK",
  authenticationKey: "env:TEST_STACK_AUTHENTICATION",
};
const CIPHERED: Partial<AssociationRule> = { applicationContexts: ["logical-name-with-ciphering"] };

/** Counters that need no lease. */
class Counters implements InvocationCounters {
  upcoming = 1;
  next(): number {
    return this.upcoming++;
  }
  async raise(lowest: number): Promise<void> {
    this.upcoming = Math.max(this.upcoming, lowest);
  }
  async ensure(): Promise<void> {}
}

afterEach(() => vi.unstubAllEnvs());

interface Habit {
  readonly name: string;
  readonly association: object;
  readonly rule: () => Partial<AssociationRule>;
  /** Tags of the requests, in hexadecimal, each change once. */
  readonly tags: readonly string[];
}

const gmac = (): Partial<AssociationRule> => ({
  ...CIPHERED,
  mechanism: "hls-gmac",
  security: { protection: serverProtection() },
});

const HABITS: readonly Habit[] = [
  { name: "nothing", association: {}, rule: () => ({}), tags: ["60", "c0", "62"] },
  { name: "no release", association: { release: "none" }, rule: () => ({}), tags: ["60", "c0"] },
  {
    name: "general blocks always, window 3",
    association: { generalBlocks: "always", generalBlockWindow: 3 },
    rule: () => ({}),
    tags: ["60", "e0", "62"],
  },
  {
    name: "global keys",
    association: { mechanism: "hls-5", security: KEYS },
    rule: gmac,
    tags: ["60", "cb", "c8", "62"],
  },
  {
    name: "general-glo",
    association: { mechanism: "hls-5", security: { ...KEYS, general: true } },
    rule: gmac,
    tags: ["60", "db", "62"],
  },
  {
    name: "dedicated key",
    association: { mechanism: "hls-5", security: { ...KEYS, dedicatedKey: true } },
    rule: gmac,
    tags: ["60", "cb", "d0", "62"],
  },
  {
    name: "general-ded",
    association: { mechanism: "hls-5", security: { ...KEYS, dedicatedKey: true, general: true } },
    rule: gmac,
    tags: ["60", "db", "dc", "62"],
  },
  {
    name: "ciphered, plain release",
    association: { mechanism: "hls-5", release: "plain", security: KEYS },
    rule: gmac,
    tags: ["60", "cb", "c8", "62"],
  },
  {
    name: "hls-2 by a maker's formula",
    association: {
      mechanism: "hls-2",
      secret: "env:TEST_STACK_SECRET",
      hlsFormula: { digest: "sha1", over: ["secret", "challenge", "secret"], length: 16 },
    },
    rule: () => ({
      mechanism: "hls",
      secret: new SecretKey("hlsSecret", ascii(SECRET)),
      formula: (challenge, secret) => {
        const parts = [secret.reveal(), challenge, secret.reveal()];
        return new Uint8Array(createHash("sha1").update(Buffer.concat(parts)).digest()).subarray(0, 16);
      },
    }),
    tags: ["60", "c3", "c0", "62"],
  },
  {
    name: "hls-6 without any key to cipher with",
    association: {
      mechanism: "hls-6",
      secret: "env:TEST_STACK_SECRET",
      security: { protection: "none", clientSystemTitle: "4d4d4d0000000001" },
    },
    rule: () => ({
      mechanism: "hls-sha256",
      secret: new SecretKey("hlsSecret", ascii(SECRET)),
      systemTitle: SERVER_TITLE,
    }),
    tags: ["60", "c3", "c0", "62"],
  },
];

/** HLS 7 in a plain context: no key to cipher with is asked for. */
const SIGNED: Partial<AssociationRule> = {
  mechanism: "hls-ecdsa",
  systemTitle: SERVER_TITLE,
  signingKey: privateKeyFromPem(SIGNING_IDENTITIES.server.privateKey),
};
const SIGNED_TAGS = ["60", "c3", "c0", "62"];
const SIGNED_KEYS = {
  suite: 1,
  protection: "none",
  clientSystemTitle: "4d4d4d0000000001",
  signingKey: "env:TEST_STACK_SIGNING",
};
const clientCertificate = readCertificate(SIGNING_IDENTITIES.client.certificate);
const serverCertificate = readCertificate(SIGNING_IDENTITIES.server.certificate);

const SIGNED_HABITS: readonly Habit[] = [
  {
    name: "hls-7 with the meter's key given beforehand",
    association: { mechanism: "hls-7", security: { ...SIGNED_KEYS, serverSigningKey: "env:TEST_STACK_SERVER" } },
    rule: () => ({ ...SIGNED, clientSigningKey: clientCertificate.publicKey }),
    tags: SIGNED_TAGS,
  },
  {
    name: "hls-7 with certificates that come along",
    association: {
      mechanism: "hls-7",
      security: { ...SIGNED_KEYS, certificate: "env:TEST_STACK_CLIENT", authority: "env:TEST_STACK_SERVER" },
    },
    rule: () => ({
      ...SIGNED,
      certificate: serverCertificate.octets,
      clientTrust: { authorities: [clientCertificate], nowMs: Date.now },
    }),
    tags: SIGNED_TAGS,
  },
];

function pem(certificate: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString("base64")}\n-----END CERTIFICATE-----\n`;
}

test.each([...HABITS, ...SIGNED_HABITS])("association by configuration: $name", async ({ association, rule, tags }) => {
  vi.stubEnv("TEST_STACK_SECRET", SECRET);
  vi.stubEnv("TEST_STACK_BLOCK", "000102030405060708090a0b0c0d0e0f");
  vi.stubEnv("TEST_STACK_AUTHENTICATION", "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf");
  vi.stubEnv("TEST_STACK_SIGNING", SIGNING_IDENTITIES.client.privateKey);
  vi.stubEnv("TEST_STACK_CLIENT", pem(SIGNING_IDENTITIES.client.certificate));
  vi.stubEnv("TEST_STACK_SERVER", pem(SIGNING_IDENTITIES.server.certificate));
  const seen: string[] = [];
  const full: AssociationRule = { ...OPEN_RULE, conformance: EVERYTHING, ...rule() };
  await using listener = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    const objects = new FixtureObjects();
    objects.values.set(FixtureObjects.key(8, CLOCK, 2), LONG);
    const server = (clientSap: number) =>
      new AssociationServer({
        clientSap,
        serverSap: 1,
        rule: () => full,
        objects,
        randomOctets: (length) => SERVER_CHALLENGE.subarray(0, length),
      });
    const served = new ServedLink(new WrapperLink({ role: "server" }), server, {
      request: (apdu) => {
        const tag = (apdu[0] ?? 0).toString(16);
        if (seen.at(-1) !== tag) seen.push(tag);
        return apdu;
      },
    });
    new Pump(served, channel, { event: () => {}, closed: () => {} }, { ended: { type: "channelEnded" } }).start();
  });
  const config = meterSchema.parse({
    name: "m",
    number: "1",
    connection: { tcp: `127.0.0.1:${listener.address.port}` },
    association,
  });
  const target = meterTarget(config, {
    leaseCounters: () => Promise.resolve(new Counters()),
    openStoredKey: () => Promise.reject(new Error("no key is stored")),
  });
  const read = await visitMeter(target, { budgetMs: 30_000 }, (meter) => meter.get(clock));
  expect(read).toEqual({ type: "data", data: LONG });
  expect(seen).toEqual(tags);
});
