/** From where a meter is to an open channel and the links that go over it. */
import type { ByteChannel } from "../../../drivers/channel.ts";
import { ChannelError } from "../../../drivers/channel-error.ts";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { UdpChannel } from "../../../drivers/udp/channel.ts";
import type { Link } from "../../../protocol/link/link.ts";
import type { ConnectionConfig } from "../../config/schema.ts";
import type { MeterTarget } from "./meter-target.ts";
import type { SerialLines } from "./serial-lines.ts";
import { DEFAULT_BAUD, DEFAULT_TURNAROUND_MS, SIGN_ON_BAUD, sessionLink, type VisitedLine } from "./session-link.ts";
import { SYSTEM_ENVIRONMENT, type VisitEnvironment } from "./visit-environment.ts";

/**
 * Address translation on the way forgets a connection that is silent for longer, without telling either end. A visit is
 * as long as that only where an answer may take longer.
 */
const KEEP_ALIVE_MS = 60_000;

export interface MeterChannel {
  readonly channel: ByteChannel;
  /** A new link for each session of the visit. */
  readonly link: (clientSap: number) => Link;
  /** On a shared line: whether meters other than this one answer, and this one never has. */
  readonly onlyOthersAnswer?: () => boolean;
  /** To be told when the meter has answered. */
  readonly noteAnswer?: () => void;
}

/** The connections of meters that call in. */
export interface MeterCalls {
  /** The one that the meter has open, for one visit. Throws a ChannelError where it has none. */
  take(target: Pick<MeterTarget, "name" | "connection">): ByteChannel;
}

export interface MeterChannelOptions {
  readonly signal?: AbortSignal | undefined;
  readonly lines: SerialLines;
  /** Without it nobody is connected. */
  readonly calls?: MeterCalls | undefined;
  readonly environment?: VisitEnvironment | undefined;
}

/** Waits for its turn where the line is shared. Rejects with a ChannelError. */
export async function openMeterChannel(target: MeterTarget, options: MeterChannelOptions): Promise<MeterChannel> {
  const { connection, association, quirks } = target;
  const { serverSap } = association;
  const { signal, environment = SYSTEM_ENVIRONMENT } = options;
  if (connection.serial !== undefined) return serialChannel(target, connection.serial, options);
  const link = (clientSap: number) => sessionLink(connection, { clientSap, serverSap, quirks });
  if (connection.callsIn) return { channel: callOf(target, options), link };
  if (connection.udp !== undefined) {
    return { channel: await UdpChannel.connect(tcpAddress(connection.udp), { signal }), link };
  }
  const address = tcpAddress(connection.tcp ?? "");
  const connectTimeoutMs = connection.responseTimeout;
  const keepAliveMs = connection.responseTimeout > KEEP_ALIVE_MS ? KEEP_ALIVE_MS : 0;
  return { channel: await environment.connectTcp(address, { connectTimeoutMs, keepAliveMs, signal }), link };
}

function callOf(target: MeterTarget, { calls }: MeterChannelOptions): ByteChannel {
  if (calls === undefined) throw new ChannelError("CHANNEL_NOT_CALLED", { meter: target.name });
  return calls.take(target);
}

async function serialChannel(
  { name, connection, association, quirks }: MeterTarget,
  path: string,
  { lines, signal }: MeterChannelOptions,
): Promise<MeterChannel> {
  const { serverSap } = association;
  const line = lines.line(path);
  const turn = await line.bus.turn({
    baud: firstBaud(connection),
    turnaroundMs: connection.turnaround ?? DEFAULT_TURNAROUND_MS,
    signal,
  });
  const visited: VisitedLine = { setBaud: (baud) => turn.setBaud(baud) };
  return {
    channel: turn,
    link: (clientSap) => sessionLink(connection, { clientSap, serverSap, quirks }, visited),
    onlyOthersAnswer: () => line.onlyOthersAnswer(name),
    noteAnswer: () => line.noteAnswer(name),
  };
}

function firstBaud({ opening, speed }: ConnectionConfig): number {
  return opening === "mode-e" ? SIGN_ON_BAUD : (speed ?? DEFAULT_BAUD);
}
