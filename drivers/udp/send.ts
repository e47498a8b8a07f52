import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { channelErrorOf } from "../channel-error.ts";

/** Sends one datagram from a port of the system's choice. Rejects with a ChannelError when the system refuses. */
export async function sendDatagram(
  address: { readonly host: string; readonly port: number },
  octets: Uint8Array,
): Promise<void> {
  const socket = createSocket(isIPv6(address.host) ? "udp6" : "udp4");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("error", reject);
  socket.send(octets, address.port, address.host, (error) => (error === null ? resolve() : reject(error)));
  try {
    await promise;
  } catch (error) {
    throw channelErrorOf(error, { ...address });
  } finally {
    socket.close();
  }
}
