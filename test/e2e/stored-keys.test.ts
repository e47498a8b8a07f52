import { writeFileSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { keysImport, keysList, keysNewSealingKey, keysReseal } from "../../src/cli/commands/keys-command.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

/** House 0 is ciphered and has its keys in the store; house 1 has its secret in a file that is not there yet. */
const STORED = 0;
const MISSING = 1;
let over: GatewayOverStreet;
let missingFile = "";
beforeAll(async () => {
  over = await gatewayOverStreet(
    { count: 3 },
    {
      configure: (config) => {
        const sealingKey = join(config.stateDirectory ?? "", "sealing-key");
        writeFileSync(sealingKey, "5a".repeat(32));
        config.keys = { sealingKey: `file:${sealingKey}` };
        const stored = config.meters?.[STORED]?.association;
        const missing = config.meters?.[MISSING]?.association;
        if (stored?.security === undefined || missing === undefined) throw new Error("the street has other houses");
        stored.secret = "stored";
        stored.security.blockCipherKey = "stored";
        stored.security.authenticationKey = "stored";
        missingFile = join(config.stateDirectory ?? "", "later");
        missing.secret = `file:${missingFile}`;
      },
    },
  );
}, 120_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await over[Symbol.asyncDispose]();
});

function told<E extends GatewayEvent["event"]>(event: E): Extract<GatewayEvent, { event: E }>[] {
  return over.events.filter((each): each is Extract<GatewayEvent, { event: E }> => each.event === event);
}

function house(index: number) {
  const meter = over.street.meters[index];
  if (meter === undefined) throw new Error("no such house");
  return meter;
}

/** What a command writes. */
function written() {
  const lines: string[] = [];
  const take = (text: string) => void lines.push(text);
  return { output: { out: take, err: take, width: undefined }, text: () => lines.join("\n") };
}

/** A configuration file for the command: the gateway's database, and sealing keys. */
async function configFile(...sealingKeys: string[]): Promise<string> {
  const file = join(over.directory, "gateway.yaml");
  vi.stubEnv("TEST_STORED_KEYS_URL", over.gateway.databaseUrl);
  const [sealingKey = "", ...former] = sealingKeys.map((each) => `file:${join(over.directory, each)}`);
  const keys = { sealingKey, formerSealingKeys: former };
  await writeFile(file, `database: { url: "env:TEST_STORED_KEYS_URL" }\nkeys: ${JSON.stringify(keys)}\n`);
  return file;
}

function keyLines(): { readonly text: string; readonly octets: readonly string[] } {
  const { name, clientSap, secret = "", security } = house(STORED);
  const octets = [security?.blockCipherKey ?? "", security?.authenticationKey ?? ""];
  const lines = [
    "meter,client,role,key",
    `${name},${clientSap},password,${secret}`,
    `${name},,guek,${octets[0]}`,
    `${name},${clientSap},authenticationKey,${octets[1]}`,
  ];
  return { text: lines.join("\n"), octets: [secret, ...octets] };
}

test("locked meters: they alone are not read, and each says what it lacks", async () => {
  const locked = told("meterLocked").map(({ meter }) => meter);
  expect(locked.toSorted()).toEqual([house(STORED).name, house(MISSING).name].toSorted());
  await over.gateway.pollOnce();
  expect(told("meterPolled").map(({ meter }) => meter)).toEqual([house(2).name]);
  const failed = new Map(told("meterFailed").map((each) => [each.meter, each]));
  expect(failed.get(house(STORED).name)).toMatchObject({ cause: "configuration" });
  expect(failed.get(house(STORED).name)?.evidence).toMatch(/KEY_NOT_STORED.*role=hlsSecret/u);
  expect(failed.get(house(STORED).name)?.nextStep).toMatch(/keys import/u);
  expect(failed.get(house(MISSING).name)?.evidence).toContain(missingFile);
});

test("stored keys: a meter whose keys have been imported is read at the next visit, without a restart", async () => {
  const file = join(over.directory, "keys.csv");
  const { text, octets } = keyLines();
  await writeFile(file, text);
  const { output, text: shown } = written();
  await keysImport(file, { config: await configFile("sealing-key") }, output);
  await keysList({ config: await configFile("sealing-key") }, output);
  expect(shown()).toContain("blockCipherKey");
  for (const secret of octets) expect(shown().toLowerCase()).not.toContain(secret.toLowerCase());
  await writeFile(missingFile, house(MISSING).secret ?? "");
  await over.gateway.pollOnce();
  const polled = new Set(told("meterPolled").map(({ meter }) => meter));
  expect([...polled].toSorted()).toEqual([house(0).name, house(1).name, house(2).name].toSorted());
});

