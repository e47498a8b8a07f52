/** `push setups`, `apply`, `history`, `stop`: what meters are to send by themselves, over the running daemon. */
import { userInfo } from "node:os";
import { z } from "zod";
import { order } from "../api/control-client.ts";
import type { ExitReason } from "./exit-code.ts";
import { type Output, printTable } from "./output.ts";
import type { DaemonOptions } from "./push-command.ts";

const changeForm = z.object({
  attribute: z.string(),
  before: z.unknown(),
  after: z.unknown(),
  held: z.boolean().nullable(),
});
const resultForm = z.object({
  meter: z.string(),
  setup: z.string(),
  state: z.string(),
  testPush: z.string(),
  changes: z.array(changeForm),
  evidence: z.string().optional(),
});
const historyForm = z.array(resultForm.extend({ startedAt: z.string(), who: z.string(), why: z.string() }));
const setupsForm = z.array(
  z.object({
    setup: z.object({ name: z.string(), logicalName: z.string(), destination: z.string().optional() }),
    meters: z.array(z.string()),
  }),
);

type Result = z.output<typeof resultForm>;

/** States in which a meter is not as it is to be, although that was tried. */
const FAILED: ReadonlySet<string> = new Set(["restored", "mixed", "refused", "unreached"]);

export async function pushSetups({ socket, json }: DaemonOptions, output: Output): Promise<ExitReason> {
  const setups = await order(socket, { path: "/v1/push-setups", body: {}, answer: setupsForm });
  const latest = await order(socket, {
    path: "/v1/push-setups/history",
    body: { latestOnly: true, limit: 10_000 },
    answer: historyForm,
  });
  if (json) {
    output.out(JSON.stringify({ setups, latest }, undefined, 2));
    return "success";
  }
  const rows = setups.flatMap(({ setup, meters }) =>
    meters.map((meter) => {
      const found = latest.find((each) => each.meter === meter && each.setup === setup.name);
      const { state = "never compared", startedAt = "" } = found ?? {};
      return [setup.name, setup.logicalName, setup.destination ?? "as it is", meter, state, startedAt];
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
  const results = await order(socket, {
    path: "/v1/push-setups/apply",
    body: {
      ...(setup !== undefined && { setup }),
      ...(meter !== undefined && { meter }),
      dryRun: dryRun === true,
      who: userInfo().username,
      why: why ?? "dry run",
    },
    answer: z.array(resultForm),
  });
  if (json) output.out(JSON.stringify(results, undefined, 2));
  else for (const result of results) printResult(result, output);
  return results.some(({ state }) => FAILED.has(state)) ? "meterFailed" : "success";
}

function printResult({ meter, setup, state, testPush, changes, evidence }: Result, output: Output): void {
  const test = testPush === "not-ordered" ? "" : `, test push: ${testPush}`;
  output.out(`${meter}  ${setup}: ${state}${test}${evidence === undefined ? "" : ` (${evidence})`}`);
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
  const body = { ...(meter !== undefined && { meter }), ...(setup !== undefined && { setup }) };
  const rows = await order(socket, { path: "/v1/push-setups/history", body, answer: historyForm });
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
  await order(socket, { path: "/v1/push-setups/stop", body: {}, answer: z.object({}) });
  output.err("no other meter is begun; those that are being written come to an end");
  return "success";
}
