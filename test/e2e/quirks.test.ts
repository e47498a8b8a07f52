/** Each quirk of a meter over a socket: a visit that goes wrong without it, or takes more, and goes right with it. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../../drivers/clock.ts";
import type { AssociationRule } from "../../protocol/association/server/association-rule.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { decodeDateTime } from "../../protocol/cosem/date-time.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { HdlcServer } from "../../protocol/link/hdlc/server.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { METER_QUIRK_NAMES, type MeterQuirk } from "../../protocol/quirks.ts";
import { ApduProtection, type ProtectRequest } from "../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { SessionFailedError } from "../../src/collect/causes/session-failure.ts";
import { probeMeter } from "../../src/collect/probe/meter-probe.ts";
import { readProfile } from "../../src/collect/read/meter-reader.ts";
import type { InvocationCounters } from "../../src/collect/session/meter-access.ts";
import type { MeterConnection } from "../../src/collect/session/meter-connection.ts";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import { type MeterTarget, meterTarget } from "../../src/collect/session/meter-target.ts";
import { SYSTEM_ENVIRONMENT } from "../../src/collect/session/visit-environment.ts";
import { meterSchema } from "../../src/config/schema.ts";
import { executeOrder, type MeterOrder } from "../../src/control/meter-order.ts";
import { UnnumberedFrames } from "../../src/simulator/unnumbered-frames.ts";
import { KEYS, SERVER_TITLE, serverProtection } from "../protocol/association/server-fixture.ts";
import { CLIENT, type Deviations, listenDeviant, PERIOD_MS, START_MS, utcStamp } from "./deviant-meter.ts";
import { OrderedMeter } from "./ordered-meter.ts";

/** What a visit does, and what comes of it with the quirk and without. */
interface Case {
  readonly deviations: () => Partial<Deviations>;
  readonly connection?: object;
  readonly association?: object;
  readonly timeZone?: string;
  readonly work: (connection: MeterConnection, visit: Visit) => Promise<unknown>;
  readonly right: unknown;
  readonly wrong: unknown;
  readonly clock?: Clock;
  /** Other quirks that this one makes sense with. */
  readonly besides?: readonly MeterQuirk[];
}

interface Visit {
  readonly target: MeterTarget;
  readonly asked: string[];
}

const TEXT = { attribute: { classId: 1, logicalName: logicalNameToOctets("0.0.96.1.0.255"), attributeId: 2 } };
const LONG: Data = { type: "octet-string", value: new Uint8Array(400).fill(0x41) };
const SOME: Data = { type: "octet-string", value: Uint8Array.of(1) };
const ANSWER = { type: "data", data: SOME };
const NO_ANSWER = "no answer";
const SILENCES: ReadonlySet<string> = new Set(["SERVICE_UNANSWERED", "LINK_NO_ANSWER"]);
const TIMEOUT_MS = 400;
const GMAC = {
  mechanism: "hls-5",
  security: {
    clientSystemTitle: "4d4d4d0000000001",
    blockCipherKey: "env:TEST_QUIRK_BLOCK",
    authenticationKey: "env:TEST_QUIRK_AUTHENTICATION",
  },
};

beforeEach(() => {
  vi.stubEnv("TEST_QUIRK_SECRET", "sixteen octets!!");
  vi.stubEnv("TEST_QUIRK_BLOCK", "000102030405060708090a0b0c0d0e0f");
  vi.stubEnv("TEST_QUIRK_AUTHENTICATION", "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf");
});
afterEach(() => vi.unstubAllEnvs());

class Counters implements InvocationCounters {
  upcoming = 1000;
  next(): number {
    return this.upcoming++;
  }
  async raise(lowest: number): Promise<void> {
    this.upcoming = Math.max(this.upcoming, lowest);
  }
  async ensure(): Promise<void> {}
}

function gmac(protection: ApduProtection): Partial<AssociationRule> {
  return { applicationContexts: ["logical-name-with-ciphering"], mechanism: "hls-gmac", security: { protection } };
}

/** Protects as under the broadcast key, which is the unicast one. */
class Broadcasting extends ApduProtection {
  override protect(plain: Uint8Array, request: ProtectRequest): Uint8Array {
    return super.protect(plain, { ...request, keySet: "broadcast" });
  }
}

const getText = (connection: MeterConnection) => connection.get(TEXT);

