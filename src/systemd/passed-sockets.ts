/**
 * Sockets that systemd holds for us (socket units): what comes while nobody runs waits in them. One belongs to the
 * listener of the configuration that wants the same address.
 */
import { isIP, SocketAddress } from "node:net";
import type { BoundSocket, Libc } from "./libc.ts";

/** The first that is passed, as sd_listen_fds(3) has it. */
const FIRST = 3;

interface PassedSocket extends BoundSocket {
  readonly fd: number;
}

export class PassedSockets {
  readonly #libc: Libc;
  readonly #count: number;
  readonly #sockets: readonly PassedSocket[];
  readonly #taken = new Set<number>();

  constructor(libc: Libc, count: number) {
    this.#libc = libc;
    this.#count = count;
    this.#sockets = this.descriptors.flatMap((fd) => {
      const bound = libc.boundSocket(fd);
      return bound === undefined ? [] : [{ fd, ...bound }];
    });
  }

  /** A descriptor of the socket that is bound there, for whoever asks to close; undefined when none was passed. */
  readonly take = ({ transport, host, port }: BoundSocket): number | undefined => {
    const found = this.#sockets.find(
      (each) => each.transport === transport && each.port === port && canonical(each.host) === canonical(host),
    );
    if (found === undefined) return undefined;
    this.#taken.add(found.fd);
    return this.#libc.duplicate(found.fd);
  };

  /** The descriptors as they were passed. */
  get descriptors(): readonly number[] {
    return Array.from({ length: this.#count }, (_, index) => FIRST + index);
  }

  /** Those that nobody has asked for: nobody hears what comes there. */
  *untaken(): Generator<BoundSocket> {
    for (const socket of this.#sockets) if (!this.#taken.has(socket.fd)) yield socket;
  }
}

/** How many sockets the environment says were passed to this process. */
export function passedCount(env: NodeJS.ProcessEnv, pid: number): number {
  return Number(env["LISTEN_PID"]) === pid ? Number(env["LISTEN_FDS"] ?? 0) : 0;
}

function canonical(host: string): string {
  const family = isIP(host);
  return family === 0 ? host : new SocketAddress({ address: host, family: family === 4 ? "ipv4" : "ipv6" }).address;
}
