/** What must be true at the end of every run, whatever happened in it. */
import type { PolledMeter } from "../../../src/collect/polled-meter.ts";
import { placeOf, slotOf, slotsBetween } from "../../../src/collect/slots/slot-calendar.ts";
import type { ProfileKind } from "../../../src/profiles/batch.ts";
import { PROFILE_KINDS } from "../../../src/store/profiles/profile-tables.ts";
import type { ModelDatabase } from "./model-database.ts";
import { type Memory, pageKey } from "./model-ledger.ts";
import type { Observer } from "./observer.ts";
import type { RowMeter } from "./row-meter.ts";

/** A meter as it really was, for as much as is known of it. */
export interface Truth {
  readonly meterKey: number;
  readonly name: string;
  readonly rowMeter: RowMeter | undefined;
}

export interface EndState {
  readonly model: ModelDatabase;
  readonly observer: Observer;
  readonly truths: readonly Truth[];
  readonly meters: readonly PolledMeter[];
  /** Slots up to here must have been read by the end. */
  readonly settledToMs: number;
  readonly endMs: number;
}

const MOST_TOLD = 5;

/** Sentences about what is not as it must be; none when all is well. */
export function violations(state: EndState): string[] {
  const all = [
    lost(state),
    doubled(state),
    untrue(state),
    ledgerBesideData(state),
    wronglySettled(state),
    starved(state),
    memoryAhead(state),
  ];
  return [...all.flatMap((each) => each.slice(0, MOST_TOLD)), ...state.observer.faults, ...unknownStatements(state)];
}

function lost({ model, observer }: EndState): string[] {
  return [...observer.acknowledged.values()]
    .filter(({ meterKey, profile, instantMs }) => !model.rowsOf(meterKey, profile).has(instantMs))
    .map(({ meterKey, profile, instantMs }) => `acknowledged and lost: ${meterKey} ${profile} ${timeText(instantMs)}`);
}

function doubled({ model }: EndState): string[] {
  const found = model.revisions.map((revision) => `row came twice and differs: ${revision}`);
  for (const rows of model.rows.values()) {
    const slots = new Set<string>();
    for (const { meterKey, profile, instantMs, intervalS } of rows.values()) {
      const place = placeIn(model, { meterKey, profile, intervalS, instantMs });
      if (place === undefined) continue;
      const name = `${place.key} ${place.bit}`;
      if (slots.has(name)) found.push(`two rows for one slot: ${name}`);
      slots.add(name);
    }
  }
  return found;
}

/** A row that says what the meter never captured. */
function untrue({ model, truths }: EndState): string[] {
  const found: string[] = [];
  for (const { meterKey, rowMeter, name } of truths) {
    if (rowMeter === undefined) continue;
    const rows = PROFILE_KINDS.flatMap((kind) => model.rowsOf(meterKey, kind).values().toArray());
    for (const { profile, instantMs, value } of rows) {
      const energy = rowMeter.mapped(instantMs).columns.find(({ column }) => column === "active_import_total");
      const isTrue = value.split(" ").includes(`active_import_total=${energy?.values[0]}`);
      if (!isTrue || !rowMeter.captured(instantMs)) {
        found.push(`held and never captured: ${name} ${profile} ${timeText(instantMs)}: ${value}`);
      }
    }
  }
  return found;
}

interface Stamped {
  readonly meterKey: number;
  readonly profile: ProfileKind;
  readonly intervalS: number;
  readonly instantMs: number;
}

function placeIn(model: ModelDatabase, { meterKey, profile, intervalS, instantMs }: Stamped) {
  const calendar = model.ledger.calendars.get(meterKey);
  if (calendar === undefined || profile === "instant") return undefined;
  const rule = { ...calendar, intervalS: profile === "daily_load" ? 86_400 : intervalS };
  const slotMs = slotOf(rule, instantMs);
  if (slotMs === undefined) return undefined;
  const { day, bit } = placeOf(rule, slotMs);
  return { key: pageKey({ meterKey, profile, intervalS: rule.intervalS, day }), bit };
}

function ledgerBesideData({ model }: EndState): string[] {
  const found: string[] = [];
  const expected = new Map<string, Set<number>>();
  for (const rows of model.rows.values()) {
    for (const row of rows.values()) {
      const place = placeIn(model, row);
      if (place === undefined) continue;
      const bits = expected.get(place.key) ?? new Set();
      expected.set(place.key, bits.add(place.bit));
      if (model.ledger.pages.get(place.key)?.bits.held.has(place.bit) === true) continue;
      found.push(`held and not in the ledger: ${place.key}, slot ${place.bit} (${timeText(row.instantMs)})`);
    }
  }
  for (const [key, { bits }] of model.ledger.pages) {
    for (const bit of bits.held) {
      if (expected.get(key)?.has(bit) !== true) found.push(`in the ledger and not held: ${key}, slot ${bit}`);
    }
  }
  return found;
}

