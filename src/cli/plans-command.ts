/** `plans`: what is read how often, of which meters; asked of the running daemon. */
import { userInfo } from "node:os";
import { z } from "zod";
import { order } from "../api/control-client.ts";
import type { ExitReason } from "./exit-code.ts";
import { type ListingOptions, printListing } from "./listing.ts";
import type { Output } from "./output.ts";

export interface PlanOptions extends ListingOptions {
  readonly socket: string;
}

export interface AdditionOptions extends PlanOptions {
  readonly every: string;
  readonly group?: string;
  readonly deadline?: string;
  readonly history?: string;
  readonly order?: string;
}

const plansSchema = z.array(
  z.object({
    profile: z.string(),
    group: z.string().optional(),
    every: z.number(),
    deadline: z.number().optional(),
    history: z.number(),
    order: z.string(),
    from: z.string(),
  }),
);

const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];
const COLUMNS = ["profile", "group", "every", "deadline", "history", "order", "from"].map((title) => ({ title }));

export function listPlans(options: PlanOptions, output: Output): Promise<ExitReason> {
  return print(options, output, { path: "/v1/plans", body: {} });
}

export function showPlans(meter: string, options: PlanOptions, output: Output): Promise<ExitReason> {
  return print(options, output, { path: "/v1/plans/show", body: { meter } });
}

export function addPlan(profile: string, options: AdditionOptions, output: Output): Promise<ExitReason> {
  const { every, group, deadline, history, order: readOrder } = options;
  const plan = { profile, every, group, deadline, history, order: readOrder };
  return print(options, output, { path: "/v1/plans/add", body: { plan, who: userInfo().username } });
}

export function dropPlan(
  profile: string,
  options: PlanOptions & { readonly group?: string },
  output: Output,
): Promise<ExitReason> {
  return print(options, output, { path: "/v1/plans/remove", body: { profile, group: options.group } });
}

async function print(
  options: PlanOptions,
  output: Output,
  asked: { readonly path: string; readonly body: unknown },
): Promise<ExitReason> {
  const plans = await order(options.socket, { ...asked, answer: plansSchema });
  const rows = plans.map(({ profile, group, every, deadline, history, order: readOrder, from }) => {
    return [profile, group ?? "all", text(every), text(deadline ?? every), text(history), readOrder, from];
  });
  printListing(output, options, COLUMNS, rows);
  return "success";
}

/** As in the configuration. */
function text(durationMs: number): string {
  const [unit, ms] = UNITS.find(([, each]) => durationMs % each === 0) ?? ["ms", 1];
  return `${durationMs / ms}${unit}`;
}
