/** `read`: one meter, one thing; by name through the running daemon, or by address without any. */
import { randomBytes } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { csvCells } from "../api/csv.ts";
import { askForRead } from "../api/local-client.ts";
import { type ReadAnswer, type ReadRange, ReadRefusedError } from "../api/read-answer.ts";
import { causeOf } from "../collect/failure-cause.ts";
import { readForAnswer } from "../collect/meter-reader.ts";
import { visitMeter } from "../collect/meter-session.ts";
import { type MeterTarget, meterTarget } from "../collect/meter-target.ts";
import { parseReadOrder } from "../collect/read-order.ts";
import { duration } from "../config/fields.ts";
import { withKnownModel } from "../config/model-quirks.ts";
import { type MeterConfig, meterSchema } from "../config/schema.ts";
import { CounterFile } from "../keys/counter-file.ts";
import { leaseKeyCounters } from "../keys/key-counters.ts";
import { KeyError } from "../keys/key-error.ts";
import { tapped } from "../trace/session-tap.ts";
import type { ExitReason } from "./exit-code.ts";
import { type Output, printTable } from "./output.ts";
import { ownSystemTitle } from "./own-title.ts";
import { type TraceOptions, TraceOutput } from "./trace-output.ts";

/** Options of the command line, as commander gives them. */
export interface ReadOptions extends Omit<TraceOptions, "json" | "to"> {
  readonly json?: true;
  /** Frames as they pass. */
  readonly trace?: true;
  readonly csv?: true;
  readonly socket: string;
  readonly from?: string;
  readonly to?: string;
  readonly wait?: string;
  readonly tcp?: string;
  readonly serial?: string;
  readonly opening?: string;
  readonly speed?: string;
  readonly echo?: true;
  readonly turnaround?: string;
  readonly deviceAddress?: string;
  readonly link?: string;
  readonly physicalAddress?: string;
  readonly addressLength?: string;
  readonly timeout?: string;
  readonly clientSap?: string;
  readonly serverSap?: string;
  readonly referencing?: string;
  readonly auth?: string;
  readonly secret?: string;
  readonly suite?: string;
  readonly protection?: string;
  readonly clientTitle?: string;
  readonly serverTitle?: string;
  readonly blockCipherKey?: string;
  readonly authenticationKey?: string;
  readonly signingKey?: string;
  readonly serverSigningKey?: string;
  readonly general?: true;
  readonly counter?: string;
  readonly counters?: string;
  readonly companion?: string;
  readonly quirk?: readonly string[];
  readonly model?: string;
  readonly probe?: true;
  readonly dump?: true;
  readonly timeZone?: string;
  readonly record?: string;
}

const BUDGET_MS = 600_000;

/** Options that serve a read through the daemon as well. */
const OPTIONS_BY_NAME: ReadonlySet<string> = new Set(["json", "csv", "from", "to", "wait", "socket"]);

export async function readCommand(words: readonly string[], options: ReadOptions, output: Output): Promise<ExitReason> {
  const what = words.at(-1);
  const place = options.tcp ?? options.serial;
  if (what === undefined || words.length > 2 || (place === undefined && words.length < 2)) {
    output.err(
      "read: say METER and WHAT, or --tcp host:port or --serial path and WHAT; see `dlms-gateway read --help`",
    );
    return "usage";
  }
  const idle = place === undefined ? directOptionsIn(options) : [];
  if (idle.length > 0) {
    output.err(
      `read: ${idle.join(", ")} without --tcp or --serial: by name, the daemon's configuration says how the meter is read`,
    );
    return "usage";
  }
  parseReadOrder(what);
  try {
    const answer =
      place === undefined
        ? await askForRead(options.socket, words[0] ?? "", what, { range: rangeOf(options), waitMs: waitOf(options) })
        : await readDirectly({ name: words.length === 2 ? (words[0] ?? "") : place, what }, options, output);
    printAnswer(answer, options, output);
    return "success";
  } catch (error) {
    if (!(error instanceof ReadRefusedError)) throw error;
    printRefusal(error, options, output);
    return "meterFailed";
  }
}

