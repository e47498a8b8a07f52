/** `report sla`: how much came in time and how long people waited, asked of the running daemon. */
import type { z } from "zod";
import { type serviceLevel, serviceLevelReport } from "../../api/answers/reports.ts";
import { askDaemon } from "../../api/local-client.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type Cell, type ListingOptions, printList } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import type { TableColumn } from "../terminal/table.ts";

export interface SlaOptions extends ListingOptions {
  readonly socket: string;
  readonly from?: string;
  readonly to?: string;
  readonly group?: string;
}

type Level = z.output<typeof serviceLevel>;

const DAY_MS = 86_400_000;
const align = "right";
/** Title, and what it says of a level. */
const COLUMNS: readonly (TableColumn & { readonly of: (level: Level) => Cell })[] = [
  { title: "group", of: ({ group }) => group },
  { title: "day", of: ({ day }) => day },
  { title: "meters", align, of: ({ meters }) => meters },
  { title: "due", align, of: ({ due }) => due },
  { title: "held", align, of: ({ held }) => held },
  { title: "1 h %", align, of: ({ within1h }) => percentText(within1h) },
  { title: "8 h %", align, of: ({ within8h }) => percentText(within8h) },
  { title: "24 h %", align, of: ({ within24h }) => percentText(within24h) },
  { title: "pushes expected", align, isDetail: true, of: ({ pushes }) => pushes.expected },
  { title: "pushes received", align, isDetail: true, of: ({ pushes }) => pushes.received },
  { title: "pushes %", align, of: ({ pushes }) => percentText(pushes.share) },
  ...requestColumns("reads"),
  ...requestColumns("disconnects"),
  ...requestColumns("reconnects"),
  { title: "below", isProse: true, of: ({ below }) => below },
];

function requestColumns(kind: "reads" | "disconnects" | "reconnects"): typeof COLUMNS {
  return [
    { title: `${kind} asked`, align, isDetail: true, of: (level) => level[kind].asked },
    { title: `${kind} done`, align, isDetail: true, of: (level) => level[kind].done },
    { title: `${kind} p50 s`, align, isDetail: true, of: (level) => secondsText(level[kind].p50Ms) },
    { title: `${kind} p95 s`, align, of: (level) => secondsText(level[kind].p95Ms) },
    { title: `${kind} p99 s`, align, isDetail: true, of: (level) => secondsText(level[kind].p99Ms) },
  ];
}

export async function slaCommand(options: SlaOptions, output: Output): Promise<ExitReason> {
  const yesterday = new Date(Date.now() - DAY_MS).toISOString().slice(0, "2026-01-31".length);
  const to = options.to ?? yesterday;
  const query = { from: options.from ?? to, to, group: options.group };
  const { items } = await askDaemon(options.socket, { path: "/v1/reports/sla", query, answer: serviceLevelReport });
  printList(output, options, {
    columns: COLUMNS,
    rows: items.map((item) => COLUMNS.map(({ of }) => of(item))),
    objects: items,
    empty: "no meter's intervals are known on these days, and nothing was asked",
  });
  return items.some(({ below }) => below.length > 0) ? "failure" : "success";
}

/** Cut, not rounded: 99.99 % is not all. */
function percentText(share: number | null): string {
  return share === null ? "–" : (Math.floor(share * 10_000) / 100).toFixed(2);
}

function secondsText(ms: number | null): string {
  return ms === null ? "–" : (ms / 1000).toFixed(1);
}
