import type { ProfileBatch } from "../../profiles/batch.ts";
import { type PolledMeter, settleBatch } from "../polled-meter.ts";

type PutRows = (batch: ProfileBatch) => Promise<{ readonly written: Promise<void> }>;

/** Rows that meters send by themselves: the planner hears of them, so that nothing is asked for that came already. */
export function pushedRows(
  put: PutRows,
  parts: {
    readonly meterOf: (meterKey: number) => PolledMeter | undefined;
    readonly seen: (meter: PolledMeter) => void;
  },
): PutRows {
  const { meterOf, seen } = parts;
  return async (batch) => {
    const rows = await put(batch);
    const meter = meterOf(batch.meterKey);
    if (meter === undefined) return rows;
    seen(meter);
    rows.written.then(
      () => settleBatch(meter, batch),
      () => undefined,
    );
    return rows;
  };
}
