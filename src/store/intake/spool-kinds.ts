/**
 * What the spool can hold on its way to the database, and how each is encoded. Codes are never reused; an encoding is
 * changed by a new version, and older ones stay readable.
 */

import { MeterTimes } from "../../../protocol/profile/meter-times.ts";
import type { OtherColumn, OtherValue, PackedBuffer, ProfileBatch } from "../../profiles/batch.ts";
import type { SeenEvent } from "../../profiles/seen-events.ts";
import { FieldReader, FieldWriter } from "../../spool/octet-fields.ts";
import { SpoolError } from "../../spool/spool-error.ts";
import type { MeterMemory } from "../ledger/ledger-records.ts";
import {
  BUFFER_FORMS,
  DEVIATION_RULES,
  PROFILE_KINDS,
  READING_KINDS,
  SOURCES,
  TIME_RULES,
} from "../profiles/profile-tables.ts";
import type { RejectedRow } from "../profiles/rejected-rows.ts";
import type { PushCounter } from "../push/push-counters.ts";
import {
  PUSH_CLUES,
  PUSH_OUTCOMES,
  PUSH_PROTECTIONS,
  PUSH_TRANSPORTS,
  type QueuedPush,
  queuedPush,
} from "../push/received-push.ts";
import type { MeterReading } from "../records/meter-records.ts";
import type { ReadAttempt } from "../records/read-attempts.ts";

export interface SpoolKind<Item> {
  readonly code: number;
  readonly name: string;
  /** Of the encoding that is written. */
  readonly version: number;
  encode(item: Item): Uint8Array;
  /** Hears at once that an item has been encoded for the spool, and later that the spool refused it after all. */
  onSpooled?(item: Item, isSpooled: boolean): void;
  /** Throws SpoolError for a version or content that it can't read. */
  decode(octets: Uint8Array, version: number): Item;
}

/** All encodings are as they were at first. */
const VERSION = 1;

/** A kind whose fields are written and read in order. */
function spoolKind<Item>(
  head: Pick<SpoolKind<Item>, "code" | "name" | "onSpooled">,
  write: (fields: FieldWriter, item: Item) => void,
  read: (fields: FieldReader) => Item,
): SpoolKind<Item> {
  return {
    ...head,
    version: VERSION,
    encode(item) {
      const fields = new FieldWriter();
      write(fields, item);
      return fields.finish();
    },
    decode(octets, version) {
      if (version !== VERSION) throw new SpoolError("SPOOL_RECORD_UNKNOWN", { kind: head.name, version });
      const fields = new FieldReader(octets);
      const item = read(fields);
      fields.end();
      return item;
    },
  };
}

/** Rows for a profile table. */
export const PROFILE_ROWS: SpoolKind<ProfileBatch> = spoolKind(
  { code: 1, name: "rows" },
  (fields, batch) => {
    const { meterKey, profile, source, layoutFingerprint, readAt, rowCount, instantsMs, timeRules, ...rest } = batch;
    const { meterTimes, intervalS, columns, others, absentMs, offMs, asideMs, buffers, ...none } = rest;
    // A field that is added to a batch has to be written here: what is forgotten would be lost in the spool.
    none satisfies Record<string, never>;
    fields.number(meterKey).count(PROFILE_KINDS.indexOf(profile)).count(SOURCES.indexOf(source));
    fields.text(layoutFingerprint).number(readAt.getTime()).number(rowCount).numbers(instantsMs);
    fields.list(timeRules, (rule) => fields.count(TIME_RULES.indexOf(rule)));
    const stamps = meterTimes?.toArray() ?? timeRules.map(() => undefined);
    fields.list(stamps, (stamp) => fields.optional(stamp, (octets) => fields.octets(octets)));
    fields.optional(intervalS, (seconds) => fields.number(seconds));
    fields.list(columns, ({ column, values }) => fields.text(column).bigints(values));
    fields.list(others, (other) => writeOther(fields, other));
    fields.optional(absentMs, (slots) => fields.numbers(slots));
    fields.optional(offMs, (slots) => fields.numbers(slots));
    fields.optional(asideMs, (slots) => fields.numbers(slots));
    fields.optional(buffers, (all) => fields.list(all, (buffer) => writeBuffer(fields, buffer)));
  },
  (fields) => {
    const batch = {
      meterKey: fields.number(),
      profile: fields.choice(PROFILE_KINDS),
      source: fields.choice(SOURCES),
      layoutFingerprint: fields.text(),
      readAt: new Date(fields.number()),
      rowCount: fields.number(),
      instantsMs: fields.numbers(),
      timeRules: fields.list(() => fields.choice(TIME_RULES)),
      meterTimes: MeterTimes.of(fields.list(() => fields.optional(() => fields.octets()))),
      intervalS: fields.optional(() => fields.number()),
      columns: fields.list(() => ({ column: fields.text(), values: fields.bigints() })),
      others: fields.list(() => readOther(fields)),
    };
    const absentMs = fields.optional(() => fields.numbers());
    const offMs = fields.optional(() => fields.numbers());
    const asideMs = fields.optional(() => fields.numbers());
    const buffers = fields.optional(() => fields.list(() => readBuffer(fields)));
    const slots = { ...(absentMs && { absentMs }), ...(offMs && { offMs }), ...(asideMs && { asideMs }) };
    return { ...batch, ...slots, ...(buffers && { buffers }) };
  },
);

