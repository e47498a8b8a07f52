/** A serial line for tests: a pseudo-terminal of the kernel. The gateway opens `path`, the test holds the other end. */
import { closeSync, constants, openSync } from "node:fs";
import { ReadStream } from "node:tty";
import koffi from "koffi";

const libc = koffi.load("libc.so.6");
const posixOpenpt: (flags: number) => number = libc.func("int posix_openpt(int)");
const grantpt: (fd: number) => number = libc.func("int grantpt(int)");
const unlockpt: (fd: number) => number = libc.func("int unlockpt(int)");
const ptsname: (fd: number) => string | null = libc.func("const char *ptsname(int)");
const tcgetattr: (fd: number, termios: Uint8Array) => number = libc.func("int tcgetattr(int, _Out_ uint8_t *)");
const cfgetospeed: (termios: Uint8Array) => number = libc.func("unsigned int cfgetospeed(uint8_t *)");

/** The C library's constants for speeds, on Linux. */
const BAUDS: ReadonlyMap<number, number> = new Map([
  [7, 300],
  [9, 1200],
  [11, 2400],
  [12, 4800],
  [13, 9600],
  [14, 19_200],
  [15, 38_400],
]);
/** Children of this process must not keep the line plugged in; Node does not name the flag. */
const O_CLOEXEC = 0x8_0000;
const TERMIOS_LENGTH = 128;

export class Pty implements Disposable {
  readonly path: string;
  readonly #master: ReadStream;
  /** Kept open, so that the master sees no end when the gateway closes its side. */
  readonly #slave: number;
  #open = true;

  constructor(hear: (octets: Uint8Array) => void) {
    const fd = posixOpenpt(constants.O_RDWR | constants.O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) !== 0 || unlockpt(fd) !== 0) throw new Error("the system gives no pseudo-terminal");
    this.path = ptsname(fd) ?? "";
    this.#slave = openSync(this.path, constants.O_RDWR | constants.O_NOCTTY);
    this.#master = new ReadStream(fd);
    this.#master.on("data", (octets: Buffer) => hear(new Uint8Array(octets)));
    this.#master.on("error", () => {});
  }

  /** What the gateway has set. */
  get baud(): number | undefined {
    const termios = new Uint8Array(TERMIOS_LENGTH);
    tcgetattr(this.#slave, termios);
    return BAUDS.get(cfgetospeed(termios));
  }

  say(octets: Uint8Array): void {
    if (this.#open) this.#master.write(octets);
  }

  /** The other end hears later what is said from now on, as behind an adapter that holds octets back. */
  hold(): void {
    this.#master.pause();
  }

  release(): void {
    this.#master.resume();
  }

  /** The adapter is pulled out. */
  unplug(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#slave);
    this.#master.destroy();
  }

  [Symbol.dispose](): void {
    this.unplug();
  }
}