/** The given options that mean something only when the meter is read without the daemon. */
function directOptionsIn(options: ReadOptions): string[] {
  return Object.keys(options)
    .filter((name) => !OPTIONS_BY_NAME.has(name))
    .map((name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
}

async function readDirectly(
  { name, what }: { readonly name: string; readonly what: string },
  options: ReadOptions,
  output: Output,
): Promise<ReadAnswer> {
  const order = parseReadOrder(what);
  const range = rangeOf(options);
  const path = options.counters ?? defaultCounterFile();
  await using counters = await CounterFile.open({ path, randomOctets: randomBytes });
  const clientTitle = options.clientTitle ?? (await ownSystemTitle(path));
  const target = targetOf(name, { ...options, clientTitle }, counters);
  const trace = tracing(options, output);
  try {
    return await visitMeter(
      target,
      { budgetMs: BUDGET_MS, ...(trace && { wrap: (channel) => tapped(channel, target, trace.tell) }) },
      (source) => readForAnswer(order, { source, target, what, ...(range && { range }) }),
    );
  } catch (cause) {
    const { says, evidence, nextStep, cause: kind } = causeOf(cause);
    throw new ReadRefusedError({ meter: name, cause: kind, evidence: `${says}: ${evidence}`, nextStep }, { cause });
  } finally {
    await trace?.close();
  }
}

/** Undefined when nobody wants to see what passes. */
export function tracing(options: ReadOptions, output: Output): TraceOutput | undefined {
  const { trace, octets, all, record, pcapng } = options;
  if (trace === undefined && record === undefined && pcapng === undefined) return undefined;
  // What was asked for goes to the standard output.
  const shown = { out: trace === undefined ? () => undefined : output.err, err: output.err, width: output.width };
  return new TraceOutput({ ...(octets && { octets }), ...(all && { all }), to: record, pcapng }, shown);
}

function targetOf(name: string, options: ReadOptions, reservations: CounterFile): MeterTarget {
  const parsed = meterSchema.safeParse(meterInput(options));
  if (!parsed.success) throw new Error(`read: ${z.prettifyError(parsed.error)}`);
  return directTarget({ ...withKnownModel(parsed.data), name }, reservations);
}

/** A meter that is read without daemon and database. */
export function directTarget(config: MeterConfig, reservations: CounterFile): MeterTarget {
  return meterTarget(config, {
    leaseCounters: (key, title) => leaseKeyCounters(reservations, { key, clientSystemTitle: title }),
    openStoredKey: () => Promise.reject(new KeyError("KEY_STORE_CLOSED")),
  });
}

/** The options in the form of a meter of the configuration, so that one schema checks both. */
export function meterInput(options: ReadOptions) {
  // These prove themselves with a system title, and need no key to cipher with.
  const needsTitle = options.auth === "hls-6" || options.auth === "hls-7";
  const security = (options.blockCipherKey !== undefined || needsTitle) && {
    suite: numberOf(options.suite),
    protection: options.protection ?? (options.blockCipherKey === undefined ? "none" : undefined),
    clientSystemTitle: options.clientTitle,
    serverSystemTitle: options.serverTitle,
    blockCipherKey: options.blockCipherKey,
    authenticationKey: options.authenticationKey,
    signingKey: options.signingKey,
    serverSigningKey: options.serverSigningKey,
    general: options.general,
    invocationCounter: options.counter,
  };
  return {
    name: "direct",
    number: "direct",
    companion: options.companion,
    model: options.model,
    quirks: options.quirk,
    timeZone: options.timeZone,
    connection: {
      tcp: options.tcp,
      serial: options.serial,
      opening: options.opening,
      speed: numberOf(options.speed),
      echo: options.echo,
      turnaround: options.turnaround,
      deviceAddress: options.deviceAddress,
      link: options.link,
      physicalAddress: numberOf(options.physicalAddress),
      addressLength: numberOf(options.addressLength),
      responseTimeout: options.timeout,
    },
    association: {
      clientSap: numberOf(options.clientSap),
      serverSap: numberOf(options.serverSap),
      referencing: options.referencing,
      mechanism: options.auth,
      secret: options.secret,
      ...(security && { security }),
    },
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function rangeOf({ from, to }: ReadOptions): ReadRange | undefined {
  if (from === undefined && to === undefined) return undefined;
  const range = {
    fromMs: from === undefined ? 0 : Date.parse(from),
    toMs: to === undefined ? Date.now() : Date.parse(to),
  };
  if (Number.isNaN(range.fromMs + range.toMs))
    throw new Error("read: --from and --to are times like 2026-01-31T00:00:00Z");
  return range;
}

function waitOf({ wait }: ReadOptions): number | undefined {
  if (wait === undefined) return undefined;
  const { success, data } = duration.safeParse(wait);
  if (!success) throw new Error("read: --wait is a time like 30s, 10m or 1d");
  return data;
}

/** Counters must not be used twice, so the field tool remembers them in the user's own state directory. */
export function defaultCounterFile(): string {
  const state = process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state");
  return join(state, "dlms-gateway", "counters");
}

function printAnswer(answer: ReadAnswer, options: ReadOptions, output: Output): void {
  if (options.json) {
    output.out(JSON.stringify(answer, undefined, 2));
    return;
  }
  const titles = answer.columns.map(({ name, unit }) => (unit === null ? name : `${name} [${unit}]`));
  if (options.csv) {
    for (const row of [titles, ...answer.rows]) output.out(csvCells(row.map((cell) => cell ?? "")));
    return;
  }
  const rows = answer.rows.map((row) => row.map((cell) => cell ?? "–"));
  // A row that no terminal can hold, as a billing row of a hundred columns, reads better from top to bottom.
  const upright = rows.length > 0 && rows.length <= 2 && titles.length > 3;
  if (upright) printUpright(answer, rows, output);
  else printAcross(answer, rows, output);
  output.err(`${answer.rows.length} rows from ${answer.meter} at ${answer.readAt}`);
}

function printUpright(answer: ReadAnswer, rows: readonly (readonly string[])[], output: Output): void {
  const lines = answer.columns.map(({ name, meaning, unit }, index) => [
    name,
    meaning ?? "",
    ...rows.map((row) => row[index] ?? "–"),
    unit ?? "",
  ]);
  const values = rows.map(() => ({ title: "value", align: "right" as const }));
  printTable(output, [{ title: "object" }, { title: "meaning" }, ...values, { title: "unit" }], lines);
}

/** Names of objects are long: the head has them short, and what they mean stands below. */
function printAcross(answer: ReadAnswer, rows: readonly (readonly string[])[], output: Output): void {
  const columns = answer.columns.map(({ name, unit, numeric }) => ({
    title: unit === null ? shortName(name) : `${shortName(name)} [${unit}]`,
    align: numeric ? ("right" as const) : ("left" as const),
  }));
  printTable(output, columns, rows);
  const known = answer.columns.filter(({ meaning }) => meaning !== null);
  for (const { name, meaning } of known) output.err(`${shortName(name)}  ${meaning}`);
}

/** `3:1.0.1.8.0.255:2` as `1.0.1.8.0`, with the attribute where it is not the value. */
function shortName(name: string): string {
  const [, , logicalName, attributeId, dataIndex = ""] = /^(\d+):([\d.]+):(-?\d+)(#\d+)?$/.exec(name) ?? [];
  if (logicalName === undefined) return name;
  const reduced = logicalName.replace(/\.255$/, "");
  return attributeId === "2" ? reduced + dataIndex : `${reduced}:${attributeId}${dataIndex}`;
}

export function printRefusal({ refusal }: ReadRefusedError, options: Pick<ReadOptions, "json">, output: Output): void {
  if (options.json) {
    output.out(JSON.stringify({ refusal }, undefined, 2));
    return;
  }
  output.err(`${refusal.meter}: ${refusal.cause}`);
  output.err(`  seen  ${refusal.evidence}`);
  output.err(`  next  ${refusal.nextStep}`);
}