function writeBuffer(fields: FieldWriter, buffer: PackedBuffer): void {
  const { receivedAt, layout, layoutFingerprint, deviation, octetCount, compression, octets, form, ...none } = buffer;
  none satisfies Record<string, never>;
  fields.number(receivedAt.getTime()).text(layout).text(layoutFingerprint).count(DEVIATION_RULES.indexOf(deviation));
  fields.number(octetCount).number(compression).octets(octets).count(BUFFER_FORMS.indexOf(form));
}

function readBuffer(fields: FieldReader): PackedBuffer {
  return {
    receivedAt: new Date(fields.number()),
    layout: fields.text(),
    layoutFingerprint: fields.text(),
    deviation: fields.choice(DEVIATION_RULES),
    octetCount: fields.number(),
    compression: fields.number(),
    octets: fields.octets(),
    form: fields.choice(BUFFER_FORMS),
  };
}

function writeOther(fields: FieldWriter, { captureObject, unit, values }: OtherColumn): void {
  fields.text(captureObject).optional(unit, (text) => fields.text(text));
  fields.list(values, (value) => fields.optional(value, (each) => writeValue(fields, each)));
}

function readOther(fields: FieldReader): OtherColumn {
  return {
    captureObject: fields.text(),
    unit: fields.optional(() => fields.text()),
    values: fields.list(() => fields.optional(() => readValue(fields))),
  };
}

const VALUE_FORMS = ["text", "true", "false", "list"] as const;

function writeValue(fields: FieldWriter, value: OtherValue): void {
  const form = typeof value === "string" ? "text" : typeof value === "boolean" ? (`${value}` as const) : "list";
  fields.count(VALUE_FORMS.indexOf(form));
  if (typeof value === "string") fields.text(value);
  else if (typeof value !== "boolean") fields.list(value, (each) => writeValue(fields, each));
}

function readValue(fields: FieldReader): OtherValue {
  const form = fields.choice(VALUE_FORMS);
  if (form === "text") return fields.text();
  return form === "list" ? fields.list(() => readValue(fields)) : form === "true";
}

