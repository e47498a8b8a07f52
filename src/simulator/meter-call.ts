/** A virtual meter that calls in: it opens the connection itself, says what it has to say, and serves who asks on it. */
import { Pump } from "../../drivers/pump.ts";
import type { TcpAddress } from "../../drivers/tcp/address.ts";
import { connectTcp } from "../../drivers/tcp/connect.ts";
import type { PushOrder } from "./push-message.ts";
import { pushOctets } from "./push-sender.ts";
import type { VirtualMeter } from "./virtual-meter.ts";
import { type MeterLink, WiredMeter } from "./wired-meter.ts";

export interface MeterCallOptions {
  readonly meter: VirtualMeter;
  readonly link: MeterLink;
  /** What the modem says before anything else. */
  readonly greeting?: string | undefined;
  /** What the meter sends by itself as it calls. */
  readonly push?: PushOrder | undefined;
  readonly latencyMs?: number | undefined;
}

export interface MeterCall {
  /** Resolves when the call has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Says something in the middle of whatever goes on, as modems do. */
  say(text: string): void;
  hangUp(): void;
}

/** Rejects with a ChannelError where nobody takes the call. */
export async function callAsMeter(address: TcpAddress, options: MeterCallOptions): Promise<MeterCall> {
  const { meter, link, greeting, push, latencyMs = 0 } = options;
  const channel = await connectTcp(address);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const machine = new WiredMeter({ meter, link, latencyMs });
  const pump = new Pump(machine, channel, {
    event: () => undefined,
    closed: () => {
      machine.command({ type: "channelEnded" }, performance.now());
      resolve();
    },
  });
  pump.start();
  pump.command({ type: "open" });
  const say = (text: string) => channel.write(new TextEncoder().encode(text));
  if (greeting !== undefined) say(greeting);
  if (push !== undefined) channel.write(pushOctets(meter, push));
  return { ended, say, hangUp: () => channel.close() };
}