/** A slot that is said to be absent, or the meter to have been off, although the meter captured a row. */
function wronglySettled({ model, truths }: EndState): string[] {
  const found: string[] = [];
  for (const { meterKey, rowMeter, name } of truths) {
    for (const { slotMs, profile, memory, states } of slotStates(model, meterKey)) {
      if (states.held || !(states.absent || states.off) || slotMs <= memory.validFromMs) continue;
      const isThere = rowMeter === undefined || rowMeter.captured(slotMs);
      if (isThere)
        found.push(
          `${name}: said to be ${states.off ? "off" : "absent"} and was captured: ${profile} ${timeText(slotMs)}`,
        );
      else if (states.off && !rowMeter.isOff(slotMs))
        found.push(`${name}: said to be off and was on: ${timeText(slotMs)}`);
    }
  }
  return found;
}

interface SlotStates {
  readonly slotMs: number;
  readonly profile: ProfileKind;
  readonly memory: Memory;
  readonly states: { readonly held: boolean; readonly absent: boolean; readonly off: boolean };
}

/** The slots since a meter's memories began, with what the ledger says of each. */
function* slotStates(model: ModelDatabase, meterKey: number, toMs = model.world.now()): Generator<SlotStates> {
  const calendar = model.ledger.calendars.get(meterKey);
  if (calendar === undefined) return;
  for (const memory of model.ledger.memories.values()) {
    if (memory.meterKey !== meterKey) continue;
    const { profile, intervalS } = memory;
    const rule = { ...calendar, intervalS };
    for (const slotMs of slotsBetween(rule, memory.validFromMs, toMs)) {
      const { day, bit } = placeOf(rule, slotMs);
      const bits = model.ledger.pages.get(pageKey({ meterKey, profile, intervalS, day }))?.bits;
      const has = (state: "held" | "absent" | "off") => bits?.[state].has(bit) === true;
      yield { slotMs, profile, memory, states: { held: has("held"), absent: has("absent"), off: has("off") } };
    }
  }
}

/** A meter that answers again, and whose slots are not read. */
function starved({ model, truths, settledToMs, endMs, observer }: EndState): string[] {
  const found: string[] = [];
  for (const { meterKey, name, rowMeter } of truths) {
    const known = [...model.ledger.memories.values()].some((memory) => memory.meterKey === meterKey);
    if (!known) found.push(`never read: ${name}, last failure: ${observer.lastCause.get(name) ?? "none"}`);
    for (const { slotMs, profile, states } of slotStates(model, meterKey, settledToMs)) {
      if (states.held || states.absent || states.off) continue;
      // What the meter had overwritten before it could be reached is gone.
      const isGone = rowMeter !== undefined && !rowMeter.held(profile, endMs).includes(slotMs);
      if (!isGone)
        found.push(
          `not read: ${name} ${profile} ${timeText(slotMs)}, last failure: ${observer.lastCause.get(name) ?? "none"}`,
        );
    }
  }
  return found;
}

/** What a process believes to be settled must be so in the database, or the meter has overwritten it. */
function memoryAhead({ model, meters }: EndState): string[] {
  return meters.flatMap((meter) => [...settledAhead(model, meter)]);
}

function* settledAhead(model: ModelDatabase, { ledger, meterKey }: PolledMeter): Generator<string> {
  const nowMs = model.world.now();
  for (const { slotMs, profile, memory, states } of slotStates(model, meterKey)) {
    const own = ledger?.of(profile);
    if (own === undefined || states.held || states.absent || states.off) continue;
    const reachMs = (memory.entries ?? Number.POSITIVE_INFINITY) * memory.intervalS * 1000;
    const isOpen = own.settled.open(own.rule, nowMs).some(({ fromMs, toMs }) => slotMs >= fromMs && slotMs <= toMs);
    if (isOpen || slotMs < nowMs - reachMs) continue;
    yield `settled in memory and not in the ledger: ${meterKey} ${profile} ${timeText(slotMs)}`;
  }
}

function unknownStatements({ model }: EndState): string[] {
  return [...model.unknown].map((text) => `a statement that the model does not know: ${text}`);
}

function timeText(instantMs: number): string {
  return new Date(instantMs).toISOString();
}