test("stored keys: what lies in the database opens under the sealing key only, and can be sealed anew while the gateway works", async () => {
  const sealed = async () => {
    const rows = await over.gateway.database.query<{ sealed: string }>(
      "select encode(sealed, 'hex') as sealed from dlms.keys order by role",
    );
    return rows.map((row) => row.sealed);
  };
  const before = await sealed();
  for (const key of keyLines().octets.slice(1)) expect(before.join()).not.toContain(key.toLowerCase());
  const { output, text } = written();
  await keysNewSealingKey(join(over.directory, "next-key"), {}, output);
  expect((await stat(join(over.directory, "next-key"))).mode & 0o777).toBe(0o600);
  await expect(keysNewSealingKey(join(over.directory, "next-key"), {}, output)).rejects.toThrow(/EEXIST/u);
  await expect(keysReseal({ config: await configFile("next-key") }, output)).rejects.toThrow(/SEALING_KEY_UNKNOWN/u);
  const take = async (sealingKey: string, ...former: string[]) => {
    const [first = "", ...others] = [sealingKey, ...former].map((name) => `file:${join(over.directory, name)}`);
    over.config.keys = { sealingKey: first, formerSealingKeys: others };
    await over.gateway.configure("keys");
  };
  await take("next-key", "sealing-key");
  await keysReseal({ config: await configFile("next-key", "sealing-key") }, output);
  expect(text()).toContain("3 keys sealed again");
  expect(await sealed()).not.toEqual(before);
  await take("next-key");
  // A meter that is taken anew has its keys opened anew.
  over.config.meters = over.config.meters.map((meter) => {
    return { ...meter, connection: { ...meter.connection, responseTimeout: 9000 } };
  });
  await over.gateway.configure("meters");
  const polls = told("meterPolled").length;
  await over.gateway.pollOnce();
  expect(
    told("meterPolled")
      .slice(polls)
      .map(({ meter }) => meter),
  ).toContain(house(STORED).name);
  await expect(take("no-such-key")).rejects.toThrow(/no-such-key: the secret can't be read/u);
  await keysReseal({ config: await configFile("next-key") }, output);
  expect(text()).not.toContain((await readFile(join(over.directory, "next-key"), "utf8")).trim());
});

test("stored keys: a container under a transport key is imported, and a command gives the key that seals", async () => {
  const file = join(over.directory, "container.xml");
  // RFC 3394, 4.1.
  const wrapped = Buffer.from("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5", "hex").toString("base64");
  const { name } = house(2);
  await writeFile(
    file,
    `<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:x="http://www.w3.org/2001/04/xmlenc#"><KeyPackage>
      <DeviceInfo><SerialNo>${name}</SerialNo></DeviceInfo><Key Id="a"><KeyProfileId>guek</KeyProfileId><Data><Secret>
      <EncryptedValue><x:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#kw-aes128"/>
      <x:CipherData><x:CipherValue>${wrapped}</x:CipherValue></x:CipherData></EncryptedValue>
      </Secret></Data></Key></KeyPackage></KeyContainer>`,
  );
  vi.stubEnv("TEST_TRANSPORT_KEY", "000102030405060708090a0b0c0d0e0f");
  const config = await configFile("next-key");
  const text = await readFile(config, "utf8");
  await writeFile(config, text.replace("file:", "command:/bin/cat "));
  const { output, text: shown } = written();
  await keysImport(file, { config, transportKey: "env:TEST_TRANSPORT_KEY" }, output);
  expect(shown()).toMatch(new RegExp(`${name} +all +blockCipherKey +1`, "u"));
  expect(shown()).not.toMatch(/00112233/u);
  await keysReseal({ config: await configFile("next-key") }, output);
  expect(shown()).toContain("4 keys sealed again");
  await writeFile(config, text.replace(/file:[^"]*/u, "command:/bin/false"));
  await expect(keysList({ config }, output)).rejects.toThrow(/command:\/bin\/false.*the command ended with 1/u);
});

test.each([
  ["meter,client,role\n", /first line/u],
  ["meter,client,role,key\nd1-01,48,guek,00112233\n", /line 2: the blockCipherKey .*SECURITY_KEY_LENGTH/u],
  ["meter,client,role,key\nd1-01,48,gux,00\n", /line 2: no such role: gux/u],
  ["meter,client,role,key\nd1-01,x,guek,00\n", /line 2: a client is a number/u],
  ["meter,client,role,key\nd1-1,48,password,abc\n", /no meter d1-1; did you mean d1-01/u],
])("keys import: a file that is wrong is refused whole (%#)", async (text, message) => {
  const file = join(over.directory, "wrong.csv");
  await writeFile(file, text);
  const config = await configFile("next-key");
  await expect(keysImport(file, { config }, written().output)).rejects.toThrow(message);
});
