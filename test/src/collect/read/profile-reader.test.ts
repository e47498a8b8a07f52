import { expect, test } from "vitest";
import type { AttributeReference, DataResult, SelectiveAccess } from "../../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../../protocol/apdu/result-codes.ts";
import { type Data, dataToBytes } from "../../../../protocol/axdr/data.ts";
import {
  type ClockPolicy,
  dateTimeAt,
  decodeDateTime,
  encodeDateTime,
  resolveDateTime,
} from "../../../../protocol/cosem/date-time.ts";
import { integerOf } from "../../../../protocol/cosem/integers.ts";
import { namedZone } from "../../../../protocol/cosem/time-zone.ts";
import { DlmsError } from "../../../../protocol/errors.ts";
import type { DecodedProfile } from "../../../../protocol/profile/decode.ts";
import { profileLayout } from "../../../../protocol/profile/layout.ts";
import type { MeterQuirk } from "../../../../protocol/quirks.ts";
import { BrokenReadError } from "../../../../src/collect/causes/broken-read.ts";
import { SessionFailedError } from "../../../../src/collect/causes/session-failure.ts";
import { type RowsOrder, type RowWays, readRows } from "../../../../src/collect/read/profile-reader.ts";
import type { AttributeSource } from "../../../../src/collect/session/attribute-source.ts";
import type { ReadOctets } from "../../../../src/profiles/batch.ts";

const PERIOD_S = 900;
const PERIOD_MS = PERIOD_S * 1000;
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 4, 1);
const ROWS = 400;
const CALCUTTA: ClockPolicy = { deviation: "standard", zone: namedZone("Asia/Kolkata") };
const NAME = "1.0.99.1.0.255";
const CLOCK = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
const ENERGY = { classId: 3, logicalName: "1.0.1.29.0.255", attributeId: 2, dataIndex: 0 };

interface Habits {
  readonly clock?: ClockPolicy;
  /** Rows of the buffer, oldest first. */
  readonly rows?: number;
  /** How the meter counts entries and sends rows. */
  readonly newestFirst?: boolean;
  readonly saysLifo?: boolean;
  /** Leaves out rows whose stamp is a limit of the range. */
  readonly exclusive?: boolean;
  readonly noRange?: DataAccessResult;
  readonly emptyRange?: DataAccessResult;
  readonly noEntries?: boolean;
  /** Sends everything, whatever is asked for. */
  readonly sendsAll?: boolean;
  readonly refusesDeviation?: boolean;
  readonly notNegotiated?: boolean;
  /** What it says of how many entries are in use. */
  readonly saysInUse?: number;
  /** Answers this to so many ranges, after the first. */
  readonly stumbles?: number;
  /** Rows with this number have no time. */
  readonly timeless?: readonly number[];
  /** Breaks off after so many octets, so many times. */
  readonly breaks?: { after: number; times: number; stage: "request" | "link" };
}

interface TestMeter extends AttributeSource {
  /** What has been asked for: range, entries, whole. */
  readonly asked: string[];
}

const NO_TIME = new Uint8Array(12).fill(0xff);

function rowAt(index: number, clock: ClockPolicy, timeless: readonly number[] = []): Data {
  const stamp = timeless.includes(index)
    ? NO_TIME
    : encodeDateTime(dateTimeAt(START_MS + index * PERIOD_MS, clock.zone));
  return {
    type: "structure",
    value: [
      { type: "octet-string", value: stamp },
      { type: "double-long-unsigned", value: index },
    ],
  };
}

