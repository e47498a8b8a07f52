/** One virtual meter of a description, behind a TCP listener. */
import { randomBytes } from "node:crypto";
import { Pump } from "../../drivers/pump.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import type { ServerSessionEvent } from "../../protocol/association/server/server-session.ts";
import type { MeterSecrets } from "./meter-security.ts";
import type { LoadedMeter } from "./object-dump.ts";
import { sendAsConfigured } from "./push-sender.ts";
import { VirtualMeter } from "./virtual-meter.ts";
import { type MeterLink, WiredMeter } from "./wired-meter.ts";

export interface ListeningMeterOptions {
  readonly meter: VirtualMeter;
  readonly host: string;
  readonly port: number;
  readonly link: MeterLink;
  readonly onEvent?: (event: ServerSessionEvent) => void;
}

/** Counters begin where a meter that was started before can't have come to. */
const COUNTER_ORIGIN_MS = Date.UTC(2025, 0, 1);
const COUNTS_PER_SECOND = 20;
const SECOND_MS = 1000;

/** What a client has it push goes where the push setup says, in the clear. */
export function describedMeter(loaded: LoadedMeter, secrets: MeterSecrets): VirtualMeter {
  const meter = new VirtualMeter({
    ...loaded,
    secrets,
    seed: 1,
    clock: Date.now,
    randomOctets: (length) => new Uint8Array(randomBytes(length)),
    firstInvocationCounter: Math.floor(((Date.now() - COUNTER_ORIGIN_MS) / SECOND_MS) * COUNTS_PER_SECOND),
    // Whoever had it push is told by what does not come.
    push: (setup) => void sendAsConfigured(meter, { setup }).catch(() => undefined),
  });
  return meter;
}

/** Rejects with a ChannelError when the address can't be had. */
export function listenAsMeter(options: ListeningMeterOptions): Promise<TcpListener> {
  const { meter, host, port, link, onEvent } = options;
  return TcpListener.listen({ host, port }, (channel) => {
    const machine = new WiredMeter({ meter, link });
    const pump = new Pump(machine, channel, {
      event: (event) => onEvent?.(event),
      closed: () => machine.command({ type: "channelEnded" }, performance.now()),
    });
    pump.start();
    pump.command({ type: "open" });
  });
}
