import { expect, test } from "vitest";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { DSMR_EVENTS } from "../../../../protocol/cosem/companion/dsmr-events.ts";
import {
  changedBits,
  eventMeaning,
  eventObjects,
  isStatusWord,
  knowsEvents,
  raisedBits,
} from "../../../../protocol/cosem/companion/event-meaning.ts";
import { type CompanionEvents, type EventEntry, happens } from "../../../../protocol/cosem/companion/event-table.ts";
import { IDIS_EVENTS } from "../../../../protocol/cosem/companion/idis-events.ts";
import { IS15959_EVENTS } from "../../../../protocol/cosem/companion/is15959-events.ts";
import { SPODES_EVENTS } from "../../../../protocol/cosem/companion/spodes-events.ts";
import { HAS_REFERENCE, referenceRows } from "../reference.ts";

const TABLES: readonly (readonly [string, CompanionEvents])[] = [
  ["is15959", IS15959_EVENTS],
  ["idis", IDIS_EVENTS],
  ["dsmr", DSMR_EVENTS],
  ["spodes", SPODES_EVENTS],
];

function word(value: number): Data {
  return { type: "double-long-unsigned", value };
}

function bitString(bitCount: number, ...bits: number[]): Data {
  const value = new Uint8Array(Math.ceil(bitCount / 8));
  for (const bit of bits) value[bit >> 3] = (value[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return { type: "bit-string", bitCount, value };
}

test("event meaning: one code means what its companion says", () => {
  const fraud = "0.0.99.98.1.255";
  expect(eventMeaning("idis", fraud, 49)?.name).toBe("messages could not be deciphered repeatedly");
  expect(eventMeaning("dsmr", fraud, 49)).toMatchObject({ condition: "module cover open", kind: "restoration" });
  expect(eventMeaning("is15959", fraud, 51)?.name).toBe("phase 1 current reversed");
  expect(eventMeaning("spodes", fraud, 1)?.name).toBe("phase 1 current reversed");
  expect(eventMeaning("is15959", fraud, 1)?.name).toBe("phase 1 voltage missing");
  expect(eventMeaning("idis", "0.0.99.98.0.255", 20)?.name).toBe("external alert");
  expect(eventMeaning("dsmr", "0.0.99.98.0.255", 20)?.name).toBe("self-check passed after firmware update");
});

test("event meaning: one code means what its log says", () => {
  expect(eventMeaning("dsmr", "0.0.99.98.5.255", 80)?.name).toBe("phase 1 voltage too high");
  expect(eventMeaning("dsmr", "0.0.99.98.7.255", 80)?.name).toBe("phase 1 voltage sag, with magnitude and duration");
  expect(eventMeaning("dsmr", "0.0.99.98.0.255", 80)).toBeUndefined();
  expect(eventMeaning("spodes", "0.0.99.98.2.255", 3)?.name).toBe("disconnected remotely");
  expect(eventMeaning("spodes", "0.0.99.98.3.255", 3)?.name).toBe("clock set");
});

test("event meaning: the log is known by the object that holds its code", () => {
  expect(eventMeaning("dsmr", "0.0.96.11.7.255", 80)).toBe(eventMeaning("dsmr", "0.0.99.98.7.255", 80));
  expect(eventMeaning("idis", "0.2.96.11.4.255", 172)?.name).toBe("disconnected remotely on M-Bus channel 2");
});

test("event meaning: a companion that numbers its codes once knows them in every log", () => {
  expect(eventMeaning("is15959", "0.0.99.98.4.255", 101)?.condition).toBe("power failure");
  expect(eventMeaning("idis", "0.0.99.98.5.255", 82)?.condition).toBe("phase 1 voltage missing");
  expect(eventMeaning("idis", "0.0.99.98.4.255", 255)?.name).toBe("event log cleared");
  expect(eventMeaning("dsmr", "0.0.99.98.3.255", 231)?.name).toBe("maker's own event");
});

test("event meaning: what no table has is not guessed", () => {
  expect(eventMeaning("is15959", "0.0.99.98.0.255", 9999)).toBeUndefined();
  expect(eventMeaning("none", "0.0.99.98.0.255", 1)).toBeUndefined();
  expect(eventMeaning("nordic", "0.0.99.98.0.255", 1)).toBeUndefined();
  expect(knowsEvents("nordic")).toBe(false);
  expect(raisedBits("none", "0.0.97.98.0.255", word(1))).toBeUndefined();
  expect(raisedBits("idis", "0.0.97.98.0.255", { type: "null-data" })).toBeUndefined();
});

test("event meaning: occurrences and restorations share their condition", () => {
  for (const [from, to] of [
    [1, 2],
    [101, 102],
    [301, 302],
    [69, 70],
  ] as const) {
    const [begin, end] = [from, to].map((code) => eventMeaning("is15959", "0.0.99.98.0.255", code));
    expect(begin).toMatchObject({ kind: "occurrence", condition: end?.condition });
    expect(end).toMatchObject({ kind: "restoration", severity: "info" });
  }
  expect(eventMeaning("idis", "0.0.99.98.2.255", 62)?.condition).toBe(
    eventMeaning("idis", "0.0.99.98.2.255", 61)?.condition,
  );
});

test("event meaning: codes on which sources disagree say so", () => {
  expect(eventMeaning("is15959", "0.0.99.98.3.255", 159)?.disputed).toBe(true);
  expect(eventMeaning("is15959", "0.0.99.98.3.255", 182)?.disputed).toBe(true);
  expect(eventMeaning("is15959", "0.0.99.98.3.255", 151)?.disputed).toBe(false);
});

test("status words: bit 0 of a bit-string is the first, of a number the least significant", () => {
  const names = raisedBits("is15959", "0.0.94.91.18.255", bitString(128, 0, 85))?.map((bit) => bit.name);
  expect(names).toEqual(["phase 1 voltage missing", "power failure"]);
  expect(raisedBits("idis", "0.0.97.98.0.255", word(0x2002))?.map((bit) => bit.name)).toEqual([
    "battery to be replaced",
    "fraud attempt",
  ]);
  expect(raisedBits("idis", "0.0.97.98.1.255", word(2 ** 31))?.map((bit) => bit.bit)).toEqual([31]);
});

test("status words: one bit means what its companion says", () => {
  const name = "0.0.97.98.0.255";
  expect(raisedBits("idis", name, word(0x0100_0000))?.[0]?.name).toBe("permanent error on M-Bus channel 1");
  expect(raisedBits("dsmr", name, word(0x0100_0000))?.[0]?.name).toBe("new device on M-Bus channel 1");
});

test("status words: a bit of the word and a code of the log tell of the same condition", () => {
  const logs = new Set(IS15959_EVENTS.logs.flatMap((log) => log.entries.map((entry) => entry.condition)));
  const bits = IS15959_EVENTS.words.flatMap((each) => each.entries);
  const unlike = bits.filter((bit) => !logs.has(bit.condition)).map((bit) => bit.code);
  // No event identifier is known for these: counter, memory, clock and phase sequence.
  expect(unlike).toEqual([87, 89, 90, 120]);
});

test("status words: changes are what began and what ended", () => {
  const name = "0.0.97.98.1.255";
  expect(changedBits("idis", name, word(0b100), word(0b1_0000_0000))).toMatchObject([
    { bit: 8, kind: "occurrence", condition: "neutral missing" },
    { bit: 2, kind: "restoration", condition: "phase 1 voltage missing" },
  ]);
  // A bit that itself says that something is normal ends nothing when it goes.
  expect(changedBits("idis", name, word(0b100000), word(0))).toEqual([]);
  expect(changedBits("idis", name, undefined, word(0b10))).toMatchObject([
    { kind: "restoration", condition: "power failure" },
  ]);
});

test("status words: acknowledging a descriptor ends nothing", () => {
  expect(changedBits("idis", "0.0.97.98.20.255", word(0x2000), word(0))).toEqual([]);
  expect(changedBits("idis", "0.0.97.98.0.255", word(0x2000), word(0))).toMatchObject([{ condition: "fraud attempt" }]);
});

test("status words: the status of a row is known on every channel", () => {
  expect(isStatusWord("dsmr", "0.3.96.10.3.255")).toBe(true);
  expect(isStatusWord("is15959", "0.0.96.10.1.255")).toBe(false);
  expect(raisedBits("idis", "0.0.96.10.1.255", { type: "unsigned", value: 0xa8 })?.map((bit) => bit.name)).toEqual([
    "daylight saving time",
    "clock adjusted",
    "power failure",
  ]);
  expect(raisedBits("dsmr", "0.0.96.10.2.255", { type: "unsigned", value: 0x40 })?.[0]?.name).toBe("value recovered");
  expect(raisedBits("idis", "0.0.96.10.2.255", { type: "unsigned", value: 0x40 })?.[0]?.name).toBe("bit 6");
});

test("event tables: no code stands twice in a log, and where one numbering holds, in none", () => {
  for (const [companion, { logs, everyLog, words, oneNumbering }] of TABLES) {
    const each = [...words.map((word) => word.entries), ...logs.map((log) => log.entries.concat(everyLog))];
    const whole = oneNumbering ? [logs.flatMap((log) => log.entries)] : [];
    for (const entries of [...each, ...whole]) {
      const codes = entries.map((entry) => entry.code);
      expect([companion, new Set(codes).size]).toEqual([companion, codes.length]);
    }
  }
});

test("event tables: every restoration ends a condition that something begins", () => {
  for (const [companion, { logs, words }] of TABLES) {
    const entries = [...logs, ...words].flatMap((log) => log.entries);
    const begun = new Set(entries.filter((entry) => entry.kind === "occurrence").map((entry) => entry.condition));
    const ended = entries.filter((entry) => entry.kind === "restoration");
    const endless = ended.filter((entry) => !begun.has(entry.condition)).map((entry) => `${companion}: ${entry.name}`);
    expect(endless).toEqual([]);
  }
  expect(happens(1, "x")).toMatchObject({
    kind: "change",
    condition: "x",
    severity: "info",
  } satisfies Partial<EventEntry>);
});

test("event objects: logs and words have names to read and to look up by", () => {
  expect(eventObjects("is15959").logs).toContain("0.0.99.98.6.255");
  expect(eventObjects("idis").words).toContain("0.b.96.10.1.255");
  expect(eventObjects("none")).toEqual({ logs: [], words: [] });
});

test.skipIf(!HAS_REFERENCE)("event tables: hold every code and bit of the reference", () => {
  for (const { event_id: id = "", log_profile: log = "" } of referenceRows("is15959-events.csv")) {
    expect(eventMeaning("is15959", log, Number(id))).toBeDefined();
    expect(
      IS15959_EVENTS.logs.find((each) => each.objects.includes(log))?.entries.map((entry) => entry.code),
    ).toContain(Number(id));
  }
  for (const { bit = "" } of referenceRows("is15959-esw.csv")) {
    expect(IS15959_EVENTS.words[0]?.entries.map((entry) => entry.code)).toContain(Number(bit));
  }
  for (const { profile = "", log = "", code = "" } of referenceRows("eu-events.csv")) {
    const companion = profile === "IDIS" ? "idis" : "dsmr";
    if (profile.startsWith("Spain")) continue;
    const name = / (\S+)$/u.exec(log)?.[1] ?? "";
    const where = log === "every log" ? "0.0.99.98.2.255" : `${name}.255`;
    expect([profile, log, code, eventMeaning(companion, where, Number(code))]).not.toContain(undefined);
  }
  for (const { profile = "", register = "", bit_lsb0: bit = "" } of referenceRows("eu-alarms.csv")) {
    const companion = profile === "IDIS" ? "idis" : "dsmr";
    if (!/^[123]$/u.test(register)) continue;
    const found = raisedBits(companion, `0.0.97.98.${Number(register) - 1}.255`, word(2 ** Number(bit)));
    expect([profile, register, found?.[0]?.name]).not.toContain(`bit ${bit}`);
  }
});
