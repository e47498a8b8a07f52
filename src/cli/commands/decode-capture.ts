/** `decode --pcap FILE`: what went over the wire, stream by stream, as frames. */
import { createReadStream } from "node:fs";
import { CaptureDialogues, type CapturedDialogue, type CaptureEvent } from "../../trace/capture-dialogues.ts";
import { CaptureError, capturedPackets } from "../../trace/capture-reader.ts";
import type { DecipheringKeys } from "../../trace/deciphering.ts";
import { frameLineOf } from "../../trace/trace-line.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { TraceOutput } from "../terminal/trace-output.ts";
import { meterKeys } from "./capture-keys.ts";

export interface CaptureCommandOptions {
  readonly keys: DecipheringKeys;
  readonly config?: string;
  readonly meter?: string;
  readonly octets?: true;
  readonly all?: true;
  readonly json?: true;
}

export async function decodeCapture(file: string, options: CaptureCommandOptions, output: Output): Promise<ExitReason> {
  const { config, meter, octets, all, json } = options;
  const known = config === undefined ? undefined : await meterKeys(config, meter);
  const dialogues = new CaptureDialogues({
    keysOf: (of) => ({ ...options.keys, ...known?.(of) }),
  });
  const shown = new TraceOutput({ ...(octets && { octets }), ...(all && { all }), ...(json && { json }) }, output);
  const teller = new CaptureTeller(shown, output);
  try {
    for await (const packet of capturedPackets(createReadStream(file))) {
      for (const event of dialogues.push(packet)) teller.tell(event);
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    output.err(`${file}: ${error.message}`);
    return "failure";
  }
  for (const event of dialogues.finish()) teller.tell(event);
  if (dialogues.otherPackets > 0) output.err(`${dialogues.otherPackets} packets are neither TCP nor UDP`);
  return "success";
}

/** Names the dialogue whenever it is another one. */
class CaptureTeller {
  readonly #shown: TraceOutput;
  readonly #output: Output;
  #last: CapturedDialogue | undefined;

  constructor(shown: TraceOutput, output: Output) {
    this.#shown = shown;
    this.#output = output;
  }

  tell(event: CaptureEvent): void {
    const { of } = event;
    if (of !== this.#last) {
      const at = new Date(of.startedMs).toISOString();
      this.#shown.tell({ type: "session", meter: of.server, channel: `${of.transport} from ${of.client}`, at });
    }
    this.#last = of;
    if (event.type === "frame") this.#shown.tell(frameLineOf(event.frame));
    else this.#output.err(`${event.octets} octets are not in the capture`);
  }
}
