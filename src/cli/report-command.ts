/** `report sla`: how much came in time, asked of the running daemon. */
import { z } from "zod";
import { serviceLevel } from "../api/answers/reports.ts";
import { lanes } from "../api/answers/work.ts";
import { askDaemon } from "../api/local-client.ts";
import type { ExitReason } from "./exit-code.ts";
import { type ListingOptions, printListing } from "./listing.ts";
import type { Output } from "./output.ts";
import type { TableColumn } from "./table.ts";

export interface SlaOptions extends ListingOptions {
  readonly socket: string;
  readonly from?: string;
  readonly to?: string;
  readonly group?: string;
  readonly least?: readonly string[];
}

type Level = z.output<typeof serviceLevel>;

const HOURS = { 1: "within1h", 8: "within8h", 24: "within24h" } as const;
const THRESHOLD = /^(1|8|24)h?=(\d+(?:\.\d+)?)%?$/;
const DAY_MS = 86_400_000;
const align = "right";
const COLUMNS: readonly TableColumn[] = [
  { title: "group" },
  { title: "day" },
  { title: "meters", align },
  { title: "due", align },
  { title: "held", align },
  { title: "1 h %", align },
  { title: "8 h %", align },
  { title: "24 h %", align },
  { title: "pushes", align },
  { title: "below" },
];

interface Threshold {
  readonly field: (typeof HOURS)[keyof typeof HOURS];
  readonly text: string;
  readonly share: number;
}

export async function slaCommand(options: SlaOptions, output: Output): Promise<ExitReason> {
  const thresholds = (options.least ?? []).map(thresholdOf);
  if (thresholds.includes(undefined)) {
    output.err("report sla: --least is hours=percent, as 8=95 or 24=99.5; hours are 1, 8 or 24");
    return "usage";
  }
  const wanted = thresholds.filter((each) => each !== undefined);
  const yesterday = new Date(Date.now() - DAY_MS).toISOString().slice(0, "2026-01-31".length);
  const to = options.to ?? yesterday;
  const query = { from: options.from ?? to, to, group: options.group };
  const { items } = await askDaemon(options.socket, {
    path: "/v1/reports/sla",
    query,
    answer: z.object({ items: z.array(serviceLevel) }),
  });
  printListing(
    output,
    options,
    COLUMNS,
    items.map((item) => rowOf(item, wanted)),
  );
  if (options.json !== true && options.csv !== true) await tellOnDemand(options.socket, output);
  return items.some((item) => belowOf(item, wanted).length > 0) ? "failure" : "success";
}

function thresholdOf(text: string): Threshold | undefined {
  const [, hours, percent] = THRESHOLD.exec(text) ?? [];
  if (hours !== "1" && hours !== "8" && hours !== "24") return undefined;
  return { field: HOURS[hours], text: `${hours} h`, share: Number(percent) / 100 };
}

function belowOf(item: Level, thresholds: readonly Threshold[]): string[] {
  return thresholds.flatMap(({ field, text, share }) => ((item[field] ?? 1) < share ? [text] : []));
}

function rowOf(item: Level, thresholds: readonly Threshold[]) {
  const { group, day, meters, due, held, within1h, within8h, within24h, pushes } = item;
  const shares = [within1h, within8h, within24h].map(percentText);
  return [group, day, meters, due, held, ...shares, pushes, belowOf(item, thresholds)];
}

/** Cut, not rounded: 99.99 % is not all. */
function percentText(share: number | null): string {
  return share === null ? "–" : (Math.floor(share * 10_000) / 100).toFixed(2);
}

async function tellOnDemand(socket: string, output: Output): Promise<void> {
  const { on_demand: asked } = await askDaemon(socket, { path: "/v1/lanes", answer: lanes });
  if (asked === undefined || asked.jobs === 0) return;
  const { jobs, waitMs, runMs } = asked;
  output.err(
    `on demand since the start: ${jobs} reads, half waited ${waitMs.p50} ms and took ${runMs.p50} ms, 99 % at most ${waitMs.p99} and ${runMs.p99} ms`,
  );
}