function meter(habits: Habits = {}): TestMeter {
  const { clock = CALCUTTA, rows = ROWS } = habits;
  const asked: string[] = [];
  let broken = 0;
  let stumbled = 0;
  const get = async ({ attribute, access }: AttributeReference): Promise<DataResult> => {
    if (attribute.attributeId === 7) {
      return { type: "data", data: { type: "double-long-unsigned", value: habits.saysInUse ?? rows } };
    }
    asked.push(access === undefined ? "whole" : access.selector === 1 ? "range" : "entries");
    if (asked.at(-1) === "range" && asked.length > 1 && stumbled < (habits.stumbles ?? 0)) {
      stumbled++;
      return { type: "data-access-result", dataAccessResult: "other-reason" };
    }
    if (access !== undefined && habits.notNegotiated) throw new DlmsError("SERVICE_NOT_NEGOTIATED", "caller", {});
    const indexes = selection(access, habits, { clock, rows });
    if (typeof indexes === "string") return { type: "data-access-result", dataAccessResult: indexes };
    const ordered = habits.newestFirst ? indexes.toReversed() : indexes;
    const data: Data = { type: "array", value: ordered.map((index) => rowAt(index, clock, habits.timeless)) };
    const { breaks } = habits;
    if (breaks !== undefined && broken < breaks.times) {
      broken++;
      throw brokenOff(dataToBytes(data).subarray(0, breaks.after), breaks.stage);
    }
    return { type: "data", data };
  };
  return { asked, get, getList: (references) => Promise.all(references.map(get)) };
}

function selection(
  access: SelectiveAccess | undefined,
  habits: Habits,
  { clock, rows }: { clock: ClockPolicy; rows: number },
): number[] | DataAccessResult {
  const all = Array.from({ length: rows }, (_, index) => index);
  const fields = access?.parameters.type === "structure" ? access.parameters.value : [];
  if (access === undefined || (habits.sendsAll && rows > 0)) return all;
  if (access.selector === 2) {
    if (habits.noEntries) return "scope-of-access-violated";
    const [from = 1, to = 0] = fields.map((field) => integerOf(field) ?? 0);
    const counted = habits.newestFirst ? all.toReversed() : all;
    return counted.slice(from - 1, to).sort((one, other) => one - other);
  }
  if (habits.noRange !== undefined) return habits.noRange;
  const limits = fields.slice(1, 3).map((field) => ("value" in field ? field.value : undefined));
  const instants = limits.map((limit) => {
    if (!(limit instanceof Uint8Array)) throw new TypeError("no limit");
    if (habits.refusesDeviation && decodeDateTime(limit).deviationMinutes !== undefined) return Number.NaN;
    return resolveDateTime(limit, clock)?.instantMs ?? Number.NaN;
  });
  if (instants.some(Number.isNaN)) return "type-unmatched";
  const [from = 0, to = 0] = instants;
  const inside = all.filter((index) => {
    const instantMs = START_MS + index * PERIOD_MS;
    return habits.exclusive ? instantMs > from && instantMs < to : instantMs >= from && instantMs <= to;
  });
  return inside.length === 0 && habits.emptyRange !== undefined ? habits.emptyRange : inside;
}

function brokenOff(partial: Uint8Array, stage: "request" | "link"): SessionFailedError {
  const error = new DlmsError("SERVICE_UNANSWERED", "peer", {});
  const failure = { stage, error, evidence: { type: "silence", waitedMs: 1, discarded: 0 }, partial } as const;
  const circumstances = {
    channel: "test",
    mechanism: "none",
    ciphered: false,
    noiseOctets: 0,
    receivedOctets: 0,
  } as const;
  return new SessionFailedError(failure, circumstances);
}

function read(from: TestMeter, wanted: readonly [from: number, to: number] | undefined, more: Partial<Reading> = {}) {
  const {
    ways = new Map(),
    quirks = [],
    clock = CALCUTTA,
    saysLifo = false,
    otherwise,
    onSpan,
    keepOctets,
    nowMs,
  } = more;
  return readRows(from, {
    object: { type: "profile", logicalName: NAME },
    layout: profileLayout({ captureObjects: [CLOCK, ENERGY], capturePeriodS: PERIOD_S, sortMethod: saysLifo ? 2 : 1 }),
    clock,
    quirks: new Set(quirks),
    ways,
    ...(otherwise !== undefined && { otherwise }),
    ...(onSpan && { onSpan }),
    ...(keepOctets && { keepOctets }),
    ...(nowMs && { nowMs }),
    ...(wanted && { range: { fromMs: START_MS + wanted[0] * PERIOD_MS, toMs: START_MS + wanted[1] * PERIOD_MS } }),
  });
}

