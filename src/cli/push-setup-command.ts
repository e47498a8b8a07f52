/** `push setups`, `apply`, `history`, `stop`: what meters are to send by themselves, over the running daemon. */
import { z } from "zod";
import { pushSetup, setupExecution, setupResult } from "../api/answers/pushes.ts";
import { askDaemon } from "../api/local-client.ts";
import type { ExitReason } from "./exit-code.ts";
import { type Output, printTable } from "./output.ts";
import type { DaemonOptions } from "./push-command.ts";

const setupsForm = z.object({ items: z.array(pushSetup) });
const resultsForm = z.object({ items: z.array(setupResult) });
const historyForm = z.object({ items: z.array(setupExecution) });

type Result = z.output<typeof setupResult>;

/** States in which a meter is not as it is to be, although that was tried. */
const FAILED: ReadonlySet<string> = new Set(["restored", "mixed", "refused", "unreached"]);

export async function pushSetups({ socket, json }: DaemonOptions, output: Output): Promise<ExitReason> {
  const { items: setups } = await askDaemon(socket, { path: "/v1/push-setups", answer: setupsForm });
  const { items: latest } = await askDaemon(socket, {
    path: "/v1/push-setups/history",
    query: { latestOnly: true, limit: 10_000 },
    answer: historyForm,
  });
  if (json) {
    output.out(JSON.stringify({ setups, latest }, undefined, 2));
    return "success";
  }
  const rows = setups.flatMap(({ name, logicalName, destination, meters }) =>
    meters.map((meter) => {
      const found = latest.find((each) => each.meter === meter && each.setup === name);
      const { state = "never compared", startedAt = "" } = found ?? {};
      return [name, logicalName, destination ?? "as it is", meter, state, startedAt];
    }),
  );
  const titles = ["setup", "object", "destination", "meter", "state", "since"];
  if (rows.length === 0) output.err("the configuration has no push setups for any meter: push.setups");
  else
    printTable(
      output,
      titles.map((title) => ({ title })),
      rows,
    );
  return "success";
}

export interface ApplyOptions extends DaemonOptions {
  readonly meter?: string;
  readonly dryRun?: true;
  readonly why?: string;
}

export async function pushApply(
  setup: string | undefined,
  { socket, json, meter, dryRun, why }: ApplyOptions,
  output: Output,
): Promise<ExitReason> {
  if (dryRun === undefined && why === undefined) {
    output.err("--why is wanted: meters are written, and the history keeps the reason; --dry-run only shows");
    return "usage";
  }
  const { items: results } = await askDaemon(socket, {
    path: "/v1/push-setups/apply",
    body: { setup, meter, dryRun: dryRun === true, why: why ?? "dry run" },
    answer: resultsForm,
  });
  if (json) output.out(JSON.stringify(results, undefined, 2));
  else for (const result of results) printResult(result, output);
  return results.some(({ state }) => FAILED.has(state)) ? "meterFailed" : "success";
}

function printResult({ meter, setup, state, testPush, changes, evidence }: Result, output: Output): void {
  const test = testPush === "not-ordered" ? "" : `, test push: ${testPush}`;
  output.out(`${meter}  ${setup}: ${state}${test}${evidence === null ? "" : ` (${evidence})`}`);
  for (const { attribute, before, after } of changes) {
    output.out(`  ${attribute}`);
    output.out(`    before ${JSON.stringify(before)}`);
    output.out(`    after  ${JSON.stringify(after)}`);
  }
}

export async function pushHistory(
  { socket, json, meter, setup }: DaemonOptions & { readonly meter?: string; readonly setup?: string },
  output: Output,
): Promise<ExitReason> {
  const query = { meter, setup };
  const { items: rows } = await askDaemon(socket, { path: "/v1/push-setups/history", query, answer: historyForm });
  if (json) output.out(JSON.stringify(rows, undefined, 2));
  else {
    const titles = ["when", "meter", "setup", "state", "test push", "changed", "who", "why"];
    printTable(
      output,
      titles.map((title) => ({ title })),
      rows.map(({ startedAt, meter, setup, state, testPush, changes, who, why }) => {
        const changed = changes.map(({ attribute }) => attribute).join(" ");
        return [startedAt, meter, setup, state, testPush, changed, who, why];
      }),
    );
  }
  return "success";
}

export async function pushStop({ socket }: DaemonOptions, output: Output): Promise<ExitReason> {
  await askDaemon(socket, { path: "/v1/push-setups/stop", method: "POST", answer: z.undefined() });
  output.err("no other meter is begun; those that are being written come to an end");
  return "success";
}
