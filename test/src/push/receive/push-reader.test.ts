import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeApdu } from "../../../../protocol/apdu/apdu.ts";
import { fromHex, toHex } from "../../../../protocol/bytes/hex.ts";
import { ApduProtection } from "../../../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { type PushOutcome, PushReader } from "../../../../src/push/receive/push-reader.ts";
import type { PushSender } from "../../../../src/push/senders/sender-directory.ts";
import { SenderKeys } from "../../../../src/push/senders/sender-keys.ts";
import { AUTHENTICATION_KEY, BLOCK_CIPHER_KEY, sender, title } from "../senders.ts";

const PLAIN = fromHex("0f0000000100020109060000190900ff");
const SAPS = { sourceSap: 1, destinationSap: 64 };

function readerFor(...senders: readonly PushSender[]): PushReader {
  const keys = new SenderKeys();
  return new PushReader({
    candidates: (wanted) =>
      senders
        .filter((each) => wanted === undefined || each.systemTitle?.every((octet, at) => octet === wanted[at]))
        .map((each) => ({ sender: each, protection: keys.protectionOf(each) })),
  });
}

function read(reader: PushReader, apdu: Uint8Array): PushOutcome[] {
  return reader.receive({ apdu, ...SAPS });
}

function sealed(text: string, control: "encrypted" | "authenticated-encrypted", firstCounter = 1): Uint8Array {
  let counter = firstCounter;
  const protection = new ApduProtection({
    suite: 0,
    ownSystemTitle: title(text),
    keys: { blockCipherKey: BLOCK_CIPHER_KEY, authenticationKey: AUTHENTICATION_KEY },
    nextInvocationCounter: () => counter++,
  });
  return protection.protect(PLAIN, { control, form: "general", keySet: "global" });
}

function blocks(octets: Uint8Array, length: number): Uint8Array[] {
  const count = Math.ceil(octets.length / length);
  return Array.from({ length: count }, (_, index) =>
    encodeApdu({
      apdu: "general-block-transfer",
      body: {
        blockControl: { lastBlock: index === count - 1, streaming: true, window: 0 },
        blockNumber: index + 1,
        blockNumberAck: 0,
        blockData: octets.subarray(index * length, (index + 1) * length),
      },
    }),
  );
}

test("push reader: plain, behind an LLC header, and as a bare value", () => {
  const reader = readerFor();
  const [plain] = read(reader, PLAIN);
  expect(plain).toMatchObject({ type: "notification", layers: [], marks: [], opened: undefined });
  expect(read(reader, fromHex(`e6e700${toHex(PLAIN)}`))).toEqual([plain]);
  expect(read(reader, fromHex("020109060000190900ff"))).toMatchObject([
    { type: "notification", marks: ["bare-value"], notification: { body: { body: { type: "structure" } } } },
  ]);
});

test("push reader: an alarm of DSMR 4, which has no APDU around it", () => {
  const alarm = `${toHex(new TextEncoder().encode("E0010000000000017"))}2c00000002`;
  expect(read(readerFor(), fromHex(alarm))).toMatchObject([
    { type: "notification", marks: ["bare-value"], notification: { body: { body: { type: "structure" } } } },
  ]);
  expect(read(readerFor(), fromHex(alarm.slice(0, -2)))).toMatchObject([{ type: "rejected" }]);
});

test("push reader: ciphered with the keys of the title's owner; a tag vouches where there is one", () => {
  const meter = sender(1);
  const reader = readerFor(meter);
  expect(read(reader, sealed("VMT00001", "authenticated-encrypted"))).toMatchObject([
    { type: "notification", systemTitle: meter.systemTitle, layers: [{ verified: true }], opened: { sender: meter } },
  ]);
  expect(read(reader, sealed("VMT00001", "encrypted"))).toMatchObject([
    { type: "notification", layers: [{ verified: false }] },
  ]);
});

test("push reader: a counter that came before is data all the same, and told", () => {
  const reader = readerFor(sender(1));
  const apdu = sealed("VMT00001", "authenticated-encrypted", 7);
  expect(read(reader, apdu)).toMatchObject([{ type: "notification", marks: [] }]);
  expect(read(reader, apdu)).toMatchObject([{ type: "notification", marks: ["counter-replayed"] }]);
});

