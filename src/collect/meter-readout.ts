/** Meters on a serial line that speak no DLMS, but read themselves out as text (IEC 62056-21, modes A to D). */
import { Pump } from "../../drivers/pump.ts";
import {
  type MeterReadout,
  ReadoutReading,
  type ReadoutReadingEvent,
  type ReadoutReadingSettings,
} from "../../protocol/link/iec62056-21/readout-reading.ts";
import type { SerialLines } from "./serial-lines.ts";
import { SIGN_ON_BAUD } from "./session-link.ts";

const LISTEN_BAUD = 2400;

export interface ReadoutOptions {
  readonly path: string;
  readonly lines: SerialLines;
  readonly reading: ReadoutReadingSettings;
  readonly signal?: AbortSignal;
}

/** Waits for its turn on the line. Rejects with a ChannelError, or with the DlmsError that ended the attempts. */
export async function readMeterOut({ path, lines, reading, signal }: ReadoutOptions): Promise<MeterReadout> {
  const { opening = "signOn", listenBaud = LISTEN_BAUD } = reading;
  const baud = opening === "listen" ? listenBaud : SIGN_ON_BAUD;
  const turn = await lines.line(path).bus.turn({ baud, ...(signal && { signal }) });
  const outcome = Promise.withResolvers<MeterReadout>();
  const machine = new ReadoutReading({ ...reading, softwareParity: true });
  const hear = (event: ReadoutReadingEvent): void => {
    if (event.type === "line") turn.setBaud(event.settings.baud);
    else if (event.type === "readout") outcome.resolve(event.readout);
    else if (event.type === "failed") outcome.reject(event.error);
  };
  const closed = (cause?: Error): void => outcome.reject(cause ?? new Error("the serial line is closed"));
  const pump = new Pump(machine, turn, { event: hear, closed }, { ended: { type: "channelEnded" } });
  const abort = () => outcome.reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
  signal?.addEventListener("abort", abort, { once: true });
  pump.start();
  pump.command({ type: "open" });
  try {
    return await outcome.promise;
  } finally {
    signal?.removeEventListener("abort", abort);
    pump.close();
  }
}
