/** Keys and certificates of a meter are changed over a real socket, and the meter is read with the new ones. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { Pump } from "../../drivers/pump.ts";
import { connectTcp } from "../../drivers/tcp/connect.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { drawPrivateKey } from "../../protocol/security/elliptic-key.ts";
import { type AuthenticationKey, type BlockCipherKey, SecretKey } from "../../protocol/security/secret-key.ts";
import type { Protection } from "../../protocol/security/security-control.ts";
import { certificateListFrom, type SecuritySetupVersion } from "../../protocol/security/security-setup.ts";
import {
  certificateIn,
  certificateRequestIn,
  SecuritySetupClient,
  type SetupKey,
  type SetupOrder,
} from "../../protocol/security/security-setup-client.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import { MeterConnection } from "../../src/collect/session/meter-connection.ts";
import { MeterLine } from "../../src/collect/session/meter-line.ts";
import { idisIdentity, seededSecrets } from "../../src/simulator/meter-identity.ts";
import { idis } from "../../src/simulator/models/idis.ts";
import { VirtualMeter } from "../../src/simulator/virtual-meter.ts";
import { WiredMeter } from "../../src/simulator/wired-meter.ts";
import { Authority } from "../protocol/security/authority.ts";

const CLIENT = systemTitle(fromHex("4D4D4D0000000001"));
const SETUP = logicalNameToOctets("0.0.43.0.0.255");
const CLOCK = { attribute: { classId: 8, logicalName: logicalNameToOctets("0.0.1.0.0.255"), attributeId: 2 } };
const POLICY = { attribute: { classId: 64, logicalName: SETUP, attributeId: 2 } };
const CERTIFICATES = { attribute: { classId: 64, logicalName: SETUP, attributeId: 6 } };
const MANAGEMENT = 1;
const SEED = 5;
const random = (length: number) => new Uint8Array(randomBytes(length));

interface Keys {
  readonly blockCipherKey: BlockCipherKey;
  readonly authenticationKey: AuthenticationKey;
}

const clientKey = drawPrivateKey("P-256", random);
const authority = new Authority("Test Root CA", drawPrivateKey("P-256", random));
const clientCertificate = authority.issue({
  commonName: "4D4D4D0000000001",
  publicKey: clientKey.publicKey,
  usage: "digitalSignature",
  serialNumber: 7,
});

/** A meter whose security setup has this version, behind a listener; associations over it share no state but the meter. */
async function listening(version: SecuritySetupVersion, protection: Protection = "authenticated-encrypted") {
  const identity = idisIdentity(16_000_001);
  const described = idis({
    identity,
    security: { mechanism: "hls-gmac", protection },
    timeZone: "Europe/Vienna",
  });
  const objects = described.objects.map((each) => (each.classId === 64 ? { ...each, version } : each));
  const meter = new VirtualMeter({
    description: { ...described, objects },
    identity,
    secrets: seededSecrets(SEED),
    seed: SEED,
    suite: version === 0 ? 0 : 1,
    clock: Date.now,
    randomOctets: random,
    firstInvocationCounter: 1,
    publicKeys: { certificates: [authority.certificate] },
  });
  const listener = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    const wired = new WiredMeter({ meter, link: { type: "wrapper" } });
    const pump = new Pump(wired, channel, { event: () => {}, closed: () => {} }, { ended: { type: "channelEnded" } });
    pump.start();
    pump.command({ type: "open" });
  });
  let counter = 100_000;
  const associated = async <T>(
    { blockCipherKey, authenticationKey }: Keys,
    work: (connection: MeterConnection) => Promise<T>,
    request: Protection = "authenticated-encrypted",
  ): Promise<T> => {
    await using line = new MeterLine(await connectTcp(listener.address));
    await using connection = await MeterConnection.open(line, {
      link: new WrapperLink({ role: "client", clientSap: MANAGEMENT, serverSap: 1 }),
      client: {
        authentication: { mechanism: "hls-gmac" },
        challenge: () => random(16),
        responseTimeoutMs: 10_000,
        protection: new ApduProtection({
          suite: version === 0 ? 0 : 1,
          ownSystemTitle: CLIENT,
          keys: { blockCipherKey, authenticationKey },
          nextInvocationCounter: () => counter++,
        }),
        ciphering: { request, initiate: request },
      },
    });
    await connection.associate();
    return await work(connection);
  };
  return { meter, listener, associated };
}

async function invoke(connection: MeterConnection, { method, parameters }: SetupOrder): Promise<Data | undefined> {
  const outcome = await connection.action(method, parameters);
  expect(outcome.result).toBe("success");
  return outcome.returnParameters?.type === "data" ? outcome.returnParameters.data : undefined;
}

async function readsClock(connection: MeterConnection): Promise<void> {
  expect(await connection.get(CLOCK)).toMatchObject({ type: "data", data: { type: "octet-string" } });
}

