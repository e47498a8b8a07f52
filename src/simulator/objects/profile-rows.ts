/** The rows of a profile as a function of time: how many there are and when each was captured. None is stored. */
import type { Capture } from "../description.ts";
import type { MeterModel, Moment } from "../meter-model.ts";

export interface ProfileRows {
  /** Rows in the buffer. */
  readonly count: number;
  /** When the row was captured; 0 is the oldest that the buffer holds. */
  at(index: number): Moment;
}

/** The rows that a buffer of `entries` rows holds at a moment. */
export function profileRows(capture: Capture, entries: number, model: MeterModel, now: Moment): ProfileRows {
  const all = capturedRows(capture, model, now.atMs);
  const dropped = Math.max(0, all.count - entries);
  return { count: all.count - dropped, at: (index) => all.at(index + dropped) };
}

function capturedRows(capture: Capture, model: MeterModel, nowMs: number): ProfileRows {
  switch (capture.by) {
    case "reading":
      return { count: 1, at: () => ({ atMs: nowMs }) };
    case "period":
      return whileOn(periodRows(model, nowMs), model);
    case "day": {
      const { calendar, installedMs } = model;
      const first = calendar.dayOf(installedMs) + 1;
      return { count: calendar.dayOf(nowMs) - first + 1, at: (index) => ({ atMs: calendar.dayStart(first + index) }) };
    }
    case "month":
      return billingRows(model, nowMs, capture.running);
    case "event": {
      const log = model.log(capture.log);
      return { count: log.count(nowMs), at: (index) => ({ atMs: log.event(index).atMs }) };
    }
  }
}

function periodRows({ calendar, installedMs, capturePeriodMs }: MeterModel, nowMs: number): ProfileRows {
  const firstMs = calendar.periodEnd(installedMs, capturePeriodMs) + capturePeriodMs;
  const lastMs = calendar.periodEnd(nowMs, capturePeriodMs);
  return {
    count: Math.max(0, Math.floor((lastMs - firstMs) / capturePeriodMs) + 1),
    at: (index) => ({ atMs: firstMs + index * capturePeriodMs }),
  };
}

/** Without what would have been captured while the meter was off. */
function whileOn(rows: ProfileRows, model: MeterModel): ProfileRows {
  if (model.description.outages === undefined) return rows;
  const captured = Array.from({ length: rows.count }, (_, index) => rows.at(index)).filter(
    ({ atMs }) => !model.isOff(atMs),
  );
  return { count: captured.length, at: (index) => captured[index] ?? rows.at(index) };
}

function billingRows({ calendar, installedMs, state }: MeterModel, nowMs: number, running: boolean): ProfileRows {
  const firstMonth = calendar.monthOf(installedMs) + 1;
  const months = Math.max(0, calendar.monthOf(nowMs) - firstMonth + 1);
  const ends = Array.from({ length: months }, (_, index) => calendar.monthStart(firstMonth + index));
  const all = [...ends, ...state.resets.filter((resetMs) => resetMs <= nowMs)].sort((one, other) => one - other);
  const rows: Moment[] = all.map((atMs) => ({ atMs }));
  if (running) rows.push({ atMs: nowMs, running: true });
  return { count: rows.length, at: (index) => rows[index] ?? { atMs: nowMs } };
}

/** The first index whose row was captured at or after an instant. */
export function firstRowFrom(rows: ProfileRows, instantMs: number): number {
  let [low, high] = [0, rows.count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows.at(middle).atMs < instantMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
