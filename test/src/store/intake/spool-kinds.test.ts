import fc from "fast-check";
import { expect, test } from "vitest";
import { MeterTimes } from "../../../../protocol/profile/meter-times.ts";
import type { OtherValue, ProfileBatch } from "../../../../src/profiles/batch.ts";
import type { SeenEvent } from "../../../../src/profiles/seen-events.ts";
import { SpoolError } from "../../../../src/spool/spool-error.ts";
import {
  ATTEMPTS,
  PROFILE_ROWS,
  PUSHES,
  READINGS,
  REJECTED_ROWS,
  type SpoolKind,
} from "../../../../src/store/intake/spool-kinds.ts";
import {
  BUFFER_FORMS,
  DEVIATION_RULES,
  PROFILE_KINDS,
  SOURCES,
  TIME_RULES,
} from "../../../../src/store/profiles/profile-tables.ts";
import type { RejectedRow } from "../../../../src/store/profiles/rejected-rows.ts";
import {
  PUSH_CLUES,
  PUSH_OUTCOMES,
  PUSH_PROTECTIONS,
  PUSH_TRANSPORTS,
  type QueuedPush,
} from "../../../../src/store/push/received-push.ts";
import type { MeterReading } from "../../../../src/store/records/meter-records.ts";
import type { ReadAttempt } from "../../../../src/store/records/read-attempts.ts";

const anyText = fc.string({ unit: "binary", maxLength: 20 });
const anyNumber = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(Number.NaN, -0, 2 ** 53, 0.5),
);
const anyDate = fc.date({ noInvalidDate: false });
const anyOctets = fc.uint8Array({ maxLength: 40 });
const anyBigint = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 51n), max: 2n ** 51n }),
  fc.constantFrom(2n ** 63n, -(2n ** 63n), 2n ** 200n),
);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const few = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { maxLength: 5 });
const { value: anyValue } = fc.letrec<{ value: OtherValue }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, anyText, fc.boolean(), fc.array(tie("value"), { maxLength: 3 })),
}));

const anyStamp = fc.uint8Array({ minLength: 12, maxLength: 12 });

/** Whatever may come, lists that do not fit together too: the spool must not be where it is lost. */
const anyBatch: fc.Arbitrary<ProfileBatch> = fc.record(
  {
    meterKey: anyNumber,
    profile: fc.constantFrom(...PROFILE_KINDS),
    source: fc.constantFrom(...SOURCES),
    layoutFingerprint: anyText,
    readAt: anyDate,
    rowCount: fc.nat(),
    instantsMs: few(anyNumber),
    timeRules: few(fc.constantFrom(...TIME_RULES)),
    meterTimes: few(optional(anyStamp)).map((stamps) => MeterTimes.of(stamps)),
    intervalS: optional(anyNumber),
    columns: few(fc.record({ column: anyText, values: few(optional(anyBigint)) })),
    others: few(fc.record({ captureObject: anyText, unit: optional(anyText), values: few(optional(anyValue)) })),
    absentMs: few(anyNumber),
    offMs: few(anyNumber),
    asideMs: few(anyNumber),
    buffers: few(
      fc.record({
        form: fc.constantFrom(...BUFFER_FORMS),
        receivedAt: anyDate,
        layout: anyText,
        layoutFingerprint: anyText,
        deviation: fc.constantFrom(...DEVIATION_RULES),
        octetCount: fc.nat(),
        compression: fc.constantFrom(0, 1),
        octets: anyOctets,
      }),
    ),
  } satisfies Record<keyof Required<ProfileBatch>, unknown>,
  {
    requiredKeys: [
      "meterKey",
      "profile",
      "source",
      "layoutFingerprint",
      "readAt",
      "rowCount",
      "instantsMs",
      "timeRules",
      "meterTimes",
      "intervalS",
      "columns",
      "others",
    ],
  },
);

const anyEvent: fc.Arbitrary<SeenEvent> = fc.record(
  {
    occurredAt: anyDate,
    log: anyText,
    code: fc.nat(),
    severity: fc.constantFrom("info", "warning", "alarm"),
    disputed: fc.boolean(),
    name: anyText,
    kind: fc.constantFrom("occurrence", "restoration", "change"),
    condition: anyText,
  },
  { requiredKeys: ["occurredAt", "log", "code", "severity", "disputed"] },
);
const anySeen = fc.record({
  events: few(anyEvent),
  words: few(fc.record({ at: anyDate, log: anyText, latched: fc.boolean(), bits: few(anyEvent) })),
});

