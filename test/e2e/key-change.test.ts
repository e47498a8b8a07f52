/** A meter's keys are changed by the daemon, over real sockets and its key store, whatever goes wrong on the way. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ByteChannel } from "../../drivers/channel.ts";
import { Pump } from "../../drivers/pump.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import { readCertificateRequest } from "../../protocol/security/certificate-request.ts";
import { privateKeyFromPem } from "../../protocol/security/elliptic-key.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import type { SecuritySetupVersion } from "../../protocol/security/security-setup.ts";
import { certificatesCommand } from "../../src/cli/commands/certificates-command.ts";
import { keysSettle, keysTransfer } from "../../src/cli/commands/key-change-command.ts";
import { type Config, configSchema } from "../../src/config/schema.ts";
import { readFleetRecord } from "../../src/fleet/fleet-record.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { KeyStore } from "../../src/keys/key-store.ts";
import type { CertificateOrder } from "../../src/keys/meter-certificates.ts";
import { openKeyStore } from "../../src/keys/stored-keys.ts";
import { idisIdentity, seededSecrets } from "../../src/simulator/meter-identity.ts";
import { idis } from "../../src/simulator/models/idis.ts";
import { VirtualMeter } from "../../src/simulator/virtual-meter.ts";
import { WiredMeter } from "../../src/simulator/wired-meter.ts";
import { Authority } from "../protocol/security/authority.ts";

const NUMBER = 16_000_001;
const SEED = 5;
const MANAGEMENT = 1;
/** Each meter has a number of its own in the database that the tests share. */
let sites = 0;
const random = (length: number) => new Uint8Array(randomBytes(length));

type PublicKeys = NonNullable<ConstructorParameters<typeof VirtualMeter>[0]["publicKeys"]>;

function newPair() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const privatePem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { privatePem, publicPem: publicKey.export({ type: "spki", format: "pem" }).toString() };
}

async function pemFile(name: string, pem: string): Promise<string> {
  await writeFile(join(directory, name), pem, { mode: 0o600 });
  return `file:${join(directory, name)}`;
}

/** What befalls the meter's line. */
interface Fate {
  /** Nothing that the meter says from its change of keys on gets through, and nobody else does. */
  cutAtChange: boolean;
  /** Nobody gets through. */
  away: boolean;
}

/** A meter behind a listener. */
async function listening(version: SecuritySetupVersion, suite: 0 | 1 = 0, publicKeys: PublicKeys = {}) {
  const identity = idisIdentity(NUMBER);
  const security = { mechanism: "hls-gmac", protection: "authenticated-encrypted" } as const;
  const described = idis({ identity, security, timeZone: "Europe/Vienna" });
  const objects = described.objects.map((each) => (each.classId === 64 ? { ...each, version } : each));
  const meter = new VirtualMeter({
    description: { ...described, objects },
    identity,
    secrets: seededSecrets(SEED),
    seed: SEED,
    suite,
    publicKeys,
    clock: Date.now,
    randomOctets: random,
    firstInvocationCounter: 1,
  });
  const fate: Fate = { cutAtChange: false, away: false };
  const before = meter.security.secrets.blockCipherKey;
  const listener = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    const wired = new WiredMeter({ meter, link: { type: "wrapper" } });
    const line: ByteChannel = {
      name: channel.name,
      start: (sink) => channel.start(sink),
      write: (bytes) => {
        if (fate.cutAtChange && meter.security.secrets.blockCipherKey !== before) fate.away = true;
        if (fate.away) channel.close();
        else channel.write(bytes);
      },
      close: () => channel.close(),
    };
    const pump = new Pump(wired, line, { event: () => {}, closed: () => {} }, { ended: { type: "channelEnded" } });
    pump.start();
    pump.command({ type: "open" });
  });
  return { meter, listener, fate, number: String(NUMBER + sites++) };
}