/** Rows 4 to 7 by their instants, and how they were asked for. */
async function rows(connection: MeterConnection, { target, asked }: Visit, last = 7) {
  const range = { fromMs: START_MS + 4 * PERIOD_MS, toMs: START_MS + last * PERIOD_MS };
  const read = await readProfile(connection, target, "block_load", { range, nowMs: () => START_MS + 40 * PERIOD_MS });
  const found = [...(read.clock?.instantsMs ?? [])].map((instantMs) => (instantMs - START_MS) / PERIOD_MS);
  return { rows: found, asked: [...asked] };
}

const FOUR = [4, 5, 6, 7];

function hdlcLink(parameters: { readonly information: number; readonly window: number }) {
  const { information, window } = parameters;
  return new HdlcServer({
    logicalDevices: [1],
    parameters: {
      maxInfoTransmit: information,
      maxInfoReceive: information,
      windowTransmit: window,
      windowReceive: window,
    },
  });
}

const hdlc = (information = 512) => ({ link: () => hdlcLink({ information, window: 1 }) });
const HDLC = { link: "hdlc", responseTimeout: "5s", hdlc: { frameTimeout: "250ms", retries: 2 } };

/** Rows whose stamps are in a zone's local time. */
function localStamps(minutesAhead: number, tail: readonly number[]): Partial<Deviations> {
  return { objects: { stamp: (instantMs) => utcStamp(instantMs + minutesAhead * 60_000, [0, ...tail]) } };
}

const wholeRows = async (connection: MeterConnection, { target }: Visit) => {
  const read = await readProfile(connection, target, "block_load", {});
  return [...(read.clock?.instantsMs ?? [])].slice(0, 2).map((instantMs) => (instantMs - START_MS) / 60_000);
};

/** What comes of an order. */
const ordered =
  (order: MeterOrder) =>
  async (connection: MeterConnection, { target }: Visit) =>
    (await executeOrder(order, { target, clock: systemClock, visit: (work) => work(connection) })).state;

/** Twenty seconds in one. */
const HASTY: Clock = {
  now: () => systemClock.now(),
  elapsed: () => systemClock.elapsed() * 20,
  after: (delayMs, call) => systemClock.after(delayMs / 20, call),
};

