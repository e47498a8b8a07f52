/** `demo`: a street of simulated meters, read into an embedded database before your eyes. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiTokens } from "../../api/tokens.ts";
import { configSchema } from "../../config/schema.ts";
import { Gateway } from "../../gateway/gateway.ts";
import { stopSignal } from "../../main.ts";
import { type StreetMeter, startStreet } from "../../simulator/street.ts";
import { appendEventLog } from "../../store/records/event-log.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type Output, printTable } from "../terminal/output.ts";
import { VERSION } from "../version.ts";
import { DemoBoard } from "./demo-board.ts";
import { demoDirectory, keptDirectory } from "./demo-directory.ts";
import { SAMPLE_QUERIES } from "./demo-queries.ts";
import { streetConfiguration } from "./demo-street.ts";
import { LiveView } from "./live-view.ts";

export interface DemoOrder {
  readonly once: boolean;
  readonly meters: string;
  /** Some of the meters do not work, to show how that is told. */
  readonly faults: boolean;
  readonly directory: string | undefined;
}

const MOST_METERS = 5000;
/** What is wrong with which house of the street, for those who want to see how failures are told. */
const FAULTS = { 1: "wrong-keys", 3: "answers-nothing", 5: "refuses-association" } as const;
const FAULTY_RESPONSE_TIMEOUT = "3s";
const REFRESH_MS = 250;
const DRAIN_MS = 10_000;
const TOKEN_MS = 86_400_000;
/** Meters and gateway share one processor here: a few at a time show their first rows sooner. */
const CONCURRENCY = 4;
/** Short periods, so that someone who watches sees rows come. */
const PLANS = [
  { profile: "instant", every: "1m" },
  { profile: "block_load", every: "5m", history: "7d" },
  { profile: "daily_load", every: "1h", history: "35d" },
  { profile: "billing", every: "1h" },
] as const;

export async function demo(order: DemoOrder, output: Output): Promise<ExitReason> {
  const count = Number(order.meters);
  if (!Number.isInteger(count) || count < 1 || count > MOST_METERS) {
    output.err(`demo: --meters is a number from 1 to ${MOST_METERS}`);
    return "usage";
  }
  // From here on Ctrl-C clears up, also while the database is being made.
  const stop = Promise.race([stopSignal(), outputClosed()]);
  await using stack = new AsyncDisposableStack();
  const { directory: kept } = order;
  const directory = kept === undefined ? await demoDirectory(stack) : await keptDirectory(kept);
  const street = stack.use(await startStreet({ count, faults: order.faults ? FAULTS : {} }));
  output.out(`${count} simulated meters listen on loopback: ${kindsOf(street.meters)}`);
  const view = new LiveView(process.stdout);
  const board = new DemoBoard(street.meters);
  const gateway = await startGateway(order, street.meters, { directory, board });
  stack.defer(() => gateway.stop("demo ended"));
  output.out(`database: ${gateway.database.capabilities.edition}, embedded; data in ${directory}`);
  return await watch({ order, output, view, board, gateway, directory, stop });
}

/** Resolves when nobody reads any more what the demo shows. */
function outputClosed(): Promise<string> {
  return new Promise((resolve) => process.stdout.once("error", () => resolve("output closed")));
}

async function startGateway(
  order: DemoOrder,
  street: readonly StreetMeter[],
  { directory, board }: { readonly directory: string; readonly board: DemoBoard },
): Promise<Gateway> {
  const meters = await streetConfiguration(street, join(directory, "keys"));
  if (order.faults) for (const meter of meters) meter.connection.responseTimeout = FAULTY_RESPONSE_TIMEOUT;
  const config = configSchema.parse({
    stateDirectory: directory,
    socket: join(directory, "control.sock"),
    plans: PLANS,
    polling: { concurrency: CONCURRENCY },
    ...(!order.once && { api: { listen: { port: 0 } } }),
    meters,
  });
  return Gateway.start({ config, version: VERSION, events: (event) => board.hear(event) });
}

interface Watch {
  readonly order: DemoOrder;
  readonly output: Output;
  readonly view: LiveView;
  readonly board: DemoBoard;
  readonly gateway: Gateway;
  readonly directory: string;
  readonly stop: Promise<string>;
}