let directory: string;
let sealingKey: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-keys-"));
  await chmod(directory, 0o711);
  sealingKey = join(directory, "sealing-key");
  await writeFile(sealingKey, "5a".repeat(32), { mode: 0o600 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

type Site = Awaited<ReturnType<typeof listening>>;

function configOf({ listener, number }: Site, security: Record<string, unknown> = {}): Config {
  return configSchema.parse({
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    keys: { sealingKey: `file:${sealingKey}` },
    plans: [],
    meters: [
      {
        name: "meter",
        number,
        companion: "idis",
        timeZone: "Europe/Vienna",
        connection: { tcp: `127.0.0.1:${listener.address.port}`, responseTimeout: "2s" },
        association: {
          clientSap: MANAGEMENT,
          mechanism: "hls-5",
          security: {
            clientSystemTitle: "4D4D4D0000000001",
            blockCipherKey: "stored",
            authenticationKey: "stored",
            masterKey: "stored",
            invocationCounter: "find",
            ...security,
          },
        },
      },
    ],
  });
}

interface Station {
  readonly gateway: Gateway;
  readonly keys: KeyStore;
  readonly meterId: string;
}

/** Runs a gateway, with its meter's keys in the store, as long as the work takes. */
async function withGateway<T>(config: Config, work: (station: Station) => Promise<T>): Promise<T> {
  await using gateway = await Gateway.start({ config, version: "test", events: () => undefined });
  const keys = await openKeyStore(config.keys, gateway.database);
  if (keys === undefined) throw new Error("no key store");
  const number = config.meters[0]?.number ?? "";
  const [row] = await gateway.database.query<{ id: string }>("select id from public.meters where meter_number = $1", [
    number,
  ]);
  return await work({ gateway, keys, meterId: row?.id ?? "" });
}

async function storeKeys({ keys, meterId }: Station, stored: readonly SecretKey[]): Promise<void> {
  for (const key of stored) await keys.put({ meterId, clientSap: 0 }, key);
}

/** The command's words and how it ended. */
async function order(
  command: typeof keysTransfer | typeof keysSettle,
  options: Partial<Parameters<typeof keysTransfer>[1]> = {},
) {
  const lines: string[] = [];
  const take = (text: string) => void lines.push(text);
  const given = { role: "guek", why: "a test", socket: join(directory, "control.sock"), ...options };
  const reason = await command("meter", given, { out: take, err: take, width: undefined });
  return { reason, text: lines.join("\n") };
}

async function statesOf({ gateway, meterId }: Station): Promise<string[]> {
  const rows = await gateway.database.query<{ key: string }>(
    "select role || ' ' || version || ' ' || state as key from dlms.keys where role <> 'masterKey' and meter_id = $1 order by 1",
    [meterId],
  );
  return rows.map(({ key }) => key);
}

/** What a start without the database goes by. */
async function recordedKeysOf({ meterId }: Station): Promise<string[]> {
  const keys = (await readFleetRecord(join(directory, "fleet.record")))?.sealedKeys ?? [];
  const own = keys.filter((each) => each.meterId === meterId && each.role !== "masterKey");
  return own.map(({ role, version, state }) => `${role} ${version} ${state}`);
}

const UNCHANGED = ["authenticationKey 1 active", "blockCipherKey 1 active"];
const BEGUN = [...UNCHANGED, "blockCipherKey 2 pending"];
const CHANGED = ["authenticationKey 1 active", "blockCipherKey 1 retired", "blockCipherKey 2 active"];
const TRANSFERRED = ["authenticationKey 1 retired", "authenticationKey 2 active", ...CHANGED.slice(1)];
const GIVEN_UP = [...UNCHANGED, "blockCipherKey 2 retired"];

function own({ meter }: Site): SecretKey[] {
  const { blockCipherKey, authenticationKey, masterKey } = meter.security.secrets;
  return [blockCipherKey, authenticationKey, masterKey];
}

test.each([0, 1] as const)(
  "keys transfer: through a security setup of version %i, each key in turn, and the meter is read under them",
  async (version) => {
    const site = await listening(version);
    await using _ = site.listener;
    const changed = await withGateway(configOf(site), async (station) => {
      const old = own(site);
      await storeKeys(station, old);
      await station.gateway.read("meter", "clock");
      expect(await order(keysTransfer)).toMatchObject({ reason: "success" });
      const told = await statesOf(station);
      await expect.poll(() => recordedKeysOf(station), { timeout: 10_000 }).toEqual(told);
      expect(await order(keysTransfer, { role: "authenticationKey" })).toMatchObject({ reason: "success" });
      expect(await statesOf(station)).toEqual(TRANSFERRED);
      for (const [at, key] of own(site).slice(0, 2).entries()) expect(key.equals(old[at] ?? key)).toBe(false);
      expect((await station.gateway.read("meter", "clock")).rows).toHaveLength(1);
      return station;
    });
    expect(await recordedKeysOf(changed)).toEqual(TRANSFERRED);
    // Another process has nothing but the store.
    await withGateway(configOf(site), async ({ gateway }) => {
      expect((await gateway.read("meter", "clock")).rows).toHaveLength(1);
    });
  },
  120_000,
);

test("keys transfer: a meter that refuses keeps its key, and so does the store", async () => {
  const site = await listening(1);
  await using _ = site.listener;
  await withGateway(configOf(site), async (station) => {
    const [blockCipherKey, authenticationKey] = own(site);
    const wrong = new SecretKey("masterKey", random(16));
    await storeKeys(
      station,
      [blockCipherKey, authenticationKey, wrong].filter((key) => key !== undefined),
    );
    const { reason, text } = await order(keysTransfer);
    expect(reason).toBe("meterFailed");
    expect(text).toContain("refuses the new key; the old one stays");
    expect(await statesOf(station)).toEqual(GIVEN_UP);
    expect((await station.gateway.read("meter", "clock")).rows).toHaveLength(1);
  });
}, 120_000);

test("keys transfer: cut short after the meter took the key, the next process finds out that it has it", async () => {
  const site = await listening(1);
  await using _ = site.listener;
  site.fate.cutAtChange = true;
  const config = configOf(site);
  await withGateway(config, async (station) => {
    await storeKeys(station, own(site));
    const { reason, text } = await order(keysTransfer);
    expect(reason).toBe("meterFailed");
    expect(text).toContain("stays pending");
    expect(await statesOf(station)).toEqual(BEGUN);
  });
  site.fate.cutAtChange = false;
  site.fate.away = false;
  await withGateway(config, async (station) => {
    await expect(station.gateway.read("meter", "clock")).rejects.toThrow("meter: wrong");
    expect(await order(keysSettle)).toMatchObject({ reason: "success" });
    expect(await statesOf(station)).toEqual(CHANGED);
    expect((await station.gateway.read("meter", "clock")).rows).toHaveLength(1);
    expect((await order(keysSettle)).text).toContain("no change of a key is open");
  });
}, 120_000);

test("keys transfer: cut short before the meter heard of it, the old key is shown to hold", async () => {
  const site = await listening(1);
  await using _ = site.listener;
  const config = configOf(site);
  await withGateway(config, async (station) => {
    await storeKeys(station, own(site));
    // As a process leaves it that dies between the store and the meter.
    await station.keys.put(
      { meterId: station.meterId, clientSap: 0 },
      new SecretKey("blockCipherKey", random(16)),
      "pending",
    );
    const { reason, text } = await order(keysSettle);
    expect(reason).toBe("success");
    expect(text).toContain("goes on with the old key");
    expect(await statesOf(station)).toEqual(GIVEN_UP);
    expect((await station.gateway.read("meter", "clock")).rows).toHaveLength(1);
  });
}, 120_000);

test("keys transfer: what can't be proven or done is refused before the meter is told", async () => {
  const site = await listening(1);
  await using _ = site.listener;
  await withGateway(configOf(site, { signingKey: await pemFile("signing", newPair().privatePem) }), async (station) => {
    await storeKeys(station, own(site));
    await expect(order(keysTransfer, { agree: true })).rejects.toThrow("serverSigningKey");
    expect(await order(keysTransfer, { role: "kek" })).toMatchObject({ reason: "usage" });
    expect(await statesOf(station)).toEqual(UNCHANGED);
  });
}, 120_000);

/** A meter of suite 1 that agrees on keys with us, and its configuration. */
async function agreeing() {
  const authority = new Authority("Test Root CA", privateKeyFromPem(newPair().privatePem));
  const [ours, theirs] = [newPair(), newPair()];
  const clientCertificate = authority.issue({
    commonName: "4D4D4D0000000001",
    publicKey: privateKeyFromPem(ours.privatePem).publicKey,
    usage: "digitalSignature",
    serialNumber: 7,
  });
  const site = await listening(1, 1, {
    keyPairs: { "digital-signature": privateKeyFromPem(theirs.privatePem) },
    certificates: [authority.certificate, clientCertificate],
  });
  const config = configOf(site, {
    suite: 1,
    signingKey: await pemFile("ours", ours.privatePem),
    serverSigningKey: await pemFile("theirs", theirs.publicPem),
  });
  return { site, config };
}

test("keys transfer --agree: both make the key by themselves, and it never travels", async () => {
  const { site, config } = await agreeing();
  await using _ = site.listener;
  await withGateway(config, async (station) => {
    await storeKeys(station, own(site));
    expect(await order(keysTransfer, { agree: true })).toMatchObject({ reason: "success" });
    expect(await statesOf(station)).toEqual([
      "authenticationKey 1 active",
      "blockCipherKey 1 retired",
      "blockCipherKey 2 retired",
      "blockCipherKey 3 active",
    ]);
    expect((await station.gateway.read("meter", "clock")).rows).toHaveLength(1);
  });
}, 120_000);

test("keys transfer --agree: cut short after the meter took the key, that stays open until a key is known to hold", async () => {
  const { site, config } = await agreeing();
  await using _ = site.listener;
  const { blockCipherKey } = site.meter.security.secrets;
  site.fate.cutAtChange = true;
  await withGateway(config, async (station) => {
    await storeKeys(station, own(site));
    const { reason, text } = await order(keysTransfer, { agree: true });
    expect(reason).toBe("meterFailed");
    expect(text).toContain("stays pending");
    expect(await statesOf(station)).toEqual(BEGUN);
  });
  site.fate.cutAtChange = false;
  site.fate.away = false;
  await withGateway(config, async (station) => {
    // The meter's part of the key travels once: what it made of it, only the meter knows.
    expect(await order(keysSettle)).toMatchObject({ reason: "meterFailed", text: expect.stringContaining("neither") });
    expect(await statesOf(station)).toEqual(BEGUN);
    // As another client of the meter may give it the old one again.
    site.meter.security.change({ blockCipherKey });
    expect((await order(keysSettle)).text).toContain("goes on with the old key");
    expect(await statesOf(station)).toEqual(GIVEN_UP);
  });
}, 120_000);

test("certificates: a meter's are listed, exported, asked for and imported by command", async () => {
  const authority = new Authority("Test Root CA", privateKeyFromPem(newPair().privatePem));
  const site = await listening(1, 1, { certificates: [authority.certificate] });
  await using _ = site.listener;
  const socket = join(directory, "control.sock");
  const worked = async (given: CertificateOrder, out?: string) => {
    const lines: string[] = [];
    const take = (text: string) => void lines.push(text);
    const options = { why: "a test", socket, ...(out !== undefined && { out }) };
    const reason = await certificatesCommand("meter", given, options, { out: take, err: take, width: undefined });
    return { reason, text: lines.join("\n") };
  };
  await withGateway(configOf(site, { suite: 1 }), async (station) => {
    await storeKeys(station, own(site));
    expect((await worked({ type: "list" })).text).toMatch(/authority +digital-signature +01/u);
    const asked = { type: "request", purpose: "digital-signature", newKeyPair: true } as const;
    const file = join(directory, "meter.csr");
    expect(await worked(asked, file)).toEqual({ reason: "success", text: `${file} is written` });
    const encoded = (await readFile(file, "utf8")).replaceAll(/-----[A-Z ]+-----|\s/gu, "");
    const { publicKey, commonName = "" } = readCertificateRequest(new Uint8Array(Buffer.from(encoded, "base64")));
    const issued = authority.issue({ commonName, publicKey, usage: "digitalSignature", serialNumber: 12 });
    const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(issued.octets).toString("base64")}\n-----END CERTIFICATE-----\n`;
    expect((await worked({ type: "import", pem })).text).toMatch(/server +digital-signature +0c/iu);
    expect((await worked({ type: "export", serialNumber: "0C" })).text.replaceAll("\n", "")).toBe(
      pem.replaceAll("\n", ""),
    );
    await expect(worked({ type: "export", serialNumber: "0D" })).rejects.toThrow(
      "no certificate with the serial number",
    );
  });
}, 120_000);