interface Reading extends Pick<RowsOrder, "otherwise" | "onSpan" | "keepOctets" | "nowMs"> {
  readonly ways: RowWays;
  readonly quirks: readonly MeterQuirk[];
  readonly clock: ClockPolicy;
  readonly saysLifo: boolean;
}

function indexes(rows: DecodedProfile): number[] {
  const [, energy] = rows.columns;
  return energy?.kind === "number" ? [...energy.mantissas].map(Number).sort((one, other) => one - other) : [];
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

test("profile rows: limits belong to the range, whether the meter counts them in or not", async () => {
  for (const habits of [{}, { exclusive: true }, { sendsAll: true }]) {
    const from = meter(habits);
    expect(indexes(await read(from, [100, 110]))).toEqual(numbers(100, 110));
    expect(from.asked).toEqual(["range"]);
  }
});

test("profile rows: a meter that wants its limits without a deviation gets them so", async () => {
  const habits = { refusesDeviation: true };
  const quirks = ["range-without-deviation"] as const;
  const from = meter(habits);
  expect(indexes(await read(from, [100, 110], { quirks }))).toEqual(numbers(100, 110));
  expect(from.asked).toEqual(["range"]);
  // Without the quirk the rows come all the same, by entry.
  const other = meter(habits);
  expect(indexes(await read(other, [380, 390]))).toEqual(numbers(380, 390));
  expect(other.asked).toEqual(["range", "entries"]);
});

test("profile rows: limits have the deviation as the meter means it", async () => {
  const asked: Uint8Array[] = [];
  const clock: ClockPolicy = { deviation: "inverted", zone: CALCUTTA.zone };
  const from: AttributeSource = {
    get: async ({ access }) => {
      const fields = access?.parameters.type === "structure" ? access.parameters.value : [];
      asked.push(
        ...fields.flatMap((field) => ("value" in field && field.value instanceof Uint8Array ? field.value : [])),
      );
      return { type: "data", data: { type: "array", value: [] } };
    },
    getList: () => Promise.resolve([]),
  };
  await readRows(from, {
    object: { type: "profile", logicalName: NAME },
    layout: profileLayout({ captureObjects: [CLOCK, ENERGY], capturePeriodS: PERIOD_S }),
    clock,
    quirks: new Set(),
    ways: new Map(),
    range: { fromMs: START_MS, toMs: START_MS + HOUR_MS },
  });
  expect(asked.map((limit) => decodeDateTime(limit).deviationMinutes)).toEqual([330, 330]);
});

test("profile rows: an empty window is no failure, and costs one look the other way", async () => {
  for (const emptyRange of ["object-unavailable", "other-reason"] as const) {
    const from = meter({ emptyRange });
    const ways: RowWays = new Map();
    expect((await read(from, [ROWS + 50, ROWS + 60], { ways })).rowCount).toBe(0);
    expect(from.asked).toEqual(["range", "entries", "entries"]);
    // Once ranges have worked, the answer needs no proof.
    expect(indexes(await read(from, [10, 12], { ways }))).toEqual([10, 11, 12]);
    expect((await read(from, [ROWS + 50, ROWS + 60], { ways })).rowCount).toBe(0);
    expect(from.asked.slice(3)).toEqual(["range", "range"]);
  }
});

test("profile rows: an empty buffer is empty", async () => {
  expect((await read(meter({ rows: 0, emptyRange: "other-reason" }), [0, 5])).rowCount).toBe(0);
  expect((await read(meter({ rows: 0 }), undefined)).rowCount).toBe(0);
});

test("profile rows: from range to entries to the whole buffer, and remembered", async () => {
  for (const noRange of ["other-reason", "scope-of-access-violated", "read-write-denied"] as const) {
    const ways: RowWays = new Map();
    const from = meter({ noRange });
    expect(indexes(await read(from, [390, 399], { ways }))).toEqual(numbers(390, 399));
    expect(indexes(await read(from, [391, 392], { ways }))).toEqual([391, 392]);
    expect(from.asked).toEqual(["range", "entries", "entries"]);
  }
  const ways: RowWays = new Map();
  const from = meter({ noRange: "other-reason", noEntries: true });
  expect(indexes(await read(from, [3, 4], { ways }))).toEqual([3, 4]);
  expect(indexes(await read(from, [5, 6], { ways }))).toEqual([5, 6]);
  expect(from.asked).toEqual(["range", "entries", "whole", "whole"]);
});

test("profile rows: without selective access negotiated the whole buffer is read", async () => {
  const from = meter({ notNegotiated: true });
  expect(indexes(await read(from, [3, 4]))).toEqual([3, 4]);
});

test("profile rows: quirks say at once what need not be tried", async () => {
  const byEntry = meter();
  expect(indexes(await read(byEntry, [398, 399], { quirks: ["range-refused"] }))).toEqual([398, 399]);
  expect(byEntry.asked).toEqual(["entries"]);
  const whole = meter();
  await read(whole, [398, 399], { quirks: ["range-refused", "entries-refused"] });
  expect(whole.asked).toEqual(["whole"]);
});

test("profile rows: entries are counted from the end that the meter counts from", async () => {
  const ways: RowWays = new Map();
  const liar = meter({ noRange: "scope-of-access-violated", newestFirst: true });
  const nowMs = Date.now();
  const last = ROWS - 1;
  // What is said to be oldest first gives old rows only, so it is asked from the other end.
  const wanted = [last - 3, Math.ceil((nowMs - START_MS) / PERIOD_MS)] as const;
  const found = await read(liar, wanted, { ways });
  expect(indexes(found)).toEqual(numbers(last - 3, last));
  const lifo = meter({ noRange: "scope-of-access-violated", newestFirst: true });
  expect(indexes(await read(lifo, [397, 399], { saysLifo: true }))).toEqual([397, 398, 399]);
  const quirks = ["entries-newest-first"] as const;
  const known = meter({ noRange: "scope-of-access-violated", newestFirst: true });
  expect(indexes(await read(known, [397, 399], { quirks }))).toEqual([397, 398, 399]);
});

const nowMs = () => START_MS + 100 * PERIOD_MS;

test("profile rows: a meter that says it has more entries than it has is read whole", async () => {
  const ways: RowWays = new Map();
  const from = meter({ rows: 100, saysInUse: 400, noRange: "scope-of-access-violated" });
  expect(indexes(await read(from, [50, 99], { ways, nowMs }))).toEqual(numbers(50, 99));
  expect(ways.get(NAME)?.way).toBe("whole");
  expect(indexes(await read(from, [98, 99], { ways, nowMs }))).toEqual([98, 99]);
  // From the newest on, the count does no harm.
  const newest = meter({ rows: 100, saysInUse: 400, noRange: "scope-of-access-violated", newestFirst: true });
  expect(indexes(await read(newest, [90, 99], { nowMs }))).toEqual(numbers(90, 99));
  expect(newest.asked).not.toContain("whole");
  const fewer = meter({ rows: 100, saysInUse: 0, noRange: "scope-of-access-violated" });
  expect(indexes(await read(fewer, [90, 99], { nowMs }))).toEqual(numbers(90, 99));
});

test("profile rows: a doubted answer is asked for by another way, and the way that serves is kept", async () => {
  const ways: RowWays = new Map();
  const from = meter({ stumbles: 1 });
  await read(from, [0, 1], { ways });
  expect((await read(from, [10, 12], { ways })).rowCount).toBe(0);
  expect(indexes(await read(from, [10, 12], { ways, otherwise: true }))).toEqual([10, 11, 12]);
  expect(from.asked).toEqual(["range", "range", "entries"]);
  expect(ways.get(NAME)?.way).toBe("range");
  const byRange = meter({ stumbles: 1, noEntries: true });
  await read(byRange, [0, 1], { ways });
  await read(byRange, [10, 12], { ways });
  expect(indexes(await read(byRange, [10, 12], { ways, otherwise: true }))).toEqual([10, 11, 12]);
  expect(byRange.asked).toEqual(["range", "range", "entries", "range"]);
});

function stampsAt(from: number, to: number) {
  return { fromMs: START_MS + from * PERIOD_MS, toMs: START_MS + to * PERIOD_MS };
}

test("profile rows: what an answer spans is told before it is held against the range", async () => {
  const spans: unknown[] = [];
  const onSpan = (span: unknown) => spans.push(span);
  await read(meter(), [100, 100], { onSpan });
  await read(meter(), [ROWS + 400, ROWS + 500], { onSpan });
  await read(meter(), undefined, { onSpan });
  expect(spans).toEqual([
    { ...stampsAt(96, 104), isWhole: false },
    { ...stampsAt(0, ROWS - 1), isWhole: true },
  ]);
});

test("profile rows: a read that breaks off goes on after its last whole row", async () => {
  for (const newestFirst of [false, true]) {
    const from = meter({ newestFirst, breaks: { after: 500, times: 2, stage: "request" } });
    const rows = await read(from, [100, 180], { saysLifo: newestFirst });
    expect(indexes(rows)).toEqual(numbers(100, 180));
    expect(from.asked).toEqual(["range", "range", "range"]);
  }
});

test("profile rows: rows without a time come once, though the meter sends all again after a break", async () => {
  for (const newestFirst of [false, true]) {
    const timeless = [3, 5, 90];
    const from = meter({
      newestFirst,
      rows: 100,
      timeless,
      sendsAll: true,
      breaks: { after: 500, times: 2, stage: "request" },
    });
    const rows = await read(from, [0, 99], { saysLifo: newestFirst });
    expect(indexes(rows)).toEqual(numbers(0, 99));
    expect(from.asked).toEqual(["range", "range", "range"]);
  }
});

test("profile rows: a session that ends gives the rows that came whole, with the reason", async () => {
  const from = meter({ breaks: { after: 500, times: 9, stage: "link" } });
  const kept: ReadOctets[] = [];
  const keepOctets = (octets: ReadOctets) => kept.push(octets);
  const error = await read(from, [100, 180], { keepOctets }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BrokenReadError);
  const { rows, cause } = error as BrokenReadError;
  expect(indexes(rows)).toEqual(numbers(100, 100 + rows.rowCount - 1));
  expect(rows.rowCount).toBeGreaterThan(10);
  expect(cause).toBeInstanceOf(SessionFailedError);
  expect(from.asked).toEqual(["range"]);
  expect(kept).toEqual([{ form: "part", octets: expect.any(Uint8Array) }]);
  expect(kept[0]?.octets.length).toBe(500);
});

test("profile rows: a meter that always breaks off is not asked for ever", async () => {
  const from = meter({ breaks: { after: 60, times: 99, stage: "request" } });
  await expect(read(from, [100, 180])).rejects.toBeInstanceOf(BrokenReadError);
  expect(from.asked.length).toBeLessThanOrEqual(3);
  // Without a single whole row there is nothing to go on from.
  const nothing = meter({ breaks: { after: 10, times: 99, stage: "request" } });
  await expect(read(nothing, [100, 180])).rejects.toBeInstanceOf(SessionFailedError);
});
