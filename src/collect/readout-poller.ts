/** Meters that read themselves out, as polled meters: rows for the store, and answers to who asks. */
import type { ReadAnswer } from "../api/read-answer.ts";
import { ConfigError } from "../config/config-error.ts";
import type { ProfileBatch, ReadingSource } from "../profiles/batch.ts";
import { mapProfile } from "../profiles/map-profile.ts";
import { namelessValues } from "../profiles/push-rows.ts";
import { READOUT_PROFILES, readoutRows } from "../profiles/readout-rows.ts";
import { profileAnswer } from "./answer-table.ts";
import type { PollResult } from "./meter-poller.ts";
import { knownClock, type ReadResult } from "./meter-reader.ts";
import { readMeterOut, readoutSettings } from "./meter-readout.ts";
import type { MeterTarget } from "./meter-target.ts";
import type { ReadOrder } from "./read-order.ts";
import type { SerialLines } from "./serial-lines.ts";

export type ReadoutProfile = (typeof READOUT_PROFILES)[number];

export interface ReadoutVisit {
  readonly target: MeterTarget;
  readonly lines: SerialLines;
  readonly budgetMs: number;
  readonly nowMs: () => number;
  readonly signal?: AbortSignal;
}

export interface ReadoutPoll {
  readonly meterKey: number;
  readonly source: ReadingSource;
  readonly profiles: readonly string[];
}

/** Rejects as `readMeterOut` does. */
export async function pollReadout(
  visit: ReadoutVisit,
  { meterKey, source, profiles }: ReadoutPoll,
): Promise<PollResult> {
  const { target } = visit;
  const clock = knownClock(target);
  const { readAt, rows } = await readOut(visit);
  const mapped = READOUT_PROFILES.filter((profile) => profiles.includes(profile)).flatMap((profile) =>
    rows[profile].map((decoded) => {
      return mapProfile(decoded, { meterKey, profile, companion: target.companion, source, readAt, clock });
    }),
  );
  const batches = mapped.map(({ batch }) => (batch.profile === "instant" ? withNameless(batch, rows.nameless) : batch));
  return { batches, setAside: [], refused: [], learned: [], failure: undefined };
}

/** Throws ConfigError for what no readout holds; rejects as `readMeterOut` does. */
export async function readoutForAnswer(
  order: ReadOrder,
  visit: ReadoutVisit,
  { what, onRead }: { readonly what: string; readonly onRead: (read: ReadResult) => void },
): Promise<ReadAnswer> {
  const { name } = visit.target;
  const profile = READOUT_PROFILES.find((each) => order.type === "profile" && each === order.profile);
  if (profile === undefined) {
    const message = `a meter that is read out gives ${READOUT_PROFILES.join(" and ")} only`;
    throw new ConfigError(name, [{ path: "connection.opening", message }]);
  }
  const { readAt, rows } = await readOut(visit);
  for (const decoded of rows[profile]) onRead({ type: "profile", profile, decoded, octets: [] });
  const head = { meter: name, what, readAt: readAt.toISOString() };
  return joined(
    head,
    rows[profile].map((decoded) => profileAnswer(head, decoded)),
  );
}

async function readOut({ target, lines, budgetMs, nowMs, signal }: ReadoutVisit) {
  const { name, connection } = target;
  const readout = await readMeterOut({
    path: connection.serial ?? "",
    lines,
    reading: readoutSettings(connection),
    meter: name,
    budgetMs,
    ...(signal && { signal }),
  });
  return { readAt: new Date(nowMs()), rows: readoutRows(readout, knownClock(target)) };
}

function withNameless(batch: ProfileBatch, nameless: Parameters<typeof namelessValues>[0]): ProfileBatch {
  return { ...batch, others: [...batch.others, ...namelessValues(nameless)] };
}

/** One table of answers whose columns may differ from row to row. */
function joined(head: Pick<ReadAnswer, "meter" | "what" | "readAt">, answers: readonly ReadAnswer[]): ReadAnswer {
  const columns = new Map(answers.flatMap((answer) => answer.columns.map((column) => [column.name, column] as const)));
  const names = [...columns.keys()];
  const rows = answers.flatMap((answer) => {
    const places = names.map((name) => answer.columns.findIndex((column) => column.name === name));
    return answer.rows.map((row) => places.map((place) => row[place] ?? null));
  });
  return { ...head, columns: [...columns.values()], rows };
}
