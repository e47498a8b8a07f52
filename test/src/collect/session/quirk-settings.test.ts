import { expect, test } from "vitest";
import { QUIRK_MODELS } from "../../../../protocol/quirk-models.ts";
import { METER_QUIRK_NAMES, METER_QUIRKS, type MeterQuirk } from "../../../../protocol/quirks.ts";
import { meterTarget } from "../../../../src/collect/session/meter-target.ts";
import {
  clientChangeMs,
  infoLengthFor,
  listLimitFor,
  quietMs,
  quirkyClient,
  quirkyHdlc,
  quirkyProtection,
  quirkyWrapper,
} from "../../../../src/collect/session/quirk-settings.ts";
import { parseConfig } from "../../../../src/config/load.ts";

function having(...quirks: MeterQuirk[]): ReadonlySet<MeterQuirk> {
  return new Set(quirks);
}

const nothing = () => Promise.reject(new Error("not asked for"));

test("meter quirks: a session is as the standard says where the meter has none", () => {
  const none = having();
  expect([quirkyClient(none), quirkyHdlc(none), quirkyProtection(none)]).toEqual([{}, {}, {}]);
  expect([listLimitFor(none), clientChangeMs(none)]).toEqual([undefined, undefined]);
  expect([infoLengthFor(none, 1024), quietMs(none)]).toEqual([1024, 0]);
});

test("meter quirks: each changes its own setting", () => {
  expect(quirkyClient(having("proof-missing", "plain-answers")).tolerate).toEqual(["pass4-missing", "plain-response"]);
  expect(quirkyClient(having("release-unanswered"))).toEqual({ release: "none" });
  expect(quirkyClient(having("selective-access-unnegotiated")).assumedConformance?.has("selective-access")).toBe(true);
  expect(quirkyHdlc(having("frame-numbers-fixed"))).toEqual({ sequenceNumbers: "ignored" });
  expect(quirkyHdlc(having("rr-unanswered", "frame-size-counts-header"))).toEqual({
    recovery: "resend",
    infoReserve: 20,
  });
  expect(quirkyProtection(having("suite-nibble-wrong", "broadcast-bit-set")).tolerate).toEqual([
    "suite-nibble",
    "broadcast-bit",
  ]);
  expect(quirkyProtection(having("additional-data-empty", "counter-goes-back"))).toEqual({
    aadForm: "empty",
    replay: "warn",
  });
  expect(quirkyWrapper(having("wrapper-header-reversed"))).toEqual({ byteOrder: "reversed" });
  expect(listLimitFor(having("lists-refused"))).toBe(1);
  expect(infoLengthFor(having("small-frames"), 1024)).toBe(128);
  expect(clientChangeMs(having("slow-client-change"))).toBe(20_000);
  expect(quietMs(having("quiet-after-connect"))).toBe(1000);
});

const METER = `
  - name: m1
    number: "1"
    timeZone: Europe/Copenhagen
    connection: { tcp: "192.0.2.1:4059" }
    association: {}
`;

test("meter quirks: a meter has those of its model, its own and its companion's", async () => {
  const text = `models:
  - name: acme-x1
    maker: Acme
    quirks: [lists-refused, range-refused]
meters:${METER}    model: acme-x1
    companion: is15959
    quirks: [small-frames, lists-refused]
`;
  const { meters } = parseConfig(text, "test");
  expect(meters[0]?.quirks).toEqual(["lists-refused", "range-refused", "small-frames"]);
  const [meter] = meters;
  if (meter === undefined) throw new Error("no meter");
  const target = meterTarget(meter, { leaseCounters: nothing, openStoredKey: nothing });
  expect([...target.quirks]).toEqual(["range-without-deviation", "lists-refused", "range-refused", "small-frames"]);
});

test("meter quirks: models known to the gateway need no entry, unknown ones are refused by name", () => {
  const { meters } = parseConfig(`meters:${METER}    model: kamstrup-omnia\n`, "test");
  const [meter] = meters;
  if (meter === undefined) throw new Error("no meter");
  const target = meterTarget(meter, { leaseCounters: nothing, openStoredKey: nothing });
  // Copenhagen is two hours ahead in summer; this clock is one hour ahead all year.
  expect(target.zone.offsetMinutes(Date.UTC(2026, 6, 1))).toBe(60);
  expect(target.zone.offsetMinutes(Date.UTC(2026, 0, 1))).toBe(60);
  expect(() => parseConfig(`meters:${METER}    model: nobodys\n`, "test")).toThrow(/no model nobodys/u);
  expect(() => parseConfig(`meters:${METER}    quirks: [odd]\n`, "test")).toThrow(/no quirk "odd"/u);
});

test("meter quirks: every one has words, and every known model has some", () => {
  for (const name of METER_QUIRK_NAMES) expect(METER_QUIRKS[name].length).toBeGreaterThan(20);
  expect(QUIRK_MODELS.every(({ quirks, says }) => quirks.length > 0 && says !== "")).toBe(true);
  expect(new Set(QUIRK_MODELS.map(({ name }) => name)).size).toBe(QUIRK_MODELS.length);
});