test("push reader: of several meters with one title the one whose keys fit is the sender", () => {
  const other = new SecretKey("blockCipherKey", new Uint8Array(16));
  const stranger = sender(2, { systemTitle: title("VMT00001") });
  const { security } = stranger;
  if (security === undefined) throw new Error("no keys");
  const wrong = { ...stranger, security: { ...security, blockCipherKey: other } };
  const right = sender(1);
  for (const control of ["encrypted", "authenticated-encrypted"] as const) {
    expect(read(readerFor(wrong, right), sealed("VMT00001", control))).toMatchObject([{ opened: { sender: right } }]);
  }
  expect(read(readerFor(wrong), sealed("VMT00001", "authenticated-encrypted"))).toMatchObject([
    { type: "rejected", error: { code: "SECURITY_TAG_MISMATCH" }, claimed: wrong },
  ]);
});

test("push reader: without keys it is told whose are missing", () => {
  const apdu = sealed("VMT00001", "authenticated-encrypted");
  const rejected = { type: "rejected", error: { code: "SECURITY_KEY_MISSING" }, octets: apdu };
  expect(read(readerFor(), apdu)).toMatchObject([{ ...rejected, systemTitle: title("VMT00001"), claimed: undefined }]);
  const keyless = sender(1, { security: undefined });
  expect(read(readerFor(keyless), apdu)).toMatchObject([{ ...rejected, claimed: keyless }]);
});

test("push reader: blocks are joined by station, whatever comes between; what stays half is told at the end", () => {
  const reader = readerFor(sender(1));
  const parts = blocks(sealed("VMT00001", "authenticated-encrypted"), 10);
  const last = parts.length - 1;
  for (const part of parts.slice(0, last)) {
    expect(read(reader, part)).toEqual([]);
    expect(reader.receive({ apdu: part, sourceSap: 17, destinationSap: 64 })).toEqual([]);
  }
  expect(read(reader, PLAIN)).toMatchObject([{ type: "notification" }]);
  expect(read(reader, parts[last] ?? PLAIN)).toMatchObject([{ type: "notification", layers: [{ verified: true }] }]);
  expect(reader.pending).toBe(true);
  expect(reader.end()).toMatchObject([{ type: "rejected", error: { code: "FRAME_INCOMPLETE" } }]);
  expect([reader.pending, reader.end()]).toEqual([false, []]);
});

test("push reader: stations that begin transfers without end are forgotten, and told", () => {
  const reader = readerFor();
  const [first = PLAIN] = blocks(PLAIN, 4);
  const told = Array.from({ length: 40 }, (_, sourceSap) => {
    return reader.receive({ apdu: first, sourceSap, destinationSap: 64 });
  });
  expect(told.flat()).toHaveLength(24);
  expect(reader.end()).toHaveLength(16);
});

test("push reader: other services are rejected by name", () => {
  expect(read(readerFor(), fromHex("c001c100080000010000ff0200"))).toMatchObject([
    { type: "rejected", error: { code: "SERVICE_UNEXPECTED", at: { apdu: "get-request" } } },
  ]);
});

const WHOLE = {
  plain: PLAIN,
  encrypted: sealed("VMT00001", "encrypted"),
  authenticated: sealed("VMT00001", "authenticated-encrypted"),
  block: blocks(PLAIN, 100)[0] ?? PLAIN,
};

test.each(Object.entries(WHOLE))("push reader: every beginning of %s is rejected with its octets", (_, octets) => {
  for (let length = 0; length < octets.length; length++) {
    const apdu = octets.subarray(0, length);
    expect(read(readerFor(sender(1)), apdu)).toMatchObject([{ type: "rejected", octets: apdu }]);
  }
});

test("push reader: any octets, and any damage to a push, end as an outcome", () => {
  const reader = readerFor(sender(1));
  const damaged = fc
    .tuple(fc.constantFrom(...Object.values(WHOLE)), fc.nat(), fc.integer({ min: 1, max: 255 }))
    .map(([octets, at, mask]) => octets.map((octet, index) => (index === at % octets.length ? octet ^ mask : octet)));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (apdu) => {
      expect(read(reader, apdu).length + (reader.pending ? 1 : 0)).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
});
