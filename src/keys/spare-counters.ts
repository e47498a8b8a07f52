/**
 * Counters for the time in which the database that keeps them is away. With every reservation as many more are
 * reserved and noted in a file on the local disk; they are given out only when the database can't be asked, each after
 * the file has said durably that it is gone. A file that is damaged is not believed at all: spare counters that are lost
 * cost nothing, one that is used twice would betray the key's traffic.
 */
import { type FileHandle, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { DlmsError, type ErrorCode } from "../../protocol/errors.ts";
import { syncDirectory } from "../spool/disk.ts";
import { type CounterName, type CounterReservations, counterText } from "./counter-reservations.ts";
import { KeyError } from "./key-error.ts";

/** For some starts without the database, each of which takes a block. */
const LEAST = 1024;
const LINE = /^(\d{1,10}) (\d{1,10}) (\S+ \S+ \S*) ([0-9a-f]{8})$/;

interface Spare {
  readonly next: number;
  readonly end: number;
}

export class SpareCounters implements CounterReservations {
  readonly #reservations: CounterReservations;
  readonly #file: FileHandle;
  readonly #spares: Map<string, Spare>;
  #queue: Promise<unknown> = Promise.resolve();
  /** After a failed write nobody knows what the disk says: nothing spare is given out any more. */
  #isUsable = true;

  /** Reads the file of an earlier run and writes it anew, for its owner only. Throws KeyError. */
  static async open(reservations: CounterReservations, path: string): Promise<SpareCounters> {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const spares = sparesOf(await readFile(path, "latin1").catch(nothing));
      const fresh = `${path}.new`;
      const file = await open(fresh, "w", 0o600);
      await file.write(Array.from(spares, ([name, spare]) => lineOf(name, spare)).join(""));
      await file.datasync();
      await rename(fresh, path);
      await syncDirectory(dirname(path));
      return new SpareCounters(reservations, file, spares);
    } catch (cause) {
      throw new KeyError("COUNTER_FILE_UNUSABLE", { path }, { cause });
    }
  }

  private constructor(reservations: CounterReservations, file: FileHandle, spares: Map<string, Spare>) {
    this.#reservations = reservations;
    this.#file = file;
    this.#spares = spares;
  }

  async reserve(name: CounterName, count: number, floor: number): Promise<number> {
    try {
      return await this.#reserveBoth(name, count, floor);
    } catch (error) {
      // So near the end of the key there is none to spare.
      if (isError(error, "SECURITY_COUNTER_EXHAUSTED")) return this.#reservations.reserve(name, count, floor);
      if (!isError(error, "SECURITY_COUNTER_UNRESERVED")) throw error;
      return await this.#take(counterText(name), { count, floor, error });
    }
  }

  async #reserveBoth(name: CounterName, count: number, floor: number): Promise<number> {
    const spare = Math.max(count, LEAST);
    const first = await this.#reservations.reserve(name, count + spare, floor);
    await this.#note(counterText(name), { next: first + count, end: first + count + spare });
    return first;
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Not forced to the disk: a note that is lost only loses spare counters. */
  #note(name: string, spare: Spare): Promise<void> {
    return this.#inTurn(async () => {
      await this.#append(name, spare);
    });
  }

  #take(
    name: string,
    { count, floor, error }: { readonly count: number; readonly floor: number; readonly error: DlmsError },
  ): Promise<number> {
    return this.#inTurn(async () => {
      const spare = this.#spares.get(name);
      const first = Math.max(floor, spare?.next ?? 0);
      if (!this.#isUsable || spare === undefined || first + count > spare.end) throw error;
      await this.#append(name, { next: first + count, end: spare.end });
      await this.#file.datasync().catch(() => this.#fail());
      if (!this.#isUsable) throw error;
      return first;
    });
  }

  async #append(name: string, spare: Spare): Promise<void> {
    if (!this.#isUsable) return;
    const line = lineOf(name, spare);
    try {
      const { bytesWritten } = await this.#file.write(line);
      if (bytesWritten === line.length) this.#spares.set(name, spare);
      else this.#fail();
    } catch {
      this.#fail();
    }
  }

  #fail(): void {
    this.#isUsable = false;
    this.#spares.clear();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

function isError(error: unknown, code: ErrorCode): error is DlmsError {
  return error instanceof DlmsError && error.code === code;
}

/** What is left by name: the last line of each counts. What follows the last newline was never given out. */
function sparesOf(text: string): Map<string, Spare> {
  const spares = new Map<string, Spare>();
  for (const line of text.split("\n").slice(0, -1)) {
    const [, next, end, name, sum] = LINE.exec(line) ?? [];
    if (name === undefined || sum !== checksum(`${next} ${end} ${name}`)) return new Map();
    spares.set(name, { next: Number(next), end: Number(end) });
  }
  return spares;
}

function lineOf(name: string, { next, end }: Spare): string {
  const text = `${next} ${end} ${name}`;
  return `${text} ${checksum(text)}\n`;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

function nothing(error: unknown): string {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
  throw error;
}