const CASES: Readonly<Record<MeterQuirk, Case>> = {
  "range-without-deviation": {
    deviations: () => ({
      objects: {
        select: (access, all) => {
          const [, from] = access.parameters.type === "structure" ? access.parameters.value : [];
          const stamp = from?.type === "octet-string" ? decodeDateTime(from.value) : undefined;
          if (access.selector !== 1 || stamp === undefined) return refused("scope-of-access-violated");
          return stamp.deviationMinutes === undefined ? array(all.slice(3, 9)) : refused("type-unmatched");
        },
      },
    }),
    work: rows,
    right: { rows: FOUR, asked: ["range"] },
    wrong: { rows: FOUR, asked: ["range", "entries", "whole"] },
  },
  "range-refused": {
    deviations: () => ({ objects: { select: byEntry((all, from, to) => array(all.slice(from - 1, to))) } }),
    work: rows,
    right: { rows: FOUR, asked: ["entries"] },
    wrong: { rows: FOUR, asked: ["range", "entries"] },
  },
  "entries-refused": {
    besides: ["range-refused"],
    deviations: () => ({ objects: { select: byEntry(() => refused("other-reason")) } }),
    work: rows,
    right: { rows: FOUR, asked: ["whole"] },
    wrong: { rows: FOUR, asked: ["entries", "whole"] },
  },
  "entries-newest-first": {
    besides: ["range-refused"],
    deviations: () => ({
      objects: { select: byEntry((all, from, to) => array(all.toReversed().slice(from - 1, to))) },
    }),
    work: (connection, visit) =>
      rows(connection, visit, 39).then(({ asked, rows: found }) => ({ asked, count: found.length })),
    right: { asked: ["entries"], count: 36 },
    wrong: { asked: ["entries"], count: 34 },
  },
  "zero-period-is-an-hour": {
    deviations: () => ({
      objects: {
        capturePeriodS: 0,
        stamp: (instantMs) => (instantMs === START_MS ? utcStamp(instantMs) : { type: "null-data" }),
      },
    }),
    work: wholeRows,
    right: [0, 60],
    wrong: [0, Number.NaN],
  },
  "lists-refused": {
    deviations: () => ({ request: (apdu) => (apdu[0] === 0xc0 && apdu[1] === 3 ? undefined : apdu) }),
    work: (connection) => connection.getList([TEXT, TEXT]),
    right: [ANSWER, ANSWER],
    wrong: NO_ANSWER,
  },
  "selective-access-unnegotiated": {
    deviations: () => ({
      answer: withoutSelectiveAccess,
      objects: { select: (access, all) => (access.selector === 1 ? array(all.slice(3, 9)) : refused("other-reason")) },
    }),
    work: rows,
    right: { rows: FOUR, asked: ["range"] },
    wrong: { rows: FOUR, asked: ["whole"] },
  },
  "deviation-inverted": {
    timeZone: "Europe/Oslo",
    deviations: () => localStamps(120, [0, 120, 0x80]),
    work: wholeRows,
    right: [0, 15],
    wrong: [240, 255],
  },
  "deviation-without-season": {
    timeZone: "Europe/Oslo",
    // −60, and the status says that it is summer.
    deviations: () => localStamps(120, [0xff, 0xc4, 0x80]),
    work: wholeRows,
    right: [0, 15],
    wrong: [60, 75],
  },
  "deviation-wrong": {
    timeZone: "Europe/Oslo",
    deviations: () => localStamps(120, [0x01, 0x59, 0x80]),
    work: wholeRows,
    right: [0, 15],
    wrong: [465, 480],
  },
  "standard-time-all-year": {
    timeZone: "Europe/Oslo",
    deviations: () => localStamps(60, [0x80, 0, 0]),
    work: wholeRows,
    right: [0, 15],
    wrong: [-60, -45],
  },
  "proof-missing": {
    association: { mechanism: "hls-2", secret: "env:TEST_QUIRK_SECRET" },
    deviations: () => ({
      rule: { mechanism: "hls", secret: new SecretKey("hlsSecret", new TextEncoder().encode("sixteen octets!!")) },
      answer: (apdu) => (apdu[0] === 0xc7 ? Uint8Array.of(0xc7, 1, apdu[2] ?? 0, 0, 0) : apdu),
    }),
    work: getText,
    right: ANSWER,
    wrong: "HLS_REPLY_MISMATCH",
  },
  "plain-answers": {
    association: GMAC,
    deviations: () => ({
      rule: gmac(serverProtection()),
      answer: (apdu) => (apdu[0] === 0xcc ? fromHex("c401c10009 01 01".replaceAll(" ", "")) : apdu),
    }),
    work: getText,
    right: ANSWER,
    wrong: "SECURITY_WEAKER_THAN_REQUIRED",
  },
  "release-unanswered": {
    deviations: () => ({ request: (apdu) => (apdu[0] === 0x62 ? undefined : apdu) }),
    work: (connection) => connection.release(),
    right: "notAsked",
    wrong: "unanswered",
  },
  "frame-numbers-fixed": {
    connection: HDLC,
    deviations: () => {
      const frames = new UnnumberedFrames();
      return { ...hdlc(), received: (octets) => frames.received(octets), sent: (octets) => frames.sent(octets) };
    },
    work: getText,
    right: ANSWER,
    wrong: NO_ANSWER,
  },
  "wrapper-header-reversed": {
    deviations: () => ({ link: () => new WrapperLink({ role: "server", byteOrder: "reversed" }) }),
    work: getText,
    right: ANSWER,
    wrong: NO_ANSWER,
  },
  "small-frames": {
    connection: { ...HDLC, hdlc: { ...HDLC.hdlc, infoLength: 512 } },
    deviations: () => ({ ...hdlc(), sent: (octets) => (octets.length > 160 ? undefined : octets) }),
    work: async (connection) => (await connection.get(CAPTURES)).type,
    right: "data",
    wrong: NO_ANSWER,
  },
  "slow-client-change": {
    clock: HASTY,
    connection: { responseTimeout: "8s" },
    association: { ...GMAC, security: { ...GMAC.security, invocationCounter: "0.0.43.1.0.255" } },
    deviations: () => {
      let last = { clientSap: 0, atMs: 0 };
      return {
        rule: gmac(serverProtection()),
        request: (apdu, clientSap) => {
          const nowMs = HASTY.elapsed();
          const soon = last.clientSap !== 0 && last.clientSap !== clientSap && nowMs - last.atMs < 19_000;
          if (soon) return undefined;
          last = { clientSap, atMs: nowMs };
          return apdu;
        },
      };
    },
    work: getText,
    right: ANSWER,
    wrong: NO_ANSWER,
  },
  "rr-unanswered": {
    connection: HDLC,
    deviations: () => {
      let lost = false;
      return {
        ...hdlc(),
        received: (octets) => (isReceiveReady(octets) ? undefined : octets),
        sent: (octets) => {
          if (lost || !toHex(octets).includes("e6e700c4")) return octets;
          lost = true;
          return undefined;
        },
      };
    },
    work: getText,
    right: ANSWER,
    wrong: NO_ANSWER,
  },
  "frame-size-counts-header": {
    connection: HDLC,
    deviations: () => ({ ...hdlc(128), received: (octets) => (octets.length > 130 ? undefined : octets) }),
    work: (connection) => connection.set(TEXT, LONG),
    right: "success",
    wrong: NO_ANSWER,
  },
  "suite-nibble-wrong": {
    association: GMAC,
    deviations: () => ({ rule: gmac(serverProtection({ suite: 1, tolerate: ["suite-nibble"] })) }),
    work: getText,
    right: ANSWER,
    wrong: "SECURITY_SUITE_MISMATCH",
  },
  "broadcast-bit-set": {
    association: GMAC,
    deviations: () => {
      const keys = { ...KEYS, broadcastKey: new SecretKey("broadcastKey", KEYS.blockCipherKey.reveal()) };
      let counter = 1;
      const options = { suite: 0, ownSystemTitle: SERVER_TITLE, keys, nextInvocationCounter: () => counter++ } as const;
      return { rule: gmac(new Broadcasting(options)) };
    },
    work: getText,
    right: ANSWER,
    wrong: "SECURITY_KEY_MISSING",
  },
  "additional-data-empty": {
    association: GMAC,
    deviations: () => ({ rule: gmac(serverProtection({ aadForm: "empty" })) }),
    work: getText,
    right: ANSWER,
    wrong: "SERVICE_REFUSED",
  },
  "dedicated-counter-goes-on": {
    association: { ...GMAC, security: { ...GMAC.security, dedicatedKey: true } },
    deviations: () => ({
      rule: gmac(serverProtection()),
      // ded-get-request: the counter is behind tag, length and security control.
      request: (apdu) =>
        apdu[0] === 0xd0 && new DataView(apdu.buffer, apdu.byteOffset).getUint32(3) < 1000 ? undefined : apdu,
    }),
    work: getText,
    right: ANSWER,
    wrong: NO_ANSWER,
  },
  "counter-goes-back": {
    association: GMAC,
    deviations: () => {
      let counter = 5000;
      return { rule: gmac(serverProtection({ nextInvocationCounter: () => counter-- })) };
    },
    work: getText,
    right: ANSWER,
    wrong: "SECURITY_COUNTER_REPLAYED",
  },
  "switched-without-parameter": {
    deviations: () => ({ objects: { own: new OrderedMeter({ refusesParameter: true }) } }),
    work: ordered({ type: "disconnect", logicalName: "0.0.96.3.10.255" }),
    right: "done",
    wrong: "refused",
  },
  "clock-only-shifted": {
    deviations: () => {
      const meter = new OrderedMeter({ takesTime: () => false });
      meter.clockAheadMs = 300_000;
      return { objects: { own: meter } };
    },
    work: ordered({ type: "set-clock" }),
    right: "done",
    wrong: "refused",
  },
  "quiet-after-connect": {
    deviations: () => {
      const connectedMs = performance.now();
      return { received: (octets) => (performance.now() - connectedMs < 800 ? undefined : octets) };
    },
    work: getText,
    right: ANSWER,
    wrong: NO_ANSWER,
  },
};

