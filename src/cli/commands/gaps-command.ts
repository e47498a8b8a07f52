/** `gaps`: which readings are not there, why, and whether they will still come. */

import { z } from "zod";
import { type GapOrder, type GapRow, gapProfile, gapRowSchema, gapState } from "../../api/gap-order.ts";
import { csvCells } from "../../exports/csv.ts";
import { gaps, type StoredReadings } from "../../gateway/stored-readings.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { prose, titled } from "../terminal/listing.ts";
import { type Output, printTable } from "../terminal/output.ts";
import { PROFILE_WORDS } from "../verbs/profile-words.ts";
import { type AnswerPlace, storedAnswers } from "./stored-answers.ts";

/** Options of the command line, as commander gives them. */
export interface GapsOptions extends AnswerPlace {
  readonly profile?: string[];
  readonly state?: string[];
  readonly from?: string;
  readonly to?: string;
  readonly json?: true;
  readonly csv?: true;
}

const WEEK_MS = 7 * 86_400_000;
const COLUMNS = [
  "meter",
  "meterNumber",
  "profile",
  "from",
  "to",
  "slots",
  "state",
  "why",
  "willCome",
  "nextStep",
] as const;
const profilesForm = z.array(gapProfile).optional();
const statesForm = z.array(gapState).optional();
/** A table holds its rows until their widths are known. */
const ROWS_A_TABLE = 10_000;

export async function gapsCommand(
  meters: readonly string[],
  options: GapsOptions,
  output: Output,
): Promise<ExitReason> {
  const order = orderOf(meters, options);
  if (order === undefined) {
    output.err("gaps: a time is as 2026-01-31T00:00:00Z; --help has the words of --profile and --state");
    return "usage";
  }
  const { profiles, states, fromMs, toMs } = order;
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
  const question = {
    order: { path: "/v1/gaps", query: { meter: meters, profile: profiles, state: states, from, to } },
    schema: gapRowSchema,
    alone: (stored: StoredReadings) => gaps(stored, order),
  };
  const slots = new Map<string, number>();
  const rows: GapRow[] = [];
  let [left, unknown] = [0, 0];
  if (options.csv === true) output.out(COLUMNS.join(","));
  for await (const row of storedAnswers(options, question, output)) {
    slots.set(row.state, (slots.get(row.state) ?? 0) + row.slots);
    if (row.slots === 0) unknown++;
    if (options.json === true) output.out(JSON.stringify(row));
    else if (options.csv === true) output.out(csvCells(COLUMNS.map((column) => String(row[column] ?? ""))));
    else if (rows.length < ROWS_A_TABLE) rows.push(row);
    else left++;
  }
  if (options.json === true || options.csv === true) return "success";
  if (rows.length > 0) printGaps(rows, output);
  const counts = Array.from(slots, ([state, count]) => (count === 0 ? [] : [`${count} ${state}`])).flat();
  if (unknown > 0) counts.push(`nobody knows how many in ${unknown} gaps`);
  output.err(slots.size === 0 ? "every slot is held" : `slots: ${counts.join(", ")}`);
  if (left > 0) output.err(`${left} more gaps; --csv and --json show all`);
  return "success";
}

/** Undefined when an option can't be understood. */
function orderOf(meters: readonly string[], { from, to, profile, state }: GapsOptions): GapOrder | undefined {
  const toMs = to === undefined ? Date.now() : Date.parse(to);
  const fromMs = from === undefined ? toMs - WEEK_MS : Date.parse(from);
  const profiles = profilesForm.safeParse(profile?.map((word) => PROFILE_WORDS.get(word) ?? word));
  const states = statesForm.safeParse(state);
  if (Number.isNaN(fromMs) || Number.isNaN(toMs) || !profiles.success || !states.success) return undefined;
  return {
    ...(meters.length > 0 && { meters }),
    ...(profiles.data && { profiles: profiles.data }),
    ...(states.data && { states: states.data }),
    fromMs,
    toMs,
  };
}

function printGaps(rows: readonly GapRow[], output: Output): void {
  const columns = [
    ...titled("meter", "profile", "from", "to"),
    { title: "slots", align: "right" as const },
    ...titled("state"),
    ...prose("why", "will it come"),
  ];
  printTable(
    output,
    columns,
    rows.map((row) => [
      row.meter,
      row.profile,
      shortTime(row.from),
      shortTime(row.to),
      row.slots === 0 ? "?" : String(row.slots),
      row.state,
      row.why,
      row.willCome,
    ]),
  );
}

/** To the minute, in UTC. */
function shortTime(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")}Z`;
}
