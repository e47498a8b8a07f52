/**
 * Counters without a database: a file to which each reservation appends one line. The order of the lines is the order
 * of the reservations, so processes need no lock: whoever wants counters appends, forces the file to disk, reads what
 * stands before its own line and adds up. A line that was torn by a crash was never given out and is skipped. Needs a
 * local file system that keeps appends whole. A million reservations take about 80 MB.
 */
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { DlmsError } from "../../protocol/errors.ts";
import { MAX_INVOCATION_COUNTER } from "../../protocol/security/suites.ts";
import { syncDirectory } from "../spool/disk.ts";
import { type CounterName, type CounterReservations, counterText, requireReservable } from "./counter-reservations.ts";
import { KeyError } from "./key-error.ts";

const LINE = /^(\d+) (\d+) ([0-9a-f]{16}) (\S+ \S+ \S*) \.$/;
const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

export interface CounterFileOptions {
  readonly path: string;
  readonly randomOctets: (length: number) => Uint8Array;
}

export class CounterFile implements CounterReservations {
  readonly #file: FileHandle;
  readonly #options: CounterFileOptions;
  readonly #next = new Map<string, number>();
  /** Octets of whole lines that have been added up. */
  #read = 0;
  #queue: Promise<unknown> = Promise.resolve();
  /** After a failed write nobody knows what the disk holds: this object gives nothing out any more. */
  #failure: KeyError | undefined;

  private constructor(file: FileHandle, options: CounterFileOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Opens the file, or makes it, readable by its owner only; its directory is made too. */
  static async open(options: CounterFileOptions): Promise<CounterFile> {
    try {
      await mkdir(dirname(options.path), { recursive: true, mode: 0o700 });
      const file = await open(options.path, "a+", 0o600);
      await syncDirectory(dirname(options.path));
      return new CounterFile(file, options);
    } catch (cause) {
      throw new KeyError("COUNTER_FILE_UNUSABLE", { path: options.path }, { cause });
    }
  }

  async reserve(name: CounterName, count: number, floor: number): Promise<number> {
    requireReservable(count, floor);
    const reservation = this.#queue.then(() => this.#append(counterText(name), count, floor));
    this.#queue = reservation.catch(() => undefined);
    return reservation;
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #append(name: string, count: number, floor: number): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return await this.#appendLine(name, count, floor);
    } catch (cause) {
      if (cause instanceof DlmsError) throw cause;
      this.#failure = new KeyError("COUNTER_FILE_UNUSABLE", { path: this.#options.path }, { cause });
      throw this.#failure;
    }
  }

  async #appendLine(name: string, count: number, floor: number): Promise<number> {
    const id = Array.from(this.#options.randomOctets(8), (octet) => octet.toString(16).padStart(2, "0")).join("");
    await this.#addUp(id);
    // What is known already goes into the line, so that it stands even if lines before it should be lost.
    const known = Math.max(floor, this.#next.get(name) ?? 0);
    if (known + count - 1 > MAX_INVOCATION_COUNTER)
      throw new DlmsError("SECURITY_COUNTER_EXHAUSTED", "caller", { count, first: known });
    // The newline in front keeps the line whole even when the last one was torn.
    const line = new TextEncoder().encode(`\n${count} ${known} ${id} ${name} .\n`);
    const { bytesWritten } = await this.#file.write(line);
    await this.#file.datasync();
    const first = await this.#addUp(id);
    if (bytesWritten !== line.length || first === undefined)
      throw new Error(`only ${bytesWritten} of ${line.length} octets were written to the counter file`);
    if (first + count - 1 > MAX_INVOCATION_COUNTER)
      throw new DlmsError("SECURITY_COUNTER_EXHAUSTED", "caller", { count, first });
    return first;
  }

  /** Adds up the lines that have come since; the first counter of the line with this id. */
  async #addUp(id: string): Promise<number | undefined> {
    let found: number | undefined;
    let rest = new Uint8Array(0);
    const chunk = new Uint8Array(CHUNK);
    for (;;) {
      const { bytesRead } = await this.#file.read(chunk, 0, CHUNK, this.#read + rest.length);
      if (bytesRead === 0) return found;
      const octets = new Uint8Array(rest.length + bytesRead);
      octets.set(rest);
      octets.set(chunk.subarray(0, bytesRead), rest.length);
      const whole = octets.lastIndexOf(NEWLINE) + 1;
      for (const line of new TextDecoder().decode(octets.subarray(0, whole)).split("\n")) {
        const first = this.#addLine(line);
        if (first?.id === id) found = first.first;
      }
      this.#read += whole;
      rest = octets.slice(whole);
    }
  }

  #addLine(line: string): { readonly id: string; readonly first: number } | undefined {
    const [, count, floor, id, name] = LINE.exec(line) ?? [];
    if (id === undefined || name === undefined) return undefined;
    const first = Math.max(this.#next.get(name) ?? 0, Number(floor));
    this.#next.set(name, first + Number(count));
    return { id, first };
  }
}