/** Pushes, those that were turned away too. */
export const PUSHES: SpoolKind<QueuedPush> = spoolKind(
  {
    code: 2,
    name: "pushes",
    onSpooled: (queued, isSpooled) => {
      queued.isSpooled = isSpooled;
    },
  },
  (fields, { push, key }) => {
    const { receivedAt, peer, transport, meterId, systemTitle, pushSetup, readAt, protection, ...rest } = push;
    const {
      verified,
      marks,
      outcome,
      reason,
      octets,
      values,
      rowCount,
      attributedBy,
      senderNames,
      seen,
      repeatKey,
      counter,
      ...none
    } = rest;
    none satisfies Record<string, never>;
    fields.bigints([key]).number(receivedAt.getTime()).text(peer).count(PUSH_TRANSPORTS.indexOf(transport));
    fields.optional(meterId, (id) => fields.text(id));
    fields.optional(attributedBy, (by) => fields.count(PUSH_CLUES.indexOf(by)));
    fields.list(senderNames, (name) => fields.text(name));
    fields.optional(repeatKey, (octets) => fields.octets(octets));
    fields.optional(systemTitle, (title) => fields.octets(title));
    fields.optional(pushSetup, (name) => fields.text(name));
    fields.optional(readAt, (at) => fields.number(at.getTime()));
    fields.optional(protection, (each) => fields.count(PUSH_PROTECTIONS.indexOf(each)));
    fields.optional(verified, (each) => fields.flag(each));
    fields.list(marks, (mark) => fields.text(mark));
    fields.count(PUSH_OUTCOMES.indexOf(outcome)).optional(reason, (text) => fields.text(text));
    fields.octets(octets).number(rowCount);
    fields.list(values, ({ captureObject, value, isNumber, unit }) => {
      fields.text(captureObject).flag(isNumber);
      fields.optional(unit, (text) => fields.text(text));
      writeValue(fields, value);
    });
    fields.list(seen.events, (event) => writeEvent(fields, event));
    fields.list(seen.words, ({ at, log, latched, bits }) => {
      fields.number(at.getTime()).text(log).flag(latched);
      fields.list(bits, (bit) => writeEvent(fields, bit));
    });
    fields.optional(counter, ({ keyId, systemTitle: title, invocationCounter }) =>
      fields.text(keyId).octets(title).number(invocationCounter),
    );
  },
  (fields) => {
    const [key] = fields.bigints();
    const push = {
      receivedAt: new Date(fields.number()),
      peer: fields.text(),
      transport: fields.choice(PUSH_TRANSPORTS),
      meterId: fields.optional(() => fields.text()),
      attributedBy: fields.optional(() => fields.choice(PUSH_CLUES)),
      senderNames: fields.list(() => fields.text()),
      repeatKey: fields.optional(() => fields.octets()),
      systemTitle: fields.optional(() => fields.octets()),
      pushSetup: fields.optional(() => fields.text()),
      readAt: fields.optional(() => new Date(fields.number())),
      protection: fields.optional(() => fields.choice(PUSH_PROTECTIONS)),
      verified: fields.optional(() => fields.flag()),
      marks: fields.list(() => fields.text()),
      outcome: fields.choice(PUSH_OUTCOMES),
      reason: fields.optional(() => fields.text()),
      octets: fields.octets(),
      rowCount: fields.number(),
      values: fields.list(() => ({
        captureObject: fields.text(),
        isNumber: fields.flag(),
        unit: fields.optional(() => fields.text()),
        value: readValue(fields),
      })),
    };
    const seen = {
      events: fields.list(() => readEvent(fields)),
      words: fields.list(() => ({
        at: new Date(fields.number()),
        log: fields.text(),
        latched: fields.flag(),
        bits: fields.list(() => readEvent(fields)),
      })),
    };
    const counter = fields.optional(() => readCounter(fields));
    return queuedPush({ ...push, seen, counter }, key);
  },
);

/** Not strict any more: what such a push brought for profiles is on its way already. */
function readCounter(fields: FieldReader): PushCounter & { readonly isStrict: boolean } {
  const [keyId, title] = [fields.text(), fields.octets()];
  return { keyId, systemTitle: title, invocationCounter: fields.number(), isStrict: false };
}

const EVENT_KINDS = ["occurrence", "restoration", "change"] as const;
const SEVERITIES = ["info", "warning", "alarm"] as const;

function writeEvent(fields: FieldWriter, event: SeenEvent): void {
  const { occurredAt, log, code, name, kind, condition, severity, disputed, details, ...none } = event;
  none satisfies Record<string, never>;
  fields.number(occurredAt.getTime()).text(log).number(code).count(SEVERITIES.indexOf(severity)).flag(disputed);
  fields.optional(name, (text) => fields.text(text));
  fields.optional(kind, (each) => fields.count(EVENT_KINDS.indexOf(each)));
  fields.optional(condition, (text) => fields.text(text));
  fields.optional(details, (each) =>
    fields.list(Object.entries(each), ([key, { value, unit }]) => {
      fields.text(key).optional(unit, (text) => fields.text(text));
      writeValue(fields, value);
    }),
  );
}

