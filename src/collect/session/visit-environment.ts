import { randomBytes } from "node:crypto";
import type { ByteChannel } from "../../../drivers/channel.ts";
import { type Clock, systemClock } from "../../../drivers/clock.ts";
import type { TcpAddress } from "../../../drivers/tcp/address.ts";
import { connectTcp, type TcpConnectOptions } from "../../../drivers/tcp/connect.ts";

/** What a visit to a meter takes of the world around it: time, chance and the way there. A simulation brings its own. */
export interface VisitEnvironment {
  readonly clock: Clock;
  readonly randomOctets: (length: number) => Uint8Array;
  /** Opens the way to a meter that is reached over TCP. Rejects with a ChannelError. */
  readonly connectTcp: (address: TcpAddress, options: TcpConnectOptions) => Promise<ByteChannel>;
}

export const SYSTEM_ENVIRONMENT: VisitEnvironment = {
  clock: systemClock,
  randomOctets: (length) => new Uint8Array(randomBytes(length)),
  connectTcp,
};
