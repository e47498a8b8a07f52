/**
 * What Node does not offer of the C library, and a service of systemd needs: datagrams to a unix socket, and what a
 * descriptor is that somebody else has opened. Loaded only where systemd asks for it.
 */
import type { LibraryHandle } from "koffi";

/** A socket that was bound by whoever started this process. */
export interface BoundSocket {
  readonly transport: "tcp" | "udp";
  readonly host: string;
  readonly port: number;
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x8_0000;
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const F_DUPFD_CLOEXEC = 1030;
const MSG_NOSIGNAL = 0x4000;
/** Octets of the longest socket address, and of the family before the rest. */
const ADDRESS_LENGTH = 128;
const FAMILY_LENGTH = 2;
/** The numbers below are those of the standard streams. */
const FIRST_FREE = 3;

type OctetsAndLength = [Uint8Array, number];

export class Libc {
  readonly #socket: (domain: number, type: number, protocol: number) => number;
  readonly #sendto: (...args: [fd: number, ...OctetsAndLength, flags: number, ...OctetsAndLength]) => number;
  readonly #getsockname: (fd: number, address: Uint8Array, length: [number]) => number;
  readonly #getsockopt: (
    ...args: [fd: number, level: number, name: number, value: [number], length: [number]]
  ) => number;
  readonly #fcntl: (fd: number, command: number, argument: number) => number;

  static async load(): Promise<Libc> {
    const { default: koffi } = await import("koffi");
    return new Libc(koffi.load("libc.so.6"));
  }

  private constructor(library: LibraryHandle) {
    const func = (prototype: string) => library.func(prototype);
    this.#socket = func("int socket(int domain, int type, int protocol)");
    this.#sendto = func(
      "intptr_t sendto(int fd, const uint8_t *octets, size_t length, int flags, const uint8_t *address, uint32_t addressLength)",
    );
    this.#getsockname = func("int getsockname(int fd, _Out_ uint8_t *address, _Inout_ uint32_t *length)");
    this.#getsockopt = func("int getsockopt(int fd, int level, int name, _Out_ int *value, _Inout_ uint32_t *length)");
    this.#fcntl = func("int fcntl(int fd, int command, int argument)");
  }

  /** A sender of datagrams to a unix socket; a path that begins with @ is one of the abstract names. */
  datagramsTo(path: string): (text: string) => void {
    const fd = this.#socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const name = new TextEncoder().encode(path.replace(/^@/, "\0"));
    const address = new Uint8Array(FAMILY_LENGTH + name.length);
    new DataView(address.buffer).setUint16(0, AF_UNIX, true);
    address.set(name, FAMILY_LENGTH);
    return (text) => {
      const octets = new TextEncoder().encode(text);
      this.#sendto(fd, octets, octets.length, MSG_NOSIGNAL, address, address.length);
    };
  }

  /** What a descriptor is bound to; undefined for what is no socket of the internet. */
  boundSocket(fd: number): BoundSocket | undefined {
    const address = new Uint8Array(ADDRESS_LENGTH);
    const type: [number] = [0];
    if (this.#getsockname(fd, address, [ADDRESS_LENGTH]) !== 0) return undefined;
    if (this.#getsockopt(fd, SOL_SOCKET, SO_TYPE, type, [Int32Array.BYTES_PER_ELEMENT]) !== 0) return undefined;
    const transport = type[0] === SOCK_STREAM ? "tcp" : type[0] === SOCK_DGRAM ? "udp" : undefined;
    const host = hostOf(address);
    if (transport === undefined || host === undefined) return undefined;
    return { transport, host, port: new DataView(address.buffer).getUint16(2) };
  }

  /** Another descriptor of the same socket, which may be closed while this one stays; no child process gets it. */
  duplicate(fd: number): number {
    const copy = this.#fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    if (copy < 0) throw new Error(`descriptor ${fd} can't be duplicated`);
    return copy;
  }
}

function hostOf(address: Uint8Array): string | undefined {
  const family = new DataView(address.buffer).getUint16(0, true);
  if (family === AF_INET) return address.subarray(4, 8).join(".");
  if (family !== AF_INET6) return undefined;
  const octets = new DataView(address.buffer, 8, 16);
  return Array.from({ length: 8 }, (_, group) => octets.getUint16(2 * group).toString(16)).join(":");
}
