/** `jobs`: what the running daemon works at now, what waits and for what, and what comes next. */
import { jobList } from "../../api/answers/work.ts";
import { askDaemon } from "../../api/local-client.ts";
import { counted } from "../../observe/counted.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { printList, prose, timeText, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import type { DaemonOptions } from "../verbs/verb.ts";

export interface JobsOptions extends DaemonOptions {
  readonly lane?: string;
  readonly state?: string;
  readonly limit: string;
}

export async function jobsCommand(
  meter: string | undefined,
  { socket, lane, state, limit, ...options }: JobsOptions,
  output: Output,
): Promise<ExitReason> {
  const query = { meter, lane, state, limit };
  const { items, counts, unanswered, next } = await askDaemon(socket, { path: "/v1/jobs", query, answer: jobList });
  printList(output, options, {
    columns: [
      ...titled("meter", "state", "lane"),
      ...prose("what"),
      ...titled("since or due", "gateway"),
      ...prose("waits for"),
    ],
    rows: items.map((each) => {
      return [each.meter, each.state, each.lane, each.what, placeInTime(each), each.gateway, each.waitsFor];
    }),
    objects: items,
    empty: "nothing runs, waits or is planned",
  });
  if (counts !== null) {
    const { running, waiting, meters, quarantined } = counts;
    output.err(
      `${running} running and ${waiting} waiting for ${counted(meters, "meter")}, of which ${quarantined} in quarantine`,
    );
  }
  for (const gateway of unanswered) output.err(`gateway ${gateway} works meters and does not answer: see gateways`);
  if (next !== null) output.err("there are more: --limit N, --lane, --state or METER");
  return "success";
}

function placeInTime({ since, due, state }: { since: string | null; due: string | null; state: string }): string {
  if (state !== "next") return timeText(since ?? "");
  return due === null ? "when there is room" : timeText(due);
}