async function watch({ order, output, view, board, gateway, directory, stop }: Watch): Promise<ExitReason> {
  const reading = order.once ? gateway.pollOnce() : startPolling(gateway, board);
  const read = reading.then(() => rowsInDatabase(gateway)).then(() => board.lookAgain());
  const stopped = await refreshUntil(Promise.race([read, stop]), { view, board, gateway });
  view.end();
  for (const line of board.failureLines()) output.err(line);
  if (stopped !== undefined) return "success";
  await printQueries(gateway, output);
  output.out(board.summary());
  if (!order.once) {
    const pages = await pagesLink(gateway);
    for (const line of furtherLines(gateway, { directory, pages, meter: board.firstMeter })) output.out(line);
    await refreshUntil(stop, { view, board, gateway });
    view.end();
  }
  return board.failures > 0 ? "meterFailed" : "success";
}

/** Resolves when nothing waits in the spool, where rows go while the database is slow; gives up after a while. */
async function rowsInDatabase(gateway: Gateway): Promise<void> {
  const untilMs = performance.now() + DRAIN_MS;
  while (gateway.vitals().spool.engaged && performance.now() < untilMs) await sleep(REFRESH_MS);
}

async function startPolling(gateway: Gateway, board: DemoBoard): Promise<void> {
  gateway.run();
  await board.allTried;
}

/** Paints the board again and again until something has happened. */
async function refreshUntil<T>(
  until: Promise<T>,
  { view, board, gateway }: Pick<Watch, "view" | "board" | "gateway">,
): Promise<T> {
  const ended = new AbortController();
  const end = until.finally(() => ended.abort());
  const paint = async () => {
    await board.refresh(gateway.database);
    view.update(board.lines(view.width));
  };
  if (board.running) await paint();
  while (!ended.signal.aborted) {
    await Promise.race([end, sleep(REFRESH_MS)]);
    if (board.changed || board.running) await paint();
  }
  return end;
}

async function printQueries(gateway: Gateway, output: Output): Promise<void> {
  for (const { question, sql } of SAMPLE_QUERIES) {
    const rows = await gateway.database.query<Record<string, Cell>>(sql);
    const names = Object.keys(rows[0] ?? {});
    const cells = rows.map((row) => names.map((name) => cellText(row[name])));
    const columns = names.map((title) => ({
      title,
      align: isNumeric(rows, title) ? ("right" as const) : ("left" as const),
    }));
    output.out(`\n-- ${question}\n${sql};`);
    printTable(output, columns, cells);
  }
  output.out("");
}

type Cell = string | number | bigint | boolean | Date | null;

function cellText(value: Cell | undefined): string {
  if (value === null || value === undefined) return "–";
  return value instanceof Date ? value.toISOString().replace(".000Z", "Z") : String(value);
}

function isNumeric(rows: readonly Record<string, Cell>[], name: string): boolean {
  return rows.every((row) => row[name] === null || /^-?[\d.]+$/.test(cellText(row[name])));
}

/** A link that signs in whoever follows it, for as long as a demo lasts. */
async function pagesLink(gateway: Gateway): Promise<string> {
  const tokens = new ApiTokens(gateway.database, (entries) => appendEventLog(gateway.database, entries));
  const order = { name: "demo", role: "admin", expiresAt: new Date(Date.now() + TOKEN_MS) } as const;
  const { text } = await tokens.create(order, "demo");
  return `${gateway.pages ?? ""}/#token=${text}`;
}

interface Further {
  readonly directory: string;
  readonly pages: string;
  readonly meter: string;
}

function furtherLines(gateway: Gateway, { directory, pages, meter }: Further): string[] {
  return [
    "",
    `The street is polled on. Its pages: ${pages}`,
    "Or look further from another terminal:",
    `  ${gateway.psqlCommand ?? "psql"}`,
    `  npx dlms-gateway read ${meter} clock --socket ${join(directory, "control.sock")}`,
    "Ctrl-C stops it and takes the data away.",
    "",
  ];
}

function kindsOf(meters: readonly StreetMeter[]): string {
  const counts = new Map<string, number>();
  for (const meter of meters) counts.set(meter.type, (counts.get(meter.type) ?? 0) + 1);
  return Array.from(counts, ([type, count]) => `${count} × ${type}`).join(", ");
}
