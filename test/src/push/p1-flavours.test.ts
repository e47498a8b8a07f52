/** Telegrams in the manner of each kind of P1 port, made for this test: what they say comes out, encrypted or not. */
import { expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { p1Check } from "../../../protocol/link/iec62056-21/p1.ts";
import { octetsOf } from "../../../protocol/link/iec62056-21/text.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { PushReader } from "../../../src/push/receive/push-reader.ts";
import type { PushSender } from "../../../src/push/senders/sender-directory.ts";
import { SenderKeys } from "../../../src/push/senders/sender-keys.ts";
import { BLOCK_CIPHER_KEY, OWN_TITLE, sender, title } from "./senders.ts";

interface Flavour {
  readonly name: string;
  readonly head: string;
  readonly lines: readonly string[];
  /** DSMR 2 has none. */
  readonly check: boolean;
  /** Some of what it says: address and values. */
  readonly says: readonly (readonly [string, ...string[]])[];
}

const FLAVOURS: readonly Flavour[] = [
  {
    name: "DSMR 2.2",
    head: "/ABC5\\2TEST-22",
    lines: [
      "0-0:96.1.1(31323334)",
      "1-0:1.8.1(00185.000*kWh)",
      "0-0:17.0.0(999*A)",
      "0-1:24.3.0(120517020000)(08)(60)(1)(0-1:24.2.1)(m3)",
      "(00124.477)",
    ],
    check: false,
    says: [
      ["1-0:1.8.1", "00185.000*kWh"],
      ["0-1:24.3.0", "120517020000", "08", "60", "1", "0-1:24.2.1", "m3", "00124.477"],
    ],
  },
  {
    name: "DSMR 5",
    head: "/ABC5TEST-50",
    lines: [
      "1-3:0.2.8(50)",
      "0-0:1.0.0(261121120000W)",
      "1-0:1.8.1(000123.456*kWh)",
      "1-0:99.97.0(1)(0-0:96.7.19)(261120235959W)(0000000301*s)",
      "0-1:24.2.1(261121120000W)(00012.345*m3)",
    ],
    check: true,
    says: [
      ["0-0:1.0.0", "261121120000W"],
      ["1-0:99.97.0", "1", "0-0:96.7.19", "261120235959W", "0000000301*s"],
      ["0-1:24.2.1", "261121120000W", "00012.345*m3"],
    ],
  },
  {
    name: "e-MUCS",
    head: "/ABC5\\TEST-BE",
    lines: [
      "0-0:96.1.4(50221)",
      "0-0:1.0.0(260701120000S)",
      "1-0:1.4.0(00.123*kW)",
      "1-0:1.6.0(260703113000S)(04.185*kW)",
      "0-0:98.1.0(1)(1-0:1.6.0)(1-0:1.6.0)(260601000000S)(260505181500S)(03.695*kW)",
      "0-1:24.2.3(260701115500S)(00086.298*m3)",
    ],
    check: true,
    says: [
      ["1-0:1.6.0", "260703113000S", "04.185*kW"],
      ["0-0:98.1.0", "1", "1-0:1.6.0", "1-0:1.6.0", "260601000000S", "260505181500S", "03.695*kW"],
      ["0-1:24.2.3", "260701115500S", "00086.298*m3"],
    ],
  },
  {
    name: "Nordic",
    head: "/ABC5\\TEST_SE",
    lines: [
      "0-0:1.0.0(261121120000W)",
      "1-0:1.8.0(00006678.394*kWh)",
      "1-0:3.7.0(0000.094*kVAr)",
      "1-0:21.7.0(0001.023*kW)",
      "1-0:32.7.0(240.3*V)",
    ],
    check: true,
    says: [
      ["1-0:1.8.0", "00006678.394*kWh"],
      ["1-0:3.7.0", "0000.094*kVAr"],
      ["1-0:32.7.0", "240.3*V"],
    ],
  },
];

function telegramOf({ head, lines, check }: Flavour): Uint8Array {
  const text = `${head}\r\n\r\n${lines.map((line) => `${line}\r\n`).join("")}!`;
  const sum = check ? p1Check(text).toString(16).toUpperCase().padStart(4, "0") : "";
  return octetsOf(`${text}${sum}\r\n`);
}

function saidBy(octets: Uint8Array, ...senders: readonly PushSender[]): (readonly string[])[] {
  const keys = new SenderKeys();
  const candidates = () => senders.map((each) => ({ sender: each, protection: keys.protectionOf(each) }));
  const [outcome] = new PushReader({ candidates }).receive({ apdu: octets, sourceSap: 1, destinationSap: 64 });
  if (outcome?.type !== "notification" || outcome.notification.apdu !== "p1-telegram") {
    throw new Error(`no telegram but ${JSON.stringify(outcome)}`);
  }
  return outcome.notification.body.dataSets.map(({ address, values }) => [address].concat(values));
}

test.each(FLAVOURS)("P1, $name: each line is read with all its values", (flavour) => {
  const said = saidBy(telegramOf(flavour));
  expect(said).toHaveLength(flavour.lines.filter((line) => !line.startsWith("(")).length);
  for (const line of flavour.says) expect(said).toContainEqual(line);
});

/** The additional authenticated data that Luxembourg has published for all its meters. */
const PUBLISHED = new SecretKey("authenticationKey", fromHex("00112233445566778899AABBCCDDEEFF"));

test("P1, Smarty: an encrypted telegram is opened with the meter's key and the published authentication key", () => {
  const [, flavour] = FLAVOURS;
  if (flavour === undefined) throw new Error("no flavour");
  const security = { suite: 0, ownSystemTitle: OWN_TITLE, blockCipherKey: BLOCK_CIPHER_KEY } as const;
  const seal = new ApduProtection({
    suite: 0,
    ownSystemTitle: title("VMT00001"),
    keys: { blockCipherKey: BLOCK_CIPHER_KEY, authenticationKey: PUBLISHED },
    nextInvocationCounter: () => 7,
  });
  const control = "authenticated-encrypted";
  const octets = seal.protect(telegramOf(flavour), { control, form: "general", keySet: "global" });
  expect(octets[0]).toBe(0xdb);
  const known = sender(1, { security: { ...security, authenticationKey: PUBLISHED } });
  for (const line of flavour.says) expect(saidBy(octets, known)).toContainEqual(line);
  const damaged = Uint8Array.from(octets);
  damaged[60] = (damaged[60] ?? 0) ^ 1;
  expect(() => saidBy(damaged, sender(1, { security: { ...security, authenticationKey: PUBLISHED } }))).toThrow(
    "no telegram",
  );
});
