/**
 * A disk that writes down in which order the spool writes, syncs, makes and removes; and what a power cut at any moment of
 * that order may leave: of what was not synced any sectors, of names that were not synced any.
 */
import type { Disk, DiskFile } from "../../../src/spool/disk.ts";
import { MemoryDisk } from "./memory-disk.ts";

/** `did` is true when the disk has said that it is done. */
type Entry =
  | { readonly op: "create" | "remove" | "sync"; readonly path: string; readonly did: boolean }
  | { readonly op: "write"; readonly path: string; readonly position: number; readonly octets: Uint8Array }
  | { readonly op: "truncate"; readonly path: string; readonly length: number }
  | { readonly op: "keep"; readonly path: string; readonly octets: Uint8Array }
  | { readonly op: "acknowledged"; readonly number: number }
  | { readonly op: "released"; readonly through: number };

const SECTOR = 32;

export class RecordingDisk implements Disk {
  readonly log: Entry[] = [];
  readonly #disk = new MemoryDisk();

  makeDirectory(): Promise<void> {
    return this.#disk.makeDirectory();
  }

  list(path: string): Promise<string[]> {
    return this.#disk.list(path);
  }

  sizeOf(path: string): Promise<number> {
    return this.#disk.sizeOf(path);
  }

  async create(path: string): Promise<DiskFile> {
    this.log.push({ op: "create", path, did: false });
    const file = await this.#disk.create(path);
    this.log.push({ op: "create", path, did: true });
    return this.#recorded(path, file);
  }

  async open(path: string): Promise<DiskFile> {
    return this.#recorded(path, await this.#disk.open(path));
  }

  async keep(path: string, octets: Uint8Array): Promise<void> {
    this.log.push({ op: "keep", path, octets: octets.slice() });
    await this.#disk.keep(path, octets);
  }

  async remove(path: string): Promise<void> {
    this.log.push({ op: "remove", path, did: true });
    await this.#disk.remove(path);
  }

  #recorded(path: string, file: DiskFile): DiskFile {
    return {
      write: async (octets, position) => {
        this.log.push({ op: "write", path, position, octets: octets.slice() });
        await file.write(octets, position);
      },
      sync: async () => {
        this.log.push({ op: "sync", path, did: false });
        await file.sync();
        this.log.push({ op: "sync", path, did: true });
      },
      read: (position, length) => file.read(position, length),
      truncate: async (length) => {
        this.log.push({ op: "truncate", path, length });
        await file.truncate(length);
      },
      close: () => file.close(),
    };
  }
}

/** Which of the things that the power cut may take it leaves; asked once for each. */
export type Leaves = () => boolean;

interface Sectors {
  octets: Uint8Array;
  /** Since the last sync began; each may be left or not. */
  unsynced: Extract<Entry, { op: "write" | "truncate" }>[];
  /** How many of these the sync that is under way covers. */
  covered: number;
}

/** What is on the disk after a power cut that came when the first `length` entries had been made. */
export function diskAfterCut(log: readonly Entry[], length: number, leaves: Leaves): MemoryDisk {
  const files = new Map<string, Sectors>();
  const doubtful = new Set<string>();
  const removed = new Map<string, Sectors>();
  for (const entry of log.slice(0, length)) take(entry, { files, doubtful, removed });
  const disk = new MemoryDisk();
  for (const [path, sectors] of [...files, ...removed]) {
    const isThere = removed.get(path) === sectors || doubtful.has(path) ? leaves() : true;
    if (!isThere || disk.files.has(path)) continue;
    const octets = survivors(sectors, leaves);
    disk.files.set(path, { octets, synced: octets.slice() });
  }
  return disk;
}

interface State {
  readonly files: Map<string, Sectors>;
  /** Made, but not yet said to last. */
  readonly doubtful: Set<string>;
  /** Removed; nobody has made that last. */
  readonly removed: Map<string, Sectors>;
}

function take(entry: Entry, { files, doubtful, removed }: State): void {
  switch (entry.op) {
    case "create":
      if (entry.did) doubtful.delete(entry.path);
      else {
        files.set(entry.path, { octets: new Uint8Array(), unsynced: [], covered: 0 });
        doubtful.add(entry.path);
      }
      return;
    case "keep":
      files.set(entry.path, { octets: entry.octets, unsynced: [], covered: 0 });
      doubtful.add(entry.path);
      return;
    case "remove": {
      const file = files.get(entry.path);
      files.delete(entry.path);
      if (file !== undefined) removed.set(entry.path, file);
      return;
    }
    case "write":
    case "truncate":
      files.get(entry.path)?.unsynced.push(entry);
      return;
    case "sync": {
      const file = files.get(entry.path);
      if (file === undefined) return;
      if (!entry.did) file.covered = file.unsynced.length;
      else
        for (const each of file.unsynced.splice(0, file.covered)) file.octets = applied(file.octets, each, () => true);
      return;
    }
    case "acknowledged":
    case "released":
  }
}

function survivors({ octets, unsynced }: Sectors, leaves: Leaves): Uint8Array {
  return unsynced.reduce((held, each) => applied(held, each, leaves), octets);
}

/** Sectors that are not left read as zeros where the file has grown over them. */
function applied(octets: Uint8Array, change: Sectors["unsynced"][number], leaves: Leaves): Uint8Array {
  if (change.op === "truncate") return leaves() ? octets.slice(0, change.length) : octets;
  const pieces: { readonly at: number; readonly piece: Uint8Array }[] = [];
  for (let from = 0; from < change.octets.length; ) {
    const at = change.position + from;
    const to = Math.min(change.octets.length, from + SECTOR - (at % SECTOR));
    if (leaves()) pieces.push({ at, piece: change.octets.subarray(from, to) });
    from = to;
  }
  const end = pieces.reduce((most, { at, piece }) => Math.max(most, at + piece.length), octets.length);
  const grown = new Uint8Array(end);
  grown.set(octets);
  for (const { at, piece } of pieces) grown.set(piece, at);
  return grown;
}
