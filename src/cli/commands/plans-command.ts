/** `plans`: what is read how often, of which meters; asked of the running daemon. */
import { z } from "zod";
import { plan } from "../../api/answers/work.ts";
import { askDaemon, type LocalOrder } from "../../api/local-client.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { printListing, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import type { DaemonOptions } from "../verbs/verb.ts";

export interface AdditionOptions extends DaemonOptions {
  readonly every: string;
  readonly group?: string;
  readonly deadline?: string;
  readonly history?: string;
  readonly order?: string;
}

const plansSchema = z.object({ items: z.array(plan) });

const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];
const COLUMNS = titled("profile", "group", "every", "deadline", "history", "order", "from");

export function listPlans(options: DaemonOptions, output: Output): Promise<ExitReason> {
  return print(options, output, { path: "/v1/plans" });
}

export function showPlans(meter: string, options: DaemonOptions, output: Output): Promise<ExitReason> {
  return print(options, output, { path: `/v1/meters/${encodeURIComponent(meter)}/plans` });
}

export function addPlan(profile: string, options: AdditionOptions, output: Output): Promise<ExitReason> {
  const { every, group, deadline, history, order } = options;
  const body = { profile, every, group, deadline, history, order };
  return print(options, output, { path: "/v1/plans", method: "PUT", body });
}

export function dropPlan(
  profile: string,
  options: DaemonOptions & { readonly group?: string },
  output: Output,
): Promise<ExitReason> {
  const path = `/v1/plans/${encodeURIComponent(profile)}`;
  return print(options, output, { path, method: "DELETE", query: { group: options.group } });
}

async function print(options: DaemonOptions, output: Output, order: LocalOrder): Promise<ExitReason> {
  const { items } = await askDaemon(options.socket, { ...order, answer: plansSchema });
  const rows = items.map(({ profile, group, everyMs, deadlineMs, historyMs, order: readOrder, from }) => {
    return [profile, group ?? "all", text(everyMs), text(deadlineMs), text(historyMs), readOrder, from];
  });
  printListing(output, options, COLUMNS, rows);
  return "success";
}

/** As in the configuration. */
function text(durationMs: number): string {
  const [unit, ms] = UNITS.find(([, each]) => durationMs % each === 0) ?? ["ms", 1];
  return `${durationMs / ms}${unit}`;
}
