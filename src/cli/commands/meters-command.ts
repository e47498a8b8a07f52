/** `meters list | show | release`: the meters, how their last tries ended, asked of the running daemon. */
import { z } from "zod";
import { attempt, meter as meterAnswer } from "../../api/answers/meters.ts";
import { plan, quarantinedMeter } from "../../api/answers/work.ts";
import { askDaemon, askForPages } from "../../api/local-client.ts";
import { wrapped } from "../../trace/frame-text.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { printList, printListing, printOutcome, prose, timeText, titled } from "../terminal/listing.ts";
import { type Output, printTable } from "../terminal/output.ts";
import type { DaemonOptions } from "../verbs/verb.ts";

export interface MetersListOptions extends DaemonOptions {
  readonly search?: string;
  readonly failing?: true;
}

type Meter = z.output<typeof meterAnswer>;

const plans = z.object({ items: z.array(plan) });
const attempts = z.object({ items: z.array(attempt) });
const SHOWN_TRIES = 10;
const WEEK_MS = 7 * 86_400_000;
const COLUMNS = [
  ...titled("meter", "number"),
  ...prose("type"),
  { title: "companion", isDetail: true as const },
  ...titled("last try", "result"),
  ...prose("cause"),
];

export async function metersList(options: MetersListOptions, output: Output): Promise<ExitReason> {
  const { socket, search, failing } = options;
  const meters = await askForPages(socket, { path: "/v1/meters", query: { search }, item: meterAnswer });
  const wanted = meters.filter(({ lastAttempt }) => failing !== true || lastAttempt?.succeeded === false);
  printListing(output, options, COLUMNS, wanted.map(rowOf));
  return "success";
}

function rowOf({ name, number, type, companion, isKnown, lastAttempt }: Meter): string[] {
  const { startedAt = "", succeeded, cause } = lastAttempt ?? {};
  const result = succeeded === undefined ? "never tried" : succeeded ? "read" : "failed";
  const [says, why] = isKnown ? [result, cause ?? ""] : ["not asked", "not in the configuration, not added"];
  return [name, number, type, companion, timeText(startedAt), says, why];
}

export async function metersShow(
  name: string,
  { socket, ...options }: DaemonOptions,
  output: Output,
): Promise<ExitReason> {
  const path = `/v1/meters/${encodeURIComponent(name)}`;
  const meter = await askDaemon(socket, { path, answer: meterAnswer });
  const query = { limit: SHOWN_TRIES, from: new Date(Date.now() - WEEK_MS).toISOString() };
  const { items: tries } = await askDaemon(socket, { path: `${path}/attempts`, query, answer: attempts });
  const planned = await askDaemon(socket, { path: `/v1/meters/${encodeURIComponent(meter.name)}/plans`, answer: plans })
    .then(({ items }) => items)
    // A meter that only pushes has none.
    .catch(() => []);
  const { attributes, lastAttempt: _, id: __, isKnown, ...facts } = meter;
  const profiles = [...new Set(planned.map(({ profile }) => profile))];
  const noPlans = isKnown ? "none" : "none: it is not in the configuration, and not added";
  const plansText = profiles.length === 0 ? noPlans : profiles.join(", ");
  const fields = Object.entries({ ...facts, ...attributes, plans: plansText });
  if (options.json === true || options.csv === true) {
    const objects = { meter, plans: planned, attempts: tries };
    printList(output, options, { columns: titled("field", "value"), rows: fields, objects });
    return "success";
  }
  for (const [field, value] of fields) {
    if (value !== null) output.out(`${field.padEnd("systemTitle".length)}  ${value}`);
  }
  output.out("");
  const columns = [
    ...titled("when"),
    ...prose("what"),
    ...titled("result"),
    { title: "rows", align: "right" as const },
    ...prose("cause"),
  ];
  printTable(
    output,
    columns,
    tries.map((each) => [
      timeText(each.startedAt),
      each.what,
      each.succeeded ? "read" : "failed",
      String(each.rows),
      each.cause ?? "",
    ]),
  );
  const [last] = tries;
  if (last?.succeeded !== false) return "success";
  output.out("");
  for (const [word, said] of [
    ["seen", last.evidence],
    ["next", last.nextStep],
  ] as const) {
    for (const line of wrapped(`${word.padEnd("systemTitle".length)}  ${said ?? ""}`, output.width)) output.out(line);
  }
  return "success";
}

/** `meters quarantine`: those that keep failing and are tried seldom. */
export async function metersQuarantine(
  name: string | undefined,
  { socket, ...options }: DaemonOptions,
  output: Output,
): Promise<ExitReason> {
  const query = { meter: name };
  const wanted = await askForPages(socket, { path: "/v1/quarantine", query, item: quarantinedMeter });
  printList(output, options, {
    columns: [...titled("meter", "since"), ...prose("why"), ...titled("next try"), ...prose("next step")],
    rows: wanted.map((each) => [each.meter, timeText(each.since), each.cause, timeText(each.nextTry), each.nextStep]),
    objects: wanted,
    empty: name === undefined ? "no meter is in quarantine" : `${name} is not in quarantine`,
  });
  return "success";
}

export async function metersRelease(
  name: string,
  { socket, ...options }: DaemonOptions,
  output: Output,
): Promise<ExitReason> {
  const path = `/v1/meters/${encodeURIComponent(name)}/release`;
  const released = await askDaemon(socket, { path, method: "POST", answer: z.object({ meter: z.string() }) });
  printOutcome(output, options, released, `${released.meter} is tried now`);
  return "success";
}