const CAPTURES = { attribute: { classId: 7, logicalName: logicalNameToOctets("1.0.99.1.0.255"), attributeId: 2 } };

function refused(dataAccessResult: "scope-of-access-violated" | "type-unmatched" | "other-reason") {
  return { type: "data-access-result", dataAccessResult } as const;
}

function array(value: readonly Data[]) {
  return { type: "data", data: { type: "array", value } } as const;
}

type Select = NonNullable<NonNullable<Deviations["objects"]>["select"]>;

function byEntry(answer: (all: readonly Data[], from: number, to: number) => ReturnType<Select>): Select {
  return (access, all) => {
    if (access.selector !== 2 || access.parameters.type !== "structure") return refused("other-reason");
    const [from, to] = access.parameters.value.map((each) => ("value" in each ? Number(each.value) : 0));
    return answer(all, from ?? 1, to ?? 0);
  };
}

/** The AARE with the bit of selective access taken out of its conformance. */
function withoutSelectiveAccess(apdu: Uint8Array): Uint8Array {
  const at = toHex(apdu).indexOf("5f1f0400") / 2;
  if (apdu[0] !== 0x61 || at < 0) return apdu;
  const changed = new Uint8Array(apdu);
  changed[at + 6] = (changed[at + 6] ?? 0) & ~0x04;
  return changed;
}

