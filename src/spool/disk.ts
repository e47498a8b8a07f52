/** The few things that the spool wants of a disk. Real ones fail at every one of them; tests make them fail in turn. */
import { type FileHandle, mkdir, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

export interface Disk {
  /** Makes a directory, and those above it, where it is not there yet; their names last when this resolves. */
  makeDirectory(path: string): Promise<void>;
  /** Names of the files in a directory. */
  list(path: string): Promise<string[]>;
  /** Octets that a file has. */
  sizeOf(path: string): Promise<number>;
  /** Makes a file that must not be there yet; its name lasts when this resolves. */
  create(path: string): Promise<DiskFile>;
  /** Opens a file to read. */
  open(path: string): Promise<DiskFile>;
  /** Writes a whole file that nothing depends on. */
  keep(path: string, octets: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface DiskFile {
  /** Writes all octets or throws; then some may have been written. */
  write(octets: Uint8Array, position: number): Promise<void>;
  /** What was written lasts through a power cut when this resolves. */
  sync(): Promise<void>;
  /** Reads `length` octets, fewer where the file ends. */
  read(position: number, length: number): Promise<Uint8Array>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export const nodeDisk: Disk = {
  async makeDirectory(path) {
    const wanted = resolve(path);
    const first = await mkdir(wanted, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    for (let made = wanted; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made));
  },
  list: (path) => readdir(path),
  sizeOf: async (path) => (await stat(path)).size,
  async create(path) {
    const file = await open(path, "wx+", 0o600);
    try {
      await syncDirectory(join(path, ".."));
    } catch (error) {
      await file.close();
      throw error;
    }
    return new NodeFile(file);
  },
  open: async (path) => new NodeFile(await open(path, "r")),
  keep: (path, octets) => writeFile(path, octets, { mode: 0o600 }),
  remove: (path) => rm(path, { force: true }),
};

/** Names of new files in it last when this resolves. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

class NodeFile implements DiskFile {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async write(octets: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < octets.length; ) {
      // A disk that is nearly full takes a part; the rest then fails with the reason.
      const { bytesWritten } = await this.#file.write(octets, done, octets.length - done, position + done);
      done += bytesWritten;
    }
  }

  sync(): Promise<void> {
    return this.#file.datasync();
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const octets = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#file.read(octets, done, length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return octets.subarray(0, done);
  }

  truncate(length: number): Promise<void> {
    return this.#file.truncate(length);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
