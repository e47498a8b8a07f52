/** Where the lines of a trace go: to the terminal, to recordings, to a file for Wireshark. */
import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { RecordingFile } from "../../../drivers/recording/file.ts";
import { parseEntryLine, type RecordingEntry } from "../../../drivers/recording/recording.ts";
import type { PushLine, TraceLine } from "../../api/answers/traces.ts";
import { frameLines, type ShownFrame } from "../../trace/frame-text.ts";
import { PcapngWriter } from "../../trace/pcapng-writer.ts";
import type { Output } from "./output.ts";

export interface TraceOptions {
  readonly octets?: true;
  readonly all?: true;
  readonly json?: true;
  /** Where a recording goes: one file a session. */
  readonly to?: string | undefined;
  readonly record?: string;
  readonly pcapng?: string | undefined;
}

/** Lines of a frame that are shown without `--all`. */
const SHOWN_LINES = 24;

export class TraceOutput {
  readonly #options: TraceOptions;
  readonly #output: Output;
  readonly #recordings: RecordingFile[] = [];
  readonly #pcapng: { readonly file: WriteStream; readonly writer: PcapngWriter } | undefined;
  #addEntry: ((entry: RecordingEntry) => void) | undefined;
  #startedAt: Date | undefined;
  #lines = 0;
  #sessions = 0;

  /** Files must not exist yet. */
  constructor(options: TraceOptions, output: Output) {
    this.#options = options;
    this.#output = output;
    if (options.pcapng === undefined) return;
    const file = createWriteStream(options.pcapng, { flags: "wx", mode: 0o600 });
    file.on("error", (error) => output.err(`${options.pcapng}: not written: ${error.message}`));
    this.#pcapng = { file, writer: new PcapngWriter((octets) => void file.write(octets)) };
  }

  /** How many sessions have ended. */
  get sessions(): number {
    return this.#sessions;
  }

  /** A session of another time, whose entries come by `entry`. */
  begin(channel: string): void {
    this.#addEntry = this.#pcapng?.writer.session({ startedAt: new Date(0), channel });
  }

  entry(entry: RecordingEntry): void {
    this.#addEntry?.(entry);
  }

  readonly tell = (line: TraceLine): void => {
    const { json, to, octets, all } = this.#options;
    switch (line.type) {
      case "session":
        this.#startedAt = new Date(line.at);
        this.#lines = 0;
        if (to !== undefined) this.#recordings.push(new RecordingFile(numbered(to, this.#recordings.length)));
        this.#addEntry = this.#pcapng?.writer.session({ startedAt: this.#startedAt, channel: line.channel });
        break;
      case "recorded":
        this.#record(line.line);
        return;
      case "ended":
        this.#sessions++;
        break;
      default:
    }
    const mostLines = all === true ? Number.POSITIVE_INFINITY : SHOWN_LINES;
    const shown = { width: this.#output.width, octets: octets === true, mostLines };
    if (json === true) this.#output.out(JSON.stringify(line));
    else if (line.type === "frame") {
      const startedAt = this.#startedAt;
      for (const text of frameLines(line, { ...shown, ...(startedAt && { startedAt }) })) this.#output.out(text);
    } else if (line.type === "push") {
      for (const text of frameLines(pushFrame(line), { ...shown, startedAt: new Date(line.at) }))
        this.#output.out(text);
    } else this.#output.err(plainText(line));
  };

  /** Resolves when the files are whole. */
  async close(): Promise<void> {
    for (const recording of this.#recordings) {
      await recording.close();
      if (recording.error !== undefined) this.#output.err(`the session was not recorded: ${recording.error.message}`);
    }
    if (this.#pcapng === undefined) return;
    this.#pcapng.file.end();
    await finished(this.#pcapng.file).catch(() => undefined);
  }

  #record(line: string): void {
    this.#lines++;
    this.#recordings.at(-1)?.writeLine(line);
    if (this.#lines > 1) this.entry(parseEntryLine(line, this.#lines));
  }
}

/** `trace.jsonl`, `trace-2.jsonl`, … */
function numbered(path: string, index: number): string {
  if (index === 0) return path;
  const [, stem = path, extension = ""] = /^(.*?)(\.[^./]+)?$/.exec(path) ?? [];
  return `${stem}-${index + 1}${extension}`;
}

function pushFrame({ peer, transport, outcome, reason, says, octets, nodes }: PushLine): ShownFrame {
  const fate = reason === null ? outcome : `${outcome}: ${reason}`;
  const link = `push from ${peer} over ${transport}`;
  return { t: 0, dir: "rx", link, from: null, to: null, says: `${says}, ${fate}`, octets, nodes };
}

function plainText(line: Exclude<TraceLine, { type: "frame" | "push" | "recorded" }>): string {
  switch (line.type) {
    case "listening":
      if (line.meter === null) return "looking on at what comes of senders that nobody knows";
      return `looking on at ${line.meter} from its next session on; \`read ${line.meter} clock\` makes one now`;
    case "session":
      return `── ${line.meter}, ${line.channel}, ${line.at}`;
    case "ended":
      return `── ended after ${(line.t / 1000).toFixed(3)} s by ${line.by === "local" ? "us" : "the meter"}`;
    case "missed":
      return `── ${line.lines} lines were too fast for this terminal`;
  }
}
