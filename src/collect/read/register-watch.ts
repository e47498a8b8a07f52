/**
 * Energy registers only grow. One that shows less than before was reset, or swapped with that of the other direction, or
 * is of another meter: that is told, and nothing is dropped.
 */
import type { EventSink } from "../../observe/events.ts";
import type { ProfileBatch } from "../../profiles/batch.ts";

const REGISTERS = ["active_import_total", "active_export_total"] as const;

/** The newest capture with registers, in the unit of their columns. */
export interface RegisterReading {
  readonly instantMs: number;
  readonly values: readonly (bigint | undefined)[];
}

export interface WatchedMeter {
  readonly target: { readonly name: string };
  registers?: RegisterReading;
}

/** Holds rows, in the order of their times, against the newest that is known of the meter. */
export function watchRegisters(meter: WatchedMeter, batch: ProfileBatch, events: EventSink): void {
  const columns = REGISTERS.map((name) => batch.columns.find(({ column }) => column === name));
  if (columns.every((column) => column === undefined)) return;
  const readings = batch.instantsMs.map((instantMs, row): RegisterReading => {
    return { instantMs, values: columns.map((column) => column?.values[row]) };
  });
  const inOrder = readings.toSorted((one, other) => one.instantMs - other.instantMs);
  for (const [at, reading] of inOrder.entries()) {
    const known = meter.registers;
    const isNewest = known === undefined || reading.instantMs > known.instantMs;
    const before = isNewest ? known : inOrder[at - 1];
    if (before !== undefined) tellFallen(meter, before, reading, events);
    if (isNewest) meter.registers = withHeld(reading, known);
  }
}

function tellFallen(
  { target }: WatchedMeter,
  before: RegisterReading,
  { instantMs, values }: RegisterReading,
  events: EventSink,
): void {
  const swapped = isSwapped(before.values, values);
  for (const [index, register] of REGISTERS.entries()) {
    const [held, shown] = [before.values[index], values[index]];
    if (held === undefined || shown === undefined || shown >= held) continue;
    const told = { before: String(held), after: String(shown), at: new Date(instantMs) };
    events({ event: "registerWentBack", meter: target.name, register, ...told, swapped });
  }
}

/** Each goes on from where the other was. */
function isSwapped(before: RegisterReading["values"], after: RegisterReading["values"]): boolean {
  const [firstBefore, secondBefore] = before;
  const [firstAfter, secondAfter] = after;
  if (firstBefore === undefined || secondBefore === undefined) return false;
  return (
    firstAfter !== undefined && secondAfter !== undefined && firstAfter >= secondBefore && secondAfter >= firstBefore
  );
}

/** Profiles differ in the registers that they have: what this one lacks stays known. */
function withHeld(reading: RegisterReading, known: RegisterReading | undefined): RegisterReading {
  return { ...reading, values: reading.values.map((value, index) => value ?? known?.values[index]) };
}
