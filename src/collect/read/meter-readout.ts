/** Meters on a serial line that speak no DLMS, but read themselves out as text (IEC 62056-21, modes A to D). */
import { ChannelError } from "../../../drivers/channel-error.ts";
import { Pump } from "../../../drivers/pump.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import {
  type MeterReadout,
  ReadoutReading,
  type ReadoutReadingEvent,
  type ReadoutReadingSettings,
} from "../../../protocol/link/iec62056-21/readout-reading.ts";
import type { ConnectionConfig } from "../../config/schema.ts";
import { SessionFailedError } from "../causes/session-failure.ts";
import type { SerialLines } from "../session/serial-lines.ts";
import { SIGN_ON_BAUD } from "../session/session-link.ts";

const LISTEN_BAUD = 2400;
const BUDGET_MS = 600_000;

export interface ReadoutOptions {
  readonly path: string;
  readonly lines: SerialLines;
  readonly reading: ReadoutReadingSettings;
  /** The meter's name, where several share the line. */
  readonly meter?: string;
  readonly signal?: AbortSignal;
  /** Most time for it all; a readout at 300 baud may take minutes. */
  readonly budgetMs?: number;
}

/** What the configuration says of a meter that is read out. */
export function readoutSettings({ opening, deviceAddress, speed, echo }: ConnectionConfig): ReadoutReadingSettings {
  return {
    opening: opening === "listen" ? "listen" : "signOn",
    ...(deviceAddress !== undefined && { deviceAddress }),
    ...(speed !== undefined && (opening === "listen" ? { listenBaud: speed } : { maxBaud: speed })),
    ...(echo !== undefined && { echo }),
  };
}

/** Waits for its turn on the line. Rejects with a ChannelError, or with a SessionFailedError when no readout came. */
export async function readMeterOut(options: ReadoutOptions): Promise<MeterReadout> {
  const { path, lines, reading, meter = path, signal, budgetMs = BUDGET_MS } = options;
  const { opening = "signOn", listenBaud = LISTEN_BAUD } = reading;
  const baud = opening === "listen" ? listenBaud : SIGN_ON_BAUD;
  const line = lines.line(path);
  const turn = await line.bus.turn({ baud, signal });
  const outcome = Promise.withResolvers<MeterReadout>();
  const machine = new ReadoutReading({ ...reading, softwareParity: true });
  let noiseOctets = 0;
  const failed = (error: DlmsError): SessionFailedError => {
    const { receivedOctets } = machine;
    const onlyOthersAnswer = receivedOctets === 0 && line.onlyOthersAnswer(meter);
    return new SessionFailedError(
      { stage: "link", error, evidence: { type: "linkEnded", during: "link" } },
      { channel: path, mechanism: "none", ciphered: false, noiseOctets, receivedOctets, onlyOthersAnswer },
    );
  };
  const hear = (event: ReadoutReadingEvent): void => {
    if (event.type === "line") turn.setBaud(event.settings.baud);
    else if (event.type === "discarded") noiseOctets += event.octets.length;
    else if (event.type === "readout") outcome.resolve(event.readout);
    else if (event.type === "failed") outcome.reject(failed(event.error));
  };
  const closed = (cause?: Error): void => outcome.reject(cause ?? new Error("the serial line is closed"));
  const pump = new Pump(machine, turn, { event: hear, closed }, { ended: { type: "channelEnded" } });
  const abort = () => outcome.reject(new ChannelError("CHANNEL_ABORTED", { channel: path }, { cause: signal?.reason }));
  const timer = setTimeout(
    () => outcome.reject(failed(new DlmsError("SESSION_BUDGET_SPENT", "peer", { budgetMs }))),
    budgetMs,
  );
  signal?.addEventListener("abort", abort, { once: true });
  pump.start();
  pump.command({ type: "open" });
  try {
    const readout = await outcome.promise;
    line.noteAnswer(meter);
    return readout;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    pump.close();
  }
}
