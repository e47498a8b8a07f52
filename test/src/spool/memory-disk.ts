/** A disk in memory that forgets what was not synced when the power goes, and fails when it is told to. */
import type { Disk, DiskFile } from "../../../src/spool/disk.ts";

interface Stored {
  octets: Uint8Array;
  /** What is there after a power cut. */
  synced: Uint8Array;
}

export class MemoryDisk implements Disk {
  readonly files = new Map<string, Stored>();
  /** Operations until one fails, once; undefined for never. */
  failAfter: number | undefined;
  operations = 0;
  /** Octets that fit; writes beyond it write what fits and fail. */
  room = Infinity;

  /** The power goes: what was not synced is lost, or `torn` octets of it are left, or its place filled with zeros. */
  cutPower(leaves: "nothing" | "torn" | "zeros"): void {
    for (const file of this.files.values()) {
      const lost = file.octets.length - file.synced.length;
      if (lost > 0 && leaves !== "nothing") {
        const octets = file.octets.slice();
        const kept = file.synced.length + (leaves === "torn" ? Math.ceil(lost / 2) : lost);
        if (leaves === "zeros") octets.fill(0, file.synced.length);
        file.synced = octets.slice(0, kept);
      }
      file.octets = file.synced.slice();
    }
  }

  async makeDirectory(): Promise<void> {
    this.#step("makeDirectory");
  }

  async list(path: string): Promise<string[]> {
    this.#step("list");
    const inside = [...this.files.keys()].filter((name) => name.startsWith(`${path}/`));
    return inside.map((name) => name.slice(path.length + 1)).filter((name) => !name.includes("/"));
  }

  async sizeOf(path: string): Promise<number> {
    this.#step("sizeOf");
    return this.#stored(path).octets.length;
  }

  async create(path: string): Promise<DiskFile> {
    this.#step("create");
    if (this.files.has(path)) throw new Error("EEXIST");
    this.files.set(path, { octets: new Uint8Array(), synced: new Uint8Array() });
    return this.#file(path);
  }

  async open(path: string): Promise<DiskFile> {
    this.#step("open");
    this.#stored(path);
    return this.#file(path);
  }

  async keep(path: string, octets: Uint8Array): Promise<void> {
    this.#step("keep");
    this.files.set(path, { octets: octets.slice(), synced: octets.slice() });
  }

  async remove(path: string): Promise<void> {
    this.#step("remove");
    this.files.delete(path);
  }

  #file(path: string): DiskFile {
    return {
      write: async (octets, position) => {
        const file = this.#stored(path);
        const used = [...this.files.values()].reduce((sum, each) => sum + each.octets.length, 0);
        const taken = octets.subarray(0, Math.max(0, Math.min(octets.length, this.room - used)));
        const grown = new Uint8Array(Math.max(file.octets.length, position + taken.length));
        grown.set(file.octets);
        grown.set(taken, position);
        file.octets = grown;
        this.#step("write");
        if (taken.length < octets.length) throw new Error("ENOSPC");
      },
      sync: async () => {
        this.#step("sync");
        const file = this.#stored(path);
        file.synced = file.octets.slice();
      },
      read: async (position, length) => {
        this.#step("read");
        return this.#stored(path).octets.slice(position, position + length);
      },
      truncate: async (length) => {
        this.#step("truncate");
        const file = this.#stored(path);
        file.octets = file.octets.slice(0, length);
      },
      close: async () => undefined,
    };
  }

  #stored(path: string): Stored {
    const stored = this.files.get(path);
    if (stored === undefined) throw new Error(`ENOENT ${path}`);
    return stored;
  }

  #step(what: string): void {
    this.operations += 1;
    if (this.failAfter === undefined || this.failAfter-- > 0) return;
    this.failAfter = undefined;
    throw new Error(`EIO in ${what}`);
  }
}
