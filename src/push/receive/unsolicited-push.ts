/** What a meter says unasked while somebody reads it goes the way of all pushes. */
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import type { MeterTarget } from "../../collect/session/meter-target.ts";
import type { Unsolicited } from "../../collect/session/session-pushes.ts";
import type { FleetSenders } from "../senders/fleet-senders.ts";
import type { PushIntake } from "./push-intake.ts";
import { PushReader } from "./push-reader.ts";
import type { PushOrigin } from "./push-record.ts";

/** The meter of the session. */
export interface VisitedMeter {
  readonly meterKey: number;
  readonly target: Pick<MeterTarget, "connection" | "association" | "calledFrom">;
}

/** Tags of notifications and of what may hold one: plain, in general protection, in blocks. */
const NOTIFICATIONS: ReadonlySet<number> = new Set([0x0f, 0xc2, 0xdb, 0xdc, 0xdd, 0xdf, 0xe0]);

export interface UnsolicitedKeeping {
  readonly intake: Pick<PushIntake, "keepUnsolicited" | "openersAt">;
  readonly senders: Pick<FleetSenders, "byMeter">;
}

/** Resolves when it is durable: true where it may be confirmed. Never rejects. */
export async function keepUnsolicited(
  { intake, senders }: UnsolicitedKeeping,
  meter: VisitedMeter,
  message: Unsolicited,
): Promise<boolean> {
  const origin = originOf(meter.target);
  if (message.type === "notification") {
    const { notification } = message;
    // What came is in memory that the next octets take.
    const octets = message.octets.slice();
    const layers = message.layers.filter((layer) => "keySet" in layer);
    const sender = senders.byMeter(meter.meterKey);
    const systemTitle = layers[0]?.systemTitle;
    const opened = sender && { sender };
    const marks: readonly string[] = ["in-session"];
    return intake.keepUnsolicited(
      { type: "notification", notification, systemTitle, opened, layers, marks, octets },
      origin,
    );
  }
  const octets = message.octets?.slice();
  if (octets?.[0] === undefined || !NOTIFICATIONS.has(octets[0])) return false;
  // The session has other keys than the pushes of its meter, or none.
  const { serverSap, clientSap } = meter.target.association;
  const outcomes = readerAt(intake, origin).receive({ apdu: octets, sourceSap: serverSap, destinationSap: clientSap });
  for (const outcome of outcomes) await intake.keepUnsolicited(outcome, origin);
  return false;
}

function readerAt(intake: UnsolicitedKeeping["intake"], { host }: PushOrigin): PushReader {
  return new PushReader(intake.openersAt(host));
}

function originOf({ connection, calledFrom }: VisitedMeter["target"]): PushOrigin {
  if (calledFrom !== undefined) return { ...calledFrom, transport: "tcp" };
  const { tcp, udp, serial } = connection;
  if (serial !== undefined) return { host: serial, port: 0, transport: "serial" };
  const address = tcp ?? udp;
  if (address === undefined) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { connection: "none" });
  return { ...tcpAddress(address), transport: tcp === undefined ? "udp" : "tcp" };
}
