/** `replay`: a recording shown frame by frame, or played as the meter that it was made of. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { ByteChannel } from "../../../drivers/channel.ts";
import { ChannelError } from "../../../drivers/channel-error.ts";
import { parseRecording, type Recording } from "../../../drivers/recording/recording.ts";
import { ReplayChannel } from "../../../drivers/recording/replay.ts";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { TcpListener } from "../../../drivers/tcp/listener.ts";
import { resolveSecretText } from "../../config/secret.ts";
import { Dialogue } from "../../trace/dialogue.ts";
import { LooseReplayChannel } from "../../trace/loose-replay.ts";
import { frameLineOf } from "../../trace/trace-line.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import { TraceOutput } from "../terminal/trace-output.ts";
import { decipheringKeys } from "./decode.ts";

export interface ReplayOptions {
  readonly listen?: string;
  readonly loose?: true;
  readonly blockCipherKey?: string;
  readonly authenticationKey?: string;
  readonly octets?: true;
  readonly all?: true;
  readonly json?: true;
  readonly pcapng?: string;
}

/** Plays until the signal, or until SIGINT and SIGTERM. */
export async function replayCommand(
  file: string,
  options: ReplayOptions,
  output: Output,
  signal?: AbortSignal,
): Promise<ExitReason> {
  const recording = await recordingOf(file, output);
  if (recording === undefined) return "failure";
  if (options.listen === undefined) return show(recording, options, output);
  const { host, port } = tcpAddress(options.listen);
  const accept = (channel: ByteChannel) => {
    output.err(`${channel.name} asks`);
    const played = options.loose === true ? new LooseReplayChannel(recording) : new ReplayChannel(recording);
    join(channel, played, (cause) => output.err(`${channel.name}: ${cause.message}`));
  };
  await using listener = await TcpListener.listen({ host, port }, accept);
  const { address } = listener;
  output.out(`${recording.header.peer} on ${address.host}:${address.port}`);
  await Promise.race([
    once(process, "SIGINT"),
    once(process, "SIGTERM"),
    ...(signal === undefined ? [] : [once(signal, "abort")]),
  ]);
  return "success";
}

async function recordingOf(file: string, output: Output): Promise<Recording | undefined> {
  try {
    return parseRecording(await readFile(file, "utf8"));
  } catch (error) {
    if (!(error instanceof ChannelError)) throw error;
    output.err(`${file}: ${error.message}`);
    return undefined;
  }
}

/** What comes to one is written to the other, until either ends. */
function join(asking: ByteChannel, playing: ByteChannel, onDeviation: (cause: Error) => void): void {
  asking.start({ bytes: (octets) => playing.write(octets), closed: () => playing.close() });
  playing.start({
    bytes: (octets) => asking.write(octets),
    closed: (cause) => {
      if (cause !== undefined) onDeviation(cause);
      asking.close();
    },
  });
}

async function show(recording: Recording, options: ReplayOptions, output: Output): Promise<ExitReason> {
  const blockCipherKey = options.blockCipherKey && (await resolveSecretText(options.blockCipherKey));
  const authenticationKey = options.authenticationKey && (await resolveSecretText(options.authenticationKey));
  const keys = { ...(blockCipherKey && { blockCipherKey }), ...(authenticationKey && { authenticationKey }) };
  const { octets, all, json, pcapng } = options;
  const shown = new TraceOutput(
    { pcapng, ...(octets && { octets }), ...(all && { all }), ...(json && { json }) },
    output,
  );
  const dialogue = new Dialogue(decipheringKeys(keys));
  let isDamaged = false;
  shown.begin(recording.header.peer);
  // On a terminal the frames themselves show how far it is.
  const watched = output.width === undefined ? output : {};
  using progress = new Progress(watched, recording.entries.length, "entries");
  for (const [place, entry] of recording.entries.entries()) {
    progress.at(place);
    const frames = entry.dir === "end" ? dialogue.finish(entry.tMs) : dialogue.push(entry);
    shown.entry(entry);
    for (const frame of frames) {
      isDamaged ||= frame.damaged;
      shown.tell(frameLineOf(frame));
    }
    if (entry.dir === "end") shown.tell({ type: "ended", t: entry.tMs, by: entry.by });
  }
  await shown.close();
  return isDamaged ? "failure" : "success";
}
