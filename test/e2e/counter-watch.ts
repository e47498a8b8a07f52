/**
 * Stands between a head end and a meter with wrapper frames, and notes every invocation counter that the head end sends:
 * by its own reading of the octets, not by the stack's. The same counter with other octets is a counter used twice.
 */
import { createHash } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";

const WRAPPER_HEADER = 8;
/** Ciphered services of a client with a key of its own; the counter follows the security control. */
const CIPHERED = new Set([0x21, 0x25, 0x26, 0xc8, 0xc9, 0xcb, 0xd0, 0xd1, 0xd3]);
const GENERAL_GLO = 0xdb;
/** AARQ and RLRQ, which carry a ciphered initiate request in their user information. */
const ASSOCIATION = new Set([0x60, 0x62]);
const USER_INFORMATION = 0xbe;

export class CounterWatch implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sent = new Map<number, string>();
  /** Counters that came with other octets than before. */
  readonly reused: number[] = [];

  static async start(meterPort: number): Promise<CounterWatch> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new CounterWatch(server, meterPort);
  }

  private constructor(server: Server, meterPort: number) {
    this.#server = server;
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    server.on("connection", (near) => this.#join(near, connect(meterPort, "127.0.0.1")));
  }

  /** How many counters have been sent. */
  get count(): number {
    return this.#sent.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket, far: Socket): void {
    let rest = Buffer.alloc(0);
    near.on("data", (octets: Buffer) => {
      rest = Buffer.concat([rest, octets]);
      while (rest.length >= WRAPPER_HEADER && rest.length >= WRAPPER_HEADER + rest.readUInt16BE(6)) {
        const end = WRAPPER_HEADER + rest.readUInt16BE(6);
        this.#note(rest.subarray(WRAPPER_HEADER, end));
        rest = rest.subarray(end);
      }
      far.write(octets);
    });
    far.on("data", (octets) => near.write(octets));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }

  #note(apdu: Buffer): void {
    const ciphered = cipheredPart(apdu);
    if (ciphered === undefined) return;
    const counter = ciphered.readUInt32BE(1);
    const digest = createHash("sha256").update(ciphered).digest("base64");
    const known = this.#sent.get(counter);
    if (known !== undefined && known !== digest) this.reused.push(counter);
    this.#sent.set(counter, digest);
  }
}

/** From the security control on; undefined for what is in the clear. */
function cipheredPart(apdu: Buffer): Buffer | undefined {
  const tag = apdu[0] ?? 0;
  if (CIPHERED.has(tag)) return contentAt(apdu, 1);
  if (tag === GENERAL_GLO) return contentAt(apdu, 2 + (apdu[1] ?? 0));
  if (!ASSOCIATION.has(tag)) return undefined;
  const content = contentAt(apdu, 1);
  for (let at = 0; at + 1 < content.length; ) {
    const field = contentAt(content, at + 1);
    // An octet string with the initiate request in it.
    if (content[at] === USER_INFORMATION) return cipheredPart(contentAt(field, 1));
    at = field.byteOffset - content.byteOffset + field.length;
  }
  return undefined;
}

/** What follows a length. */
function contentAt(octets: Buffer, at: number): Buffer {
  const first = octets[at] ?? 0;
  const extra = first < 0x80 ? 0 : first & 0x7f;
  const length = extra === 0 ? first : octets.readUIntBE(at + 1, extra);
  return octets.subarray(at + 1 + extra, at + 1 + extra + length);
}