/** One frame of a supervisory kind, with addresses of one octet. */
function isReceiveReady(octets: Uint8Array): boolean {
  return ((octets[5] ?? 0) & 0x0f) === 0x01;
}

async function visit(quirks: readonly MeterQuirk[], one: Case): Promise<unknown> {
  const asked: string[] = [];
  const deviations = { link: () => new WrapperLink({ role: "server" }), ...one.deviations() };
  await using listener = await listenDeviant(deviations, asked);
  const config = meterSchema.parse({
    name: "m",
    number: "1",
    companion: "idis",
    timeZone: one.timeZone ?? "UTC",
    quirks,
    connection: { tcp: `127.0.0.1:${listener.address.port}`, responseTimeout: `${TIMEOUT_MS}ms`, ...one.connection },
    association: { clientSap: CLIENT, ...one.association },
  });
  const target = meterTarget(config, {
    leaseCounters: () => Promise.resolve(new Counters()),
    openStoredKey: () => Promise.reject(new Error("no key is stored")),
  });
  const options = { budgetMs: 20_000, environment: { ...SYSTEM_ENVIRONMENT, ...(one.clock && { clock: one.clock }) } };
  try {
    return await visitMeter(target, options, (connection) => one.work(connection, { target, asked }));
  } catch (error) {
    const code =
      error instanceof SessionFailedError ? error.failure.error.code : error instanceof DlmsError && error.code;
    if (code === false) throw error;
    // Whether link or association gives up first is a matter of their times.
    return SILENCES.has(code) ? NO_ANSWER : code;
  }
}

test.each(METER_QUIRK_NAMES)("quirk %s: right with it, and not so without", async (quirk) => {
  const one = CASES[quirk];
  const besides = one.besides ?? [];
  expect(await visit([...besides, quirk], one)).toEqual(one.right);
  expect(await visit(besides, one)).toEqual(one.wrong);
});

/** What the probe finds needed, when it is told who may associate. */
async function probed(one: Case): Promise<readonly MeterQuirk[]> {
  const deviations = { link: () => new WrapperLink({ role: "server" }), ...one.deviations() };
  await using listener = await listenDeviant(deviations, []);
  const counters = new Counters();
  const findings = await probeMeter({
    target: ({ connection, quirks }) =>
      meterTarget(
        meterSchema.parse({
          name: "m",
          number: "1",
          timeZone: "UTC",
          quirks,
          connection: {
            tcp: `127.0.0.1:${listener.address.port}`,
            responseTimeout: "2s",
            ...one.connection,
            ...connection,
          },
          association: { clientSap: CLIENT, ...one.association },
        }),
        {
          leaseCounters: () => Promise.resolve(counters),
          openStoredKey: () => Promise.reject(new Error("no key is stored")),
        },
      ),
    serial: false,
    linkGiven: false,
    associationGiven: true,
    budgetMs: 60_000,
    ...(one.clock && { environment: { ...SYSTEM_ENVIRONMENT, clock: one.clock } }),
  });
  return findings.quirks;
}

test.each([
  "proof-missing",
  "plain-answers",
  "suite-nibble-wrong",
  "broadcast-bit-set",
  "additional-data-empty",
  "counter-goes-back",
  "wrapper-header-reversed",
  "slow-client-change",
  "dedicated-counter-goes-on",
] as const)("probe: finds that a meter needs %s", async (quirk) => {
  expect(await probed(CASES[quirk])).toContain(quirk);
});
