import type { Disk, DiskFile } from "../../../src/spool/disk.ts";
import type { Random } from "../../fuzz/random.ts";
import type { VirtualScope } from "./virtual-time.ts";

const SLOWEST_MS = 12;

/** A disk whose work takes its time, and of which a process that is gone hears no more. */
export function slowDisk(disk: Disk, process: VirtualScope, random: Random): Disk {
  const wait = () => process.wait(random.oneIn(20) ? random.below(SLOWEST_MS * 20) : random.below(SLOWEST_MS));
  const file = (inner: DiskFile): DiskFile => ({
    write: async (octets, position) => {
      await wait();
      await inner.write(octets, position);
    },
    sync: async () => {
      await wait();
      await inner.sync();
    },
    read: async (position, length) => {
      await wait();
      return inner.read(position, length);
    },
    truncate: async (length) => {
      await wait();
      await inner.truncate(length);
    },
    close: () => inner.close(),
  });
  return {
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    sizeOf: (path) => disk.sizeOf(path),
    create: async (path) => {
      await wait();
      return file(await disk.create(path));
    },
    open: async (path) => {
      await wait();
      return file(await disk.open(path));
    },
    keep: (path, octets) => disk.keep(path, octets),
    remove: async (path) => {
      await wait();
      await disk.remove(path);
    },
  };
}
