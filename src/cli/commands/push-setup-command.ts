/** `push setups`, `apply`, `history`, `stop`: what meters are to send by themselves, over the running daemon. */
import { z } from "zod";
import { pushSetup, setupExecution, setupLine, type setupResult } from "../../api/answers/pushes.ts";
import { askDaemon, askForLines, askForPages } from "../../api/local-client.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { printList, printOutcome, prose, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import type { DaemonOptions } from "../verbs/verb.ts";

const HISTORY = "/v1/push-setups/history";
const setupsForm = z.object({ items: z.array(pushSetup) });

type Result = z.output<typeof setupResult>;

/** States in which a meter is not as it is to be, although that was tried. */
const FAILED: ReadonlySet<string> = new Set(["restored", "mixed", "refused", "unreached"]);

export async function pushSetups({ socket, ...options }: DaemonOptions, output: Output): Promise<ExitReason> {
  const { items: setups } = await askDaemon(socket, { path: "/v1/push-setups", answer: setupsForm });
  const query = { latestOnly: true };
  const latest = await askForPages(socket, { path: HISTORY, query, item: setupExecution });
  const found = new Map(latest.map((each) => [`${each.setup}\n${each.meter}`, each]));
  const rows = setups.flatMap(({ name, logicalName, destination, meters }) =>
    meters.map((meter) => {
      const { state = "never compared", startedAt = "" } = found.get(`${name}\n${meter}`) ?? {};
      return [name, logicalName, destination ?? "as it is", meter, state, startedAt];
    }),
  );
  printList(output, options, {
    columns: titled("setup", "object", "destination", "meter", "state", "since"),
    rows,
    objects: { setups, latest },
    empty: "the configuration has no push setups for any meter: push.setups",
  });
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
  const body = { setup, meter, dryRun: dryRun === true, why: why ?? "dry run" };
  const lines = askForLines(socket, { path: "/v1/push-setups/apply", body }, setupLine);
  const states = new Map<string, number>();
  let [executions, done, left] = [0, 0, 0];
  for await (const line of lines) {
    if (json) output.out(JSON.stringify(line));
    if (line.line === "begun") executions = line.executions;
    else if (line.line === "ended") left = line.left;
    else {
      done += 1;
      states.set(line.state, (states.get(line.state) ?? 0) + 1);
      if (!json) printResult(line, `${done}/${executions}`, output);
    }
  }
  const counts = Array.from(states, ([state, count]) => `${count} ${state}`);
  output.err([...counts, ...(left > 0 ? [`${left} not begun`] : [])].join(", "));
  return left > 0 || [...states.keys()].some((state) => FAILED.has(state)) ? "meterFailed" : "success";
}

function printResult(
  { meter, setup, state, testPush, changes, evidence }: Result,
  progress: string,
  output: Output,
): void {
  const test = testPush === "not-ordered" ? "" : `, test push: ${testPush}`;
  output.out(`${progress}  ${meter}  ${setup}: ${state}${test}${evidence === null ? "" : ` (${evidence})`}`);
  for (const { attribute, before, after } of changes) {
    output.out(`  ${attribute}`);
    output.out(`    before ${JSON.stringify(before)}`);
    output.out(`    after  ${JSON.stringify(after)}`);
  }
}

export async function pushHistory(
  { socket, meter, setup, ...options }: DaemonOptions & { readonly meter?: string; readonly setup?: string },
  output: Output,
): Promise<ExitReason> {
  const query = { meter, setup };
  const items = await askForPages(socket, { path: HISTORY, query, item: setupExecution });
  printList(output, options, {
    columns: [...titled("when", "meter", "setup", "state", "test push"), ...prose("changed", "who", "why")],
    rows: items.map((each) => {
      const changed = each.changes.map(({ attribute }) => attribute).join(" ");
      return [each.startedAt, each.meter, each.setup, each.state, each.testPush, changed, each.who, each.why];
    }),
    objects: items,
    empty: "no push setup has been compared or carried out yet",
  });
  return "success";
}

export async function pushStop({ socket, ...options }: DaemonOptions, output: Output): Promise<ExitReason> {
  await askDaemon(socket, { path: "/v1/push-setups/stop", method: "POST", answer: z.undefined() });
  const words = "no other meter is begun; those that are being written come to an end";
  printOutcome(output, options, { stopped: true }, words);
  return "success";
}