function keysOf(keys: readonly SetupKey[], old: Keys): Keys {
  return Object.assign({ ...old }, ...keys.map((key) => ({ [key.role]: key })));
}

test.each([0, 1] as const)(
  "security setup v%i: a transferred key opens the next association, the old one does not",
  async (version) => {
    const { meter, listener, associated } = await listening(version);
    await using _ = listener;
    const old = meter.security.secrets;
    const setup = new SecuritySetupClient({ logicalName: SETUP, version });
    const fresh = new SecretKey("blockCipherKey", random(16));
    await associated(old, async (connection) => {
      await invoke(connection, setup.transferKeys(old.masterKey, [fresh]));
      // What is open goes on under the key that it was opened with.
      await readsClock(connection);
    });
    await associated({ ...old, blockCipherKey: fresh }, readsClock);
    await expect(associated(old, readsClock)).rejects.toMatchObject({ name: "SessionFailedError" });
  },
);

test.each([
  [0, 1, 3, 4],
  [1, 0x24, 0x6c, 0x7c],
] as const)(
  "security setup v%i: a policy is activated, never weakened, and holds for the next association",
  async (version, weak, strong, refused) => {
    const { meter, listener, associated } = await listening(version, "authenticated");
    await using _ = listener;
    const { secrets } = meter.security;
    const setup = new SecuritySetupClient({ logicalName: SETUP, version });
    const activate = async (connection: MeterConnection, policy: number) => {
      const { method, parameters } = setup.activate(policy);
      return (await connection.action(method, parameters)).result;
    };
    await associated(secrets, readsClock, "authenticated");
    await associated(
      secrets,
      async (connection) => {
        expect(await activate(connection, weak)).toBe("success");
        expect(await activate(connection, strong)).toBe("success");
        expect(await activate(connection, weak)).toBe("other-reason");
        // Signatures, or what this version does not know.
        expect(await activate(connection, refused)).toBe("other-reason");
        expect(await activate(connection, 0xff)).toBe("other-reason");
        await readsClock(connection);
      },
      "authenticated",
    );
    await expect(associated(secrets, readsClock, "authenticated")).rejects.toMatchObject({
      name: "SessionFailedError",
    });
    await associated(secrets, async (connection) => {
      await readsClock(connection);
      expect(await connection.get(POLICY)).toEqual({ type: "data", data: { type: "enum", value: strong } });
    });
  },
);

test("security setup v1: key pair, request, certificate, agreement on new keys, all over one socket after another", async () => {
  const { meter, listener, associated } = await listening(1);
  await using _ = listener;
  const old = meter.security.secrets;
  const setup = new SecuritySetupClient({ logicalName: SETUP, version: 1 });
  const meterTitle = meter.security.systemTitle;
  const serverSigningKey = await associated(old, async (connection) => {
    await invoke(connection, setup.generateKeyPair("digital-signature"));
    const answer = await invoke(connection, setup.generateCertificateRequest("digital-signature"));
    const request = certificateRequestIn(answer, meterTitle);
    const { publicKey, commonName = "" } = request;
    const issued = authority.issue({ commonName, publicKey, usage: "digitalSignature", serialNumber: 12 });
    await invoke(connection, setup.importCertificate(issued));
    await invoke(connection, setup.importCertificate(clientCertificate));
    const list = await connection.get(CERTIFICATES);
    expect(certificateListFrom(list.type === "data" ? list.data : undefined).map(({ entity }) => entity)).toEqual([
      "authority",
      "server",
      "client",
    ]);
    const reference = { type: "serial", serialNumber: Uint8Array.of(12), issuer: issued.issuer.octets } as const;
    const exported = certificateIn(await invoke(connection, setup.exportCertificate(reference)), {
      usage: "digitalSignature",
      atMs: Date.now(),
      trusted: [authority.certificate],
      systemTitle: meterTitle,
    });
    expect(exported.octets).toEqual(issued.octets);
    return exported.publicKey;
  });
  const agreed = await associated(old, async (connection) => {
    const order = setup.agreeOnKeys({
      suite: 1,
      roles: ["blockCipherKey", "authenticationKey"],
      clientSystemTitle: CLIENT,
      serverSystemTitle: meterTitle,
      signingKey: clientKey,
      serverSigningKey,
      randomOctets: random,
    });
    return order.accept(await invoke(connection, order));
  });
  await associated(keysOf(agreed, old), async (connection) => {
    await readsClock(connection);
    const client = { type: "entity", entity: "client", purpose: "digital-signature", systemTitle: CLIENT } as const;
    await invoke(connection, setup.removeCertificate(client));
    const { method, parameters } = setup.exportCertificate(client);
    expect(await connection.action(method, parameters)).toMatchObject({ result: "other-reason" });
  });
  await expect(associated(old, readsClock)).rejects.toMatchObject({ name: "SessionFailedError" });
});
