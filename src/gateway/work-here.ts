import { ReadRefusedError } from "../api/read-answer.ts";
import { causeOf } from "../collect/causes/failure-cause.ts";
import { type AskedWork, MeterNotHeldError, type PollLoop } from "../collect/lanes/poll-loop.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import type { SharedVisit } from "../collect/session/shared-visit.ts";
import { NotHereError } from "../jobs/meter-jobs.ts";

/**
 * Does something for a meter that this gateway works, before scheduled work. Throws ReadRefusedError, and NotHereError
 * where the meter is another gateway's by now.
 */
export async function workHere<T>(
  loop: PollLoop<PolledMeter>,
  meter: PolledMeter,
  work: (visit: SharedVisit) => Promise<T>,
  asked: AskedWork<T>,
): Promise<T> {
  try {
    return await loop.readNow(meter, work, asked);
  } catch (cause) {
    if (cause instanceof MeterNotHeldError) throw new NotHereError(meter.target.name);
    if (cause instanceof ReadRefusedError) throw cause;
    const failure = causeOf(cause);
    const evidence = `${failure.says}: ${failure.evidence}`;
    throw new ReadRefusedError({ ...failure, meter: meter.target.name, evidence }, { cause });
  }
}
