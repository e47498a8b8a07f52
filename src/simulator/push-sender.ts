import { connectTcp } from "../../drivers/tcp/connect.ts";
import { sendDatagram } from "../../drivers/udp/send.ts";
import { encodeWrapper } from "../../protocol/link/wrapper.ts";
import { type PushOrder, pushApdu } from "./push-message.ts";
import { SERVER_SAP, type VirtualMeter } from "./virtual-meter.ts";

export interface PushDestination {
  readonly host: string;
  readonly port: number;
  readonly transport: "tcp" | "udp";
  /** The client that pushes are meant for. */
  readonly clientSap?: number;
}

const PUSH_CLIENT = 64;
const DESTINATION = 3;
/** From version 1 on. */
const CLIENT = 9;
/** send_destination_and_method: the numbers of the transports that are spoken here. */
const TRANSPORTS = { 0: "tcp", 1: "udp" } as const;

/** Sends one push in the wrapper; over TCP in a connection of its own. Rejects with a ChannelError. */
export async function sendPush(meter: VirtualMeter, order: PushOrder, destination: PushDestination): Promise<void> {
  const { host, port, transport, clientSap } = destination;
  const octets = pushOctets(meter, order, clientSap);
  if (transport === "udp") {
    await sendDatagram({ host, port }, octets);
    return;
  }
  const channel = await connectTcp({ host, port });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  channel.start({
    bytes: () => undefined,
    closed: (cause) => (cause === undefined ? resolve() : reject(cause)),
  });
  channel.write(octets);
  channel.close();
  await promise;
}

/** A push in the wrapper. */
export function pushOctets(meter: VirtualMeter, order: PushOrder, clientSap = PUSH_CLIENT): Uint8Array {
  return encodeWrapper({ sourceWPort: SERVER_SAP, destinationWPort: clientSap, apdu: pushApdu(meter, order) });
}

/** Sends where the push setup says; nothing to a destination that is not spoken here. */
export async function sendAsConfigured(meter: VirtualMeter, order: PushOrder): Promise<void> {
  const destination = configuredDestination(meter, order.setup);
  if (destination !== undefined) await sendPush(meter, order, destination);
}

/** Where a push setup of the meter sends to; undefined for a destination that is not `host:port` over TCP or UDP. */
function configuredDestination(meter: VirtualMeter, setup: string): PushDestination | undefined {
  const attribute = (attributeId: number) => {
    return meter.objects.value({ classId: 40, logicalName: setup, attributeId }, meter.objects.now());
  };
  const method = attribute(DESTINATION);
  const client = attribute(CLIENT);
  const [service, destination] = method?.type === "structure" ? method.value : [];
  if (service?.type !== "enum" || destination?.type !== "octet-string") return undefined;
  const transport = service.value === 0 || service.value === 1 ? TRANSPORTS[service.value] : undefined;
  const [, v6, name, port] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(new TextDecoder().decode(destination.value)) ?? [];
  const host = v6 ?? name;
  if (transport === undefined || host === undefined || port === undefined) return undefined;
  return { host, port: Number(port), transport, ...(client?.type === "integer" && { clientSap: client.value }) };
}
