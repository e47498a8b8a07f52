/** Alarms of virtual meters: a code in a log, and bits of alarm registers and descriptors. */
import type { VirtualMeter } from "../../src/simulator/virtual-meter.ts";

export interface MeterAlarm {
  /** Name of the log, and the code that it takes. */
  readonly log: string;
  readonly code: number;
  /** Bits of words that it sets, by logical name; those of an alarm descriptor stay until a client clears them. */
  readonly sets?: Readonly<Record<string, number>>;
  readonly clears?: Readonly<Record<string, number>>;
}

/** Has an alarm happen now by the meter's clock. */
export function raiseAlarm(meter: VirtualMeter, { log, code, sets = {}, clears = {} }: MeterAlarm): void {
  const { atMs } = meter.objects.now();
  meter.model.state.raise(log, { atMs, code });
  for (const [word, bit] of Object.entries(sets)) writeWord(meter, word, (bits) => bits | (1 << bit));
  for (const [word, bit] of Object.entries(clears)) writeWord(meter, word, (bits) => bits & ~(1 << bit));
}

/** What a client does once it has seen the alarms. */
export function acknowledgeAlarms(meter: VirtualMeter, descriptor: string): void {
  writeWord(meter, descriptor, () => 0);
}

function writeWord(meter: VirtualMeter, logicalName: string, change: (bits: number) => number): void {
  const present = meter.objects.value({ classId: 1, logicalName, attributeId: 2 }, meter.objects.now());
  if (present?.type !== "double-long-unsigned") throw new RangeError(`the meter has no alarm word ${logicalName}`);
  meter.model.state.write(logicalName, 2, { type: "double-long-unsigned", value: change(present.value) >>> 0 });
}
