/** Looks on at one session with a meter: what passes is told without secrets, as octets and as frames. */
import type { ByteChannel } from "../../drivers/channel.ts";
import { formatEntry, formatHeader, type RecordingEntry } from "../../drivers/recording/recording.ts";
import { RecordingTee } from "../../drivers/recording/tee.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import type { TraceLine } from "../api/answers/traces.ts";
import type { MeterTarget } from "../collect/session/meter-target.ts";
import type { DecipheringKeys } from "./deciphering.ts";
import { Dialogue } from "./dialogue.ts";
import { frameLineOf } from "./trace-line.ts";

export type TracedMeter = Pick<MeterTarget, "name" | "secrets" | "association">;

/** A channel that behaves as `channel` does and tells what passes. The meter's secrets must have been fetched. */
export function tapped(channel: ByteChannel, meter: TracedMeter, tell: (line: TraceLine) => void): ByteChannel {
  const dialogue = new Dialogue(keysOf(meter));
  const onEntry = (entry: RecordingEntry) => {
    tell({ type: "recorded", line: formatEntry(entry) });
    const frames = entry.dir === "end" ? dialogue.finish(entry.tMs) : dialogue.push(entry);
    for (const frame of frames) tell(frameLineOf(frame));
    if (entry.dir === "end") tell({ type: "ended", t: entry.tMs, by: entry.by });
  };
  const header = { peer: meter.name, version: "unknown", command: `dlms-gateway trace ${meter.name}` };
  tell({ type: "session", meter: meter.name, channel: channel.name, at: new Date().toISOString() });
  tell({ type: "recorded", line: formatHeader(header) });
  return new RecordingTee(channel, { header, secrets: secretsOf(meter), onEntry });
}

/** What must stand in no recording of a session. */
function secretsOf({ secrets }: Pick<TracedMeter, "secrets">): Uint8Array[] {
  const { secret, blockCipherKey, authenticationKey, masterKey } = secrets;
  return [secret, blockCipherKey, authenticationKey, masterKey].flatMap((key) =>
    key === undefined ? [] : [key.reveal()],
  );
}

function keysOf({ secrets, association }: TracedMeter): DecipheringKeys {
  const { clientSystemTitle, serverSystemTitle } = association.security ?? {};
  const { blockCipherKey, authenticationKey } = secrets;
  const titles = [clientSystemTitle, serverSystemTitle].filter((title) => title !== undefined);
  return { blockCipherKey, authenticationKey, systemTitles: titles.map((title) => systemTitle(fromHex(title))) };
}
