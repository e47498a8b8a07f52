/** `trace`: what passes between the running daemon and a meter, as it passes. */
import { traceLine } from "../../api/answers/traces.ts";
import { askForLines, askForRead } from "../../api/local-client.ts";
import { ReadRefusedError } from "../../api/read-answer.ts";
import { counted } from "../../observe/counted.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { type TraceOptions, TraceOutput } from "../terminal/trace-output.ts";
import { printRefusal } from "./read-command.ts";

export interface TraceCommandOptions extends TraceOptions {
  readonly socket: string;
  readonly read?: string;
  readonly sessions?: string;
  /** Pushes of senders that nobody knows, instead of a meter. */
  readonly listener?: true;
}

/** The answer to a read may overtake the last lines of its session. */
const LAST_LINES_MS = 500;

/** Until so many sessions have ended, until the read is answered, or until the signal, SIGINT or SIGTERM. */
export async function traceCommand(
  meter: string | undefined,
  options: TraceCommandOptions,
  output: Output,
  signal?: AbortSignal,
): Promise<ExitReason> {
  const most = options.sessions === undefined ? Number.POSITIVE_INFINITY : Number(options.sessions);
  if (!(most >= 1)) {
    output.err("trace: --sessions is a number from 1");
    return "usage";
  }
  if ((meter === undefined) !== (options.listener === true)) {
    output.err("trace: names a meter, or --listener");
    return "usage";
  }
  const stop = new AbortController();
  const end = () => stop.abort();
  signal?.addEventListener("abort", end);
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, end);
  const shown = new TraceOutput(options, output);
  let read: Promise<ExitReason> | undefined;
  try {
    const path = meter === undefined ? "/v1/pushes/trace" : `/v1/meters/${encodeURIComponent(meter)}/trace`;
    for await (const line of askForLines(options.socket, { path, signal: stop.signal }, traceLine)) {
      shown.tell(line);
      if (line.type === "listening" && options.read !== undefined && meter !== undefined) {
        read = readMeter(meter, options.read, options, output).finally(() => setTimeout(end, LAST_LINES_MS));
      }
      if (shown.sessions >= most) break;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    await shown.close();
    for (const name of ["SIGINT", "SIGTERM"] as const) process.removeListener(name, end);
  }
  return (await read) ?? "success";
}

async function readMeter(
  meter: string,
  what: string,
  { socket, json }: TraceCommandOptions,
  output: Output,
): Promise<ExitReason> {
  try {
    const answer = await askForRead(socket, meter, what);
    output.err(`${counted(answer.rows.length, "row")} from ${answer.meter} at ${answer.readAt}`);
    return "success";
  } catch (error) {
    if (!(error instanceof ReadRefusedError)) throw error;
    printRefusal(error, { ...(json && { json }) }, output);
    return "meterFailed";
  }
}
