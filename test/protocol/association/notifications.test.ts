/** What a server says unasked, in each of its forms and protections, while an answer is awaited. */
import { expect, test } from "vitest";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { ApduProtection, type ApduProtectionOptions } from "../../../protocol/security/apdu-protection.ts";
import type { CipheredForm, KeySet } from "../../../protocol/security/ciphered-apdu.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { ClientBench } from "./client-bench.ts";
import {
  CLIENT_TITLE,
  CLOCK,
  clientProtection,
  counter,
  KEYS,
  SERVER_TITLE,
  serverProtection,
} from "./server-fixture.ts";

const GET_CLOCK = { type: "get", attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 } } as const;
const ANSWER = "c401c1001101";
const NOTIFICATIONS = {
  "data-notification": "0f 40000001 00 1105",
  "event-notification-request": "c2 00 0008 0000010000ff 02 1105",
  "information-report-request": "18 00 01 02 0108 01 1105",
} as const;

type Name = keyof typeof NOTIFICATIONS;
const NAMES = ["data-notification", "event-notification-request", "information-report-request"] as const;

function octetsOf(name: Name): Uint8Array {
  return fromHex(NOTIFICATIONS[name].replaceAll(" ", ""));
}

test.each(NAMES)("notifications: %s between request and answer is told and disturbs nothing", (name) => {
  const bench = ClientBench.associated();
  bench.order(GET_CLOCK);
  expect(bench.hear(octetsOf(name))).toMatchObject([
    { type: "notification", notification: { apdu: name }, layers: [] },
  ]);
  expect(bench.hear(ANSWER)).toMatchObject([{ type: "response" }]);
  expect(bench.hear(octetsOf(name))).toMatchObject([{ type: "notification" }]);
});

test("answers: one that the network delivers twice does not end the request that follows", () => {
  const { bench, meter } = sides();
  const answer = () =>
    meter.protect(fromHex(ANSWER), {
      control: "authenticated-encrypted",
      form: "service-specific",
      keySet: "dedicated",
    });
  bench.order(GET_CLOCK);
  const [first, second] = [answer(), answer()];
  expect(bench.hear(first).at(-1)).toMatchObject({ type: "response" });
  bench.order(GET_CLOCK);
  expect(bench.hear(first)).toMatchObject([{ type: "discarded", error: { code: "SECURITY_COUNTER_REPLAYED" } }]);
  expect(bench.hear(second).at(-1)).toMatchObject({ type: "response" });
  // An older one is no repetition by the network.
  bench.order(GET_CLOCK);
  expect(bench.hear(first)).toMatchObject([
    { type: "failed", failure: { error: { code: "SECURITY_COUNTER_REPLAYED" } } },
  ]);
});

const DEDICATED = new SecretKey("dedicatedKey", fromHex("00112233445566778899AABBCCDDEEFF"));
const BROADCAST = new SecretKey("broadcastKey", fromHex("0F0E0D0C0B0A09080706050403020100"));

/** A client of which everybody holds every key, and the meter's side of them. */
function sides({ meterSuite = 0, ...over }: { meterSuite?: 0 | 1 } & Partial<ApduProtectionOptions> = {}) {
  const dedicated = { keys: { ...KEYS, dedicatedKey: DEDICATED, broadcastKey: BROADCAST } };
  const meter = new ApduProtection({
    suite: 0,
    ownSystemTitle: SERVER_TITLE,
    peerSystemTitle: CLIENT_TITLE,
    ...dedicated,
    nextInvocationCounter: counter(100),
  });
  const initiate = serverProtection({ suite: meterSuite }).protect(fromHex("0800065F1F0400007E1F04000007"), {
    control: "authenticated-encrypted",
    form: "service-specific",
    keySet: "global",
  });
  const bench = new ClientBench({
    protection: clientProtection({ ...dedicated, ...over }),
    ciphering: { request: "authenticated-encrypted", dedicatedKey: () => DEDICATED },
  });
  bench.order({ type: "associate" });
  const head = "A109060760857405080103A203020100A305A103020100A40A04084D4D4D0000BC614E";
  const information = Uint8Array.of(0xbe, initiate.length + 2, 0x04, initiate.length, ...initiate);
  const body = Uint8Array.of(...fromHex(head), ...information);
  const opened = bench.hear(Uint8Array.of(0x61, body.length, ...body));
  expect(opened.at(-1)).toMatchObject({ type: "associated" });
  return { bench, meter, opened };
}

const PROTECTED: readonly (readonly [Name, CipheredForm, KeySet, string])[] = [
  ["data-notification", "general", "global", "db"],
  ["data-notification", "general", "dedicated", "dc"],
  ["data-notification", "general", "broadcast", "db"],
  ["event-notification-request", "service-specific", "global", "ca"],
  ["event-notification-request", "service-specific", "dedicated", "d2"],
  ["event-notification-request", "general", "global", "db"],
  ["information-report-request", "service-specific", "global", "38"],
  ["information-report-request", "service-specific", "dedicated", "58"],
  ["information-report-request", "general", "dedicated", "dc"],
];

test.each(PROTECTED)(
  "notifications: %s in %s form under the %s key, tag %s, is told with its layer",
  (name, form, keySet, tag) => {
    const { bench, meter } = sides();
    const octets = meter.protect(octetsOf(name), { control: "authenticated-encrypted", form, keySet });
    expect(octets[0]?.toString(16)).toBe(tag);
    expect(bench.hear(octets)).toMatchObject([
      { type: "notification", notification: { apdu: name }, layers: [{ form, keySet, verified: true }] },
    ]);
    // The same once more is a replay.
    expect(bench.hear(octets)).toMatchObject([{ type: "discarded", error: { code: "SECURITY_COUNTER_REPLAYED" } }]);
  },
);

function cut(octets: string): object[] {
  return [{ type: "discarded", error: { code: "FRAME_INCOMPLETE" }, octets: fromHex(octets) }];
}

test("notifications: blocks of a push of which one got lost are told, and so are those that an end cuts off", () => {
  const bench = ClientBench.associated();
  const block = (number: number, data: string) => bench.hear(`e000000${number}000002${data}`);
  expect([...block(1, "0f40"), ...block(2, "0000")]).toEqual([]);
  expect(block(4, "0102")).toMatchObject(cut("0f4000000102"));
  block(1, "0f40");
  bench.order({ type: "abort", error: new DlmsError("LINK_ENDED", "peer") });
  expect(bench.events()).toMatchObject(cut("0f40"));
});

test("associating: what was let pass in the AARE is told", () => {
  const { opened } = sides({ meterSuite: 1, tolerate: ["suite-nibble"] });
  expect(opened).toMatchObject([{ type: "leniency", name: "suite-nibble" }, { type: "associated" }]);
});
