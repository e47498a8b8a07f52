import { createCipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { readShipment, type ShippedKey, transportKeyOf } from "../../../src/keys/shipment-file.ts";

const XMLENC = "http://www.w3.org/2001/04/xmlenc#";
const KEY = "00112233445566778899aabbccddeeff";

function closed(algorithm: string, octets: Uint8Array, name = "EncryptedValue"): string {
  const value = Buffer.from(octets).toString("base64");
  return `<${name} xmlns:x="${XMLENC}" xmlns="${XMLENC}"><x:EncryptionMethod Algorithm="${algorithm}"/>
    <x:CipherData><x:CipherValue>${value}</x:CipherValue></x:CipherData></${name}>`;
}

function decoded(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

function container(secret: string, { role = "guek@48", mac = "" } = {}): string {
  return `<?xml version="1.0"?>
<pskc:KeyContainer Version="1.0" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc">${mac}
  <pskc:KeyPackage>
    <pskc:DeviceInfo><pskc:Manufacturer>x</pskc:Manufacturer><pskc:SerialNo>987654321</pskc:SerialNo></pskc:DeviceInfo>
    <pskc:Key Id="1"><pskc:KeyProfileId>${role}</pskc:KeyProfileId>
      <pskc:Data><pskc:Secret>${secret}</pskc:Secret></pskc:Data></pskc:Key>
  </pskc:KeyPackage>
</pskc:KeyContainer>`;
}

function shown([first, ...more]: readonly ShippedKey[]) {
  expect(more).toEqual([]);
  return { ...first, key: first?.key.role, octets: toHex(first?.key.reveal() ?? new Uint8Array()).toLowerCase() };
}

function meters(key: string): string {
  return `<MetersInOrder orderid="1"><Meter><MeterNo>1</MeterNo><SerialNo>987654321</SerialNo><DEK>${key}</DEK></Meter>
<Meter><SerialNo>2</SerialNo></Meter></MetersInOrder>`;
}

/** As a KEM file: the password, filled with zeros, is the key. */
function kemFile(text: string, password: string): string {
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-128-cbc", transportKeyOf(password), iv);
  const octets = Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final()]);
  return closed(`${XMLENC}aes128-cbc`, octets, "EncryptedData");
}

// RFC 3394, 4.1.
const WRAPPED = fromHex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
const TRANSPORT_KEY = fromHex("000102030405060708090a0b0c0d0e0f");

test("shipment file: a key container whose keys are wrapped under the transport key", () => {
  const text = container(closed(`${XMLENC}kw-aes128`, WRAPPED));
  const key = { place: "key 1", meter: "987654321", clientSap: 48, key: "blockCipherKey", octets: KEY };
  expect(shown(readShipment(text, TRANSPORT_KEY))).toEqual(key);
  expect(() => readShipment(text)).toThrow(/key 1: the blockCipherKey .*say which transport key opens it/);
  expect(() => readShipment(text, TRANSPORT_KEY.with(0, 1))).toThrow(/does not open with this transport key/);
  expect(() => readShipment(text, new Uint8Array(32))).toThrow(/has 32 octets, and .*kw-aes128 takes 16/);
});

test("shipment file: a key container with plain keys, and one with AES-256-GCM", () => {
  const plain = container(`<PlainValue>${Buffer.from(fromHex(KEY)).toString("base64")}</PlainValue>`, { role: "gak" });
  expect(shown(readShipment(plain))).toMatchObject({ clientSap: 0, key: "authenticationKey", octets: KEY });
  const transportKey = randomBytes(32);
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", transportKey, nonce);
  const octets = Buffer.concat([nonce, cipher.update(fromHex(KEY)), cipher.final(), cipher.getAuthTag()]);
  const text = container(closed("http://www.w3.org/2009/xmlenc11#aes256-gcm", octets));
  expect(shown(readShipment(text, transportKey))).toMatchObject({ octets: KEY });
});

test("shipment file: the container of RFC 6030, 6.1.1, with CBC and a MAC of its own key", () => {
  const secret = "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv";
  const macKey = "ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX";
  const mac = `<MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1">
    ${closed(`${XMLENC}aes128-cbc`, decoded(macKey), "MACKey")}</MACMethod>`;
  const value = (sum: string) => `${closed(`${XMLENC}aes128-cbc`, decoded(secret))}<ValueMAC>${sum}</ValueMAC>`;
  const preShared = fromHex("12345678901234567890123456789012");
  const text = container(value("Su+NvtQfmvfJzF6bmQiJqoLRExc="), { role: "password", mac });
  expect(shown(readShipment(text, preShared))).toMatchObject({
    key: "hlsSecret",
    octets: toHex(new TextEncoder().encode("12345678901234567890")).toLowerCase(),
  });
  const changed = container(value("Su+NvtQfmvfJzF6bmQiJqoLRExd="), { role: "password", mac });
  expect(() => readShipment(changed.replace("RExd=", "RExg="), preShared)).toThrow(/it has been changed/);
  const without = container(closed(`${XMLENC}aes128-cbc`, decoded(secret)), { role: "password", mac });
  expect(() => readShipment(without, preShared)).toThrow(/has to have a ValueMAC/);
});

test("shipment file: a KEM file is opened with its password, and meters without a key have none", () => {
  const file = kemFile(meters(KEY), "customer 7");
  const key = { place: "meter 1", meter: "987654321", clientSap: 0, key: "blockCipherKey", octets: KEY };
  expect(shown(readShipment(file, transportKeyOf("customer 7")))).toEqual(key);
  expect(() => readShipment(file, transportKeyOf("customer 8"))).toThrow(/does not open|no well-formed XML/);
  expect(() => transportKeyOf("longer than sixteen")).toThrow(/16 octets at most/);
});

test.each([
  ["<Other/>", /its element is Other/],
  ['<!DOCTYPE a [<!ENTITY b "c">]><KeyContainer/>', /has no document type/],
  ["<KeyContainer><KeyPackage></KeyContainer>", /no well-formed XML/],
  ["<KeyContainer><KeyPackage/></KeyContainer>", /key 1: wanted DeviceInfo\/SerialNo and Key\/Data\/Secret/],
  [container("", { role: "guex" }), /key 1: no such role: guex/],
  [container("<PlainValue>AAAA</PlainValue>"), /key 1: the blockCipherKey .*SECURITY_KEY_LENGTH/],
  [container(closed("urn:rot13", WRAPPED)), /no algorithm that is known here: urn:rot13/],
])("shipment file: one that is wrong is refused with the place (%#)", (text, message) => {
  expect(() => readShipment(text, TRANSPORT_KEY)).toThrow(message);
});

test("shipment file: cut anywhere or damaged it is refused, and no error shows a key", () => {
  const canary = "5ec2e7c0ffee5ec2e7c0ffee5ec2e7c0";
  const files = [
    meters(canary),
    container(`<PlainValue>${Buffer.from(fromHex(canary)).toString("base64")}</PlainValue>`),
    `meter,client,role,key\n987654321,,guek,${canary}\n`,
  ];
  const secrets = [canary.slice(0, 12), Buffer.from(fromHex(canary)).toString("base64").slice(0, 12)];
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.string(),
      (file, part, junk) => {
        const said = complaint(`${file.slice(0, Math.floor(part * file.length))}${junk}`);
        for (const secret of secrets) expect(said).not.toContain(secret);
      },
    ),
    { numRuns: 300 },
  );
});

function complaint(text: string): string {
  try {
    readShipment(text);
    return "";
  } catch (error) {
    return String(error);
  }
}
