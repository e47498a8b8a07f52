/** Meters that read themselves out, as polled meters: rows for the store, and answers to who asks. */

import type { DataSets } from "../../../protocol/link/iec62056-21/data-sets.ts";
import type { ReadAnswer } from "../../api/read-answer.ts";
import { ConfigError } from "../../config/config-error.ts";
import type { ProfileBatch, ReadingSource } from "../../profiles/batch.ts";
import { mapProfile } from "../../profiles/map-profile.ts";
import { namelessValues } from "../../profiles/push-rows.ts";
import { READOUT_PROFILES, readoutRows } from "../../profiles/readout-rows.ts";
import type { MeterTarget } from "../session/meter-target.ts";
import type { SerialLines } from "../session/serial-lines.ts";
import { profileAnswer } from "./answer-table.ts";
import type { PollResult, ReadBuffer } from "./meter-poller.ts";
import { knownClock, type ReadResult } from "./meter-reader.ts";
import { readMeterOut, readoutSettings } from "./meter-readout.ts";
import type { ReadOrder } from "./read-order.ts";

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
  /** Hears the octets of the readout, once for every profile that was asked for. */
  readonly keepBuffer: (buffer: ReadBuffer) => void;
}

/** Rejects as `readMeterOut` does. */
export async function pollReadout(
  visit: ReadoutVisit,
  { meterKey, source, profiles, keepBuffer }: ReadoutPoll,
): Promise<PollResult> {
  const { target } = visit;
  const { readAt, readout } = await readOut(visit);
  const asked = READOUT_PROFILES.filter((profile) => profiles.includes(profile));
  for (const profile of asked) keepBuffer({ profile, readAt, form: "readout", octets: readout.octets });
  const clock = knownClock(target);
  const { companion } = target;
  const batches = asked.flatMap((profile) =>
    readoutBatches(readout, { meterKey, profile, companion, source, readAt, clock }),
  );
  return { batches, setAside: [], refused: [], learned: [], failure: undefined };
}

/** The rows of one profile. Throws what `readoutRows` throws. */
export function readoutBatches(
  dataSets: DataSets,
  context: Parameters<typeof mapProfile>[1] & { readonly profile: ReadoutProfile },
): ProfileBatch[] {
  const { profile, clock } = context;
  const rows = readoutRows(dataSets, clock);
  const batches = rows[profile].map((decoded) => mapProfile(decoded, context).batch);
  return profile === "instant" ? batches.map((batch) => withNameless(batch, rows.nameless)) : batches;
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
  const { readAt, readout } = await readOut(visit);
  const rows = readoutRows(readout, knownClock(visit.target));
  const octets = [{ form: "readout", octets: readout.octets }] as const;
  rows[profile].forEach((decoded, index) => {
    // All rows came in one piece.
    onRead({ type: "profile", profile, decoded, octets: index === 0 ? octets : [] });
  });
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
  return { readAt: new Date(nowMs()), readout };
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