const anyPush: fc.Arbitrary<QueuedPush> = fc
  .record({
    receivedAt: anyDate,
    peer: anyText,
    transport: fc.constantFrom(...PUSH_TRANSPORTS),
    meterId: optional(anyText),
    attributedBy: optional(fc.constantFrom(...PUSH_CLUES)),
    senderNames: few(anyText),
    seen: anySeen,
    repeatKey: optional(anyOctets),
    counter: optional(
      fc.record({ keyId: anyText, systemTitle: anyOctets, invocationCounter: fc.nat(), isStrict: fc.constant(false) }),
    ),
    systemTitle: optional(anyOctets),
    pushSetup: optional(anyText),
    readAt: optional(anyDate),
    protection: optional(fc.constantFrom(...PUSH_PROTECTIONS)),
    verified: optional(fc.boolean()),
    marks: few(anyText),
    outcome: fc.constantFrom(...PUSH_OUTCOMES),
    reason: optional(anyText),
    octets: anyOctets,
    values: few(
      fc.record({ captureObject: anyText, value: anyValue, isNumber: fc.boolean(), unit: optional(anyText) }),
    ),
    rowCount: fc.nat(),
  })
  .chain((push) =>
    optional(fc.bigInt({ min: 1n, max: 2n ** 63n })).map((key) => ({
      push,
      key,
      rowCount: push.rowCount,
      isSpooled: false,
      fate: "kept" as const,
    })),
  );

const anyAttempt: fc.Arbitrary<ReadAttempt> = fc.record({
  meterId: anyText,
  startedAt: anyDate,
  endedAt: anyDate,
  what: anyText,
  rowCount: fc.nat(),
  failure: optional(fc.record({ cause: anyText, evidence: anyText, nextStep: anyText })),
});

const anyRejected: fc.Arbitrary<RejectedRow> = fc.record({
  profile: fc.constantFrom(...PROFILE_KINDS),
  meterKey: anyNumber,
  capturedAt: anyText,
  source: fc.nat(),
  readAt: anyDate,
  reason: anyText,
  detail: anyText,
  json: anyText,
});

const anyReading: fc.Arbitrary<MeterReading> = fc.record({
  meterId: anyText,
  readAt: anyDate,
  captureObject: anyText,
  value: anyValue,
  isNumber: fc.boolean(),
  unit: optional(anyText),
  source: fc.constantFrom(...SOURCES),
  receivedAt: anyDate,
});

const KINDS = [
  ["rows", PROFILE_ROWS, anyBatch],
  ["pushes", PUSHES, anyPush],
  ["attempts", ATTEMPTS, anyAttempt],
  ["rejected rows", REJECTED_ROWS, anyRejected],
  ["readings", READINGS, anyReading],
] as unknown as readonly (readonly [string, SpoolKind<unknown>, fc.Arbitrary<unknown>])[];

test.each(KINDS)("spool kinds: %s come back from the spool as they went in", (_name, kind, anyItem) => {
  fc.assert(
    fc.property(anyItem, (item) => {
      expect(kind.decode(kind.encode(item), kind.version)).toEqual(item);
    }),
    { numRuns: 300 },
  );
});

/** What decoding made of octets that are not as they were written. */
function outcomeOf(kind: SpoolKind<unknown>, octets: Uint8Array): string {
  try {
    kind.decode(octets, kind.version);
    return "read";
  } catch (error) {
    return error instanceof SpoolError ? error.code : String(error);
  }
}

test.each(KINDS)("spool kinds: %s cut short at any octet are refused by name", (_name, kind, anyItem) => {
  for (const item of fc.sample(anyItem, { numRuns: 20, seed: 1 })) {
    const octets = kind.encode(item);
    const outcomes = Array.from(octets, (_, length) => outcomeOf(kind, octets.subarray(0, length)));
    expect(new Set(outcomes)).toEqual(new Set(["SPOOL_RECORD_INVALID"]));
  }
});

test.each(KINDS)("spool kinds: %s of any octets are read or refused by name", (_name, kind) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      expect(["read", "SPOOL_RECORD_INVALID"]).toContain(outcomeOf(kind, octets));
    }),
    { numRuns: 300 },
  );
});

test.each(KINDS)("spool kinds: %s of a version to come are refused by name", (_name, kind) => {
  expect(() => kind.decode(new Uint8Array(0), kind.version + 1)).toThrow(
    expect.objectContaining({ code: "SPOOL_RECORD_UNKNOWN" }),
  );
});

test("spool kinds: a day of half-hours with eight values takes less than 27 octets a row", () => {
  const slots = Array.from({ length: 48 }, (_, slot) => slot);
  const octets = PROFILE_ROWS.encode({
    meterKey: 123_456,
    profile: "block_load",
    source: "poll",
    layoutFingerprint: "0".repeat(64),
    readAt: new Date(Date.UTC(2026, 0, 2)),
    rowCount: 48,
    instantsMs: slots.map((slot) => Date.UTC(2026, 0, 1) + slot * 1_800_000),
    timeRules: slots.map(() => "deviation" as const),
    meterTimes: undefined,
    intervalS: 1800,
    columns: Array.from({ length: 8 }, (_, at) => ({
      column: `column_${at}`,
      values: slots.map((slot) => 230_000n + BigInt((slot * 7919 * (at + 1)) % 5000)),
    })),
    others: [],
  });
  expect(octets.length).toBeLessThan(48 * 27);
});