function readEvent(fields: FieldReader): SeenEvent {
  const place = { occurredAt: new Date(fields.number()), log: fields.text(), code: fields.number() };
  const weight = { severity: fields.choice(SEVERITIES), disputed: fields.flag() };
  const name = fields.optional(() => fields.text());
  const kind = fields.optional(() => fields.choice(EVENT_KINDS));
  const condition = fields.optional(() => fields.text());
  const details = fields.optional(() => fields.list(() => readDetail(fields)));
  return {
    ...place,
    ...weight,
    ...(name !== undefined && { name }),
    ...(kind !== undefined && { kind }),
    ...(condition !== undefined && { condition }),
    ...(details !== undefined && { details: Object.fromEntries(details) }),
  };
}

function readDetail(fields: FieldReader): [string, NonNullable<SeenEvent["details"]>[string]] {
  const key = fields.text();
  const unit = fields.optional(() => fields.text());
  return [key, { value: readValue(fields), ...(unit !== undefined && { unit }) }];
}

/** What came of tries to read meters. */
export const ATTEMPTS: SpoolKind<ReadAttempt> = spoolKind(
  { code: 3, name: "attempts" },
  (fields, attempt) => {
    const { meterId, startedAt, endedAt, what, rowCount, failure, ...none } = attempt;
    none satisfies Record<string, never>;
    fields.text(meterId).number(startedAt.getTime()).number(endedAt.getTime()).text(what).number(rowCount);
    fields.optional(failure, ({ cause, evidence, nextStep }) => fields.text(cause).text(evidence).text(nextStep));
  },
  (fields) => ({
    meterId: fields.text(),
    startedAt: new Date(fields.number()),
    endedAt: new Date(fields.number()),
    what: fields.text(),
    rowCount: fields.number(),
    failure: fields.optional(() => ({ cause: fields.text(), evidence: fields.text(), nextStep: fields.text() })),
  }),
);

/** How meters capture profiles. */
export const MEMORIES: SpoolKind<MeterMemory> = spoolKind(
  { code: 5, name: "memories" },
  (fields, memory) => {
    const { meterKey, profile, validFromMs, intervalS, entries, ...none } = memory;
    none satisfies Record<string, never>;
    fields.number(meterKey).count(PROFILE_KINDS.indexOf(profile)).number(validFromMs).number(intervalS);
    fields.optional(entries, (count) => fields.number(count));
  },
  (fields) => ({
    meterKey: fields.number(),
    profile: fields.choice(PROFILE_KINDS),
    validFromMs: fields.number(),
    intervalS: fields.number(),
    entries: fields.optional(() => fields.number()),
  }),
);

/** Single values that somebody read. */
export const READINGS: SpoolKind<MeterReading> = spoolKind(
  { code: 6, name: "readings" },
  (fields, reading) => {
    const { meterId, readAt, captureObject, value, isNumber, unit, source, receivedAt, ...none } = reading;
    none satisfies Record<string, never>;
    fields.text(meterId).number(readAt.getTime()).text(captureObject).flag(isNumber);
    fields.optional(unit, (text) => fields.text(text));
    fields.count(SOURCES.indexOf(source)).number(receivedAt.getTime());
    writeValue(fields, value);
  },
  (fields) => ({
    meterId: fields.text(),
    readAt: new Date(fields.number()),
    captureObject: fields.text(),
    isNumber: fields.flag(),
    unit: fields.optional(() => fields.text()),
    source: fields.choice(SOURCES),
    receivedAt: new Date(fields.number()),
    value: readValue(fields),
  }),
);

/** Rows that were read and fit no profile. */
export const REJECTED_ROWS: SpoolKind<RejectedRow> = spoolKind(
  { code: 4, name: "rejectedRows" },
  (fields, row) => {
    const { profile, meterKey, capturedAt, source, readAt, reason, detail, json, ...none } = row;
    none satisfies Record<string, never>;
    fields.count(READING_KINDS.indexOf(profile)).number(meterKey).text(capturedAt).number(source);
    fields.number(readAt.getTime()).text(reason).text(detail).text(json);
  },
  (fields) => ({
    profile: fields.choice(READING_KINDS),
    meterKey: fields.number(),
    capturedAt: fields.text(),
    source: fields.number(),
    readAt: new Date(fields.number()),
    reason: fields.text(),
    detail: fields.text(),
    json: fields.text(),
  }),
);
