/** A power cut at every moment of what the spool does, with many a disk that it may leave. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeDisk } from "../../../src/spool/disk.ts";
import { Spool } from "../../../src/spool/spool.ts";
import { diskAfterCut, type Leaves, RecordingDisk } from "./recording-disk.ts";
import { DIRECTORY, KIND, numberOf, payload, readAll, readSome, VERSION } from "./spool-model.ts";

const RANDOM_DISKS = 6;

function open(disk: RecordingDisk): Promise<Spool> {
  return Spool.open({ directory: DIRECTORY, quota: 1e9, segmentOctets: 400, disk });
}

/** Appends in groups, reads, releases and starts again; what the spool's users were told stands in the log. */
async function recorded(): Promise<RecordingDisk> {
  const disk = new RecordingDisk();
  let spool = await open(disk);
  let number = 0;
  const append = async (count: number) => {
    const numbers = Array.from({ length: count }, () => number++);
    const appends = numbers.map(async (one) => {
      await spool.append(KIND, VERSION, payload(one, 10 + ((one * 7) % 60)));
      disk.log.push({ op: "acknowledged", number: one });
    });
    await Promise.all(appends);
  };
  const release = async (octets: number) => {
    // The second read asks for more, so that a file that has been read to its end is known to be.
    const read = [...(await readSome(spool, octets)), ...(await readSome(spool, 1))];
    // From here on any of what was read may be gone.
    disk.log.push({ op: "released", through: Math.max(-1, ...read) });
    await spool.release();
  };
  for (let round = 0; round < 4; round++) {
    await append(1);
    await append(5);
    await Promise.all([append(3), append(2)]);
    await release(600);
    await spool.close();
    spool = await open(disk);
    await append(4);
    await release(300);
  }
  await spool.close();
  return disk;
}

/** The same sequence for the same seed. */
function lots(seed: number): Leaves {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state > 0x8000_0000;
  };
}

test("power cut: whenever it comes and whatever unsynced sectors it leaves, nothing acknowledged is lost or doubled", async () => {
  const { log } = await recorded();
  expect(log.length).toBeGreaterThan(150);
  const disks: readonly ((at: number) => Leaves)[] = [
    () => () => false,
    () => () => true,
    ...Array.from({ length: RANDOM_DISKS }, (_, index) => (at: number) => lots(at * RANDOM_DISKS + index)),
  ];
  let looked = 0;
  for (let length = 0; length <= log.length; length++) {
    const told = log.slice(0, length);
    const acknowledged = told.flatMap((entry) => (entry.op === "acknowledged" ? [entry.number] : []));
    const released = Math.max(-1, ...told.flatMap((entry) => (entry.op === "released" ? [entry.through] : [])));
    for (const leaves of disks) {
      const disk = diskAfterCut(log, length, leaves(length));
      const spool = await Spool.open({ directory: DIRECTORY, quota: 1e9, segmentOctets: 400, disk });
      const found = await readAll(spool);
      // A file that was removed may be there again: the database knows that its records have been brought in.
      const left = found.filter((number) => number > released);
      const lost = acknowledged.filter((number) => number > released && !left.includes(number));
      expect({ length, lost, left }).toEqual({ length, lost: [], left: [...new Set(left)].sort((a, b) => a - b) });
      // It goes on from there.
      await spool.append(KIND, VERSION, payload(9999));
      expect((await spool.read(1000))?.records.map(numberOf)).toEqual([9999]);
      looked += 1;
    }
  }
  expect(looked).toBe((log.length + 1) * disks.length);
});

test("power cut: the directories that lead to the spool last, however many had to be made", async () => {
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-made-"));
  try {
    const wanted = join(directory, "a", "b", "spool");
    await nodeDisk.makeDirectory(wanted);
    await nodeDisk.makeDirectory(wanted);
    expect(await nodeDisk.list(wanted)).toEqual([]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
