import fc from "fast-check";
import { expect, test } from "vitest";
import type { SegmentDamage } from "../../../src/spool/segment.ts";
import type { Spool } from "../../../src/spool/spool.ts";
import { SpoolError } from "../../../src/spool/spool-error.ts";
import { MemoryDisk } from "./memory-disk.ts";
import {
  anyStep,
  DIRECTORY,
  KIND,
  numberOf,
  openSpool as open,
  payload,
  readAll,
  readSome,
  SpoolModel,
  VERSION,
} from "./spool-model.ts";

function append(spool: Spool, ...numbers: number[]): Promise<unknown> {
  return Promise.all(numbers.map((number) => spool.append(KIND, VERSION, payload(number))));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

test("spool: what was appended comes back in order, with kind and version, once", async () => {
  const spool = await open(new MemoryDisk());
  await append(spool, ...upTo(3));
  const { records = [] } = (await spool.read(1e6)) ?? {};
  expect(records.map((record) => [record.kind, record.version, record.sequence, numberOf(record)])).toEqual(
    upTo(3).map((number) => [KIND, VERSION, number, number]),
  );
  expect(await spool.read(1e6)).toBeUndefined();
  await append(spool, 3);
  expect(await readAll(spool)).toEqual([3]);
});

test("spool: records that come together share one write and one sync", async () => {
  const disk = new MemoryDisk();
  const spool = await open(disk, { segmentOctets: 1e6 });
  await append(spool, 0);
  const before = disk.operations;
  await append(spool, ...upTo(100));
  expect(disk.operations - before).toBe(2);
});

test("spool: a record of any length up to the limit comes back, a longer one is refused", async () => {
  const spool = await open(new MemoryDisk());
  const lengths = [0, 1, 27, 28, 29, 1_048_576, 3_000_000];
  for (const length of lengths) await spool.append(1, 1, new Uint8Array(length).fill(0x53));
  const read: number[] = [];
  for (let next = await spool.read(1); next !== undefined; next = await spool.read(1)) {
    read.push(...next.records.map((record) => record.payload.length));
  }
  expect(read).toEqual(lengths);
  await expect(spool.append(1, 1, new Uint8Array(64 * 1024 * 1024 + 1))).rejects.toMatchObject({
    code: "SPOOL_RECORD_INVALID",
  });
});

test("spool: what was read and released is gone from the disk; what was not is there for the next run", async () => {
  const disk = new MemoryDisk();
  const spool = await open(disk);
  await append(spool, ...upTo(20));
  expect(await spool.read(1)).toBeDefined();
  await spool.release();
  await spool.close();
  const second = await open(disk);
  await append(second, 20);
  const left = await readAll(second);
  expect(left.at(-1)).toBe(20);
  expect(left).toEqual(upTo(21).slice(-left.length));
  await second.release();
  expect([disk.files.size, second.octets, second.isEmpty]).toEqual([0, 0, true]);
  await append(second, 21);
  expect(await readAll(second)).toEqual([21]);
});

test("spool: beyond its quota it refuses, and takes again when there is room", async () => {
  const spool = await open(new MemoryDisk(), { quota: 600 });
  const outcomes = await Promise.allSettled(upTo(30).map((number) => spool.append(KIND, VERSION, payload(number))));
  const taken = outcomes.filter(({ status }) => status === "fulfilled").length;
  expect(taken).toBe(Math.floor(600 / 42));
  expect(outcomes[taken]).toMatchObject({ reason: { code: "SPOOL_FULL" } });
  expect(await readAll(spool)).toEqual(upTo(taken));
  await spool.release();
  await append(spool, taken);
  expect(await readAll(spool)).toEqual([taken]);
});

test("spool: files of a newer format are refused, files that are none of its own are left alone", async () => {
  const disk = new MemoryDisk();
  await disk.keep(`${DIRECTORY}/00000001-0123456789abcdef.000000000000000.spool2`, new Uint8Array(5));
  await expect(open(disk)).rejects.toMatchObject({ code: "SPOOL_NEWER" });
  const other = new MemoryDisk();
  await other.keep(`${DIRECTORY}/lost+found`, new Uint8Array(5));
  const spool = await open(other);
  await append(spool, 1);
  expect(await readAll(spool)).toEqual([1]);
  await spool.release();
  expect([...other.files.keys()]).toEqual([`${DIRECTORY}/lost+found`]);
});

/** What is left of a spool, and what is told, when one octet of one file has flipped. */
async function readWithFlip(sound: MemoryDisk, name: string, at: number) {
  const disk = new MemoryDisk();
  for (const [each, stored] of sound.files) await disk.keep(each, stored.octets);
  const octets = sound.files.get(name)?.octets.slice() ?? new Uint8Array();
  octets[at] = (octets[at] ?? 0) ^ (1 << (at % 8));
  await disk.keep(name, octets);
  const told: SegmentDamage[] = [];
  const left = await readAll(await open(disk, { onDamage: (damage) => told.push(damage) }));
  return { left, told, keptAside: [...disk.files.keys()].filter((each) => each.includes("/damaged/")).length };
}

test("spool: every flipped octet costs the record that it hit and no other, and is counted and set aside", async () => {
  const count = 24;
  const sound = new MemoryDisk();
  const spool = await open(sound);
  for (const number of upTo(count)) await append(spool, number);
  await spool.close();
  expect(sound.files.size).toBeGreaterThan(1);
  for (const [name, { octets }] of sound.files) {
    for (let at = 0; at < octets.length; at++) {
      const { left, told, keptAside } = await readWithFlip(sound, name, at);
      expect({ at, lost: count - left.length, keptAside }).toEqual({ at, lost: 1, keptAside: 1 });
      expect(left).toEqual(upTo(count).filter((number) => left.includes(number)));
      // Whether the very last record of a run that is over was acknowledged, nothing on the disk says.
      expect(told.map(({ lost }) => lost)).toEqual([left.includes(count - 1) ? 1 : undefined]);
    }
  }
});

test("spool: a payload that holds a record of its own cannot pass for one when what is around it is damaged", async () => {
  const disk = new MemoryDisk();
  const inner = new MemoryDisk();
  const other = await open(inner);
  await append(other, 99);
  const forged = [...inner.files.values()][0]?.octets ?? new Uint8Array();
  const spool = await open(disk, { segmentOctets: 1e6 });
  await spool.append(1, 1, forged);
  await append(spool, 1);
  await spool.close();
  const [[name, { octets }] = ["", { octets: new Uint8Array() }]] = disk.files;
  const damaged = octets.slice();
  damaged[5] = 0xff;
  await disk.keep(name, damaged);
  expect(await readAll(await open(disk))).toEqual([1]);
});

test.each(["nothing", "torn", "zeros"] as const)(
  "spool: a power cut that leaves %s of an unfinished write loses nothing that was acknowledged",
  async (leaves) => {
    const disk = new MemoryDisk();
    const spool = await open(disk, { segmentOctets: 1e6 });
    await append(spool, 0, 1);
    disk.failAfter = 1;
    const refused = append(spool, 2);
    await expect(refused).rejects.toMatchObject({ code: "SPOOL_WRITE_FAILED" });
    // As if the power had gone before the file was cut back to what is sound.
    for (const stored of disk.files.values()) {
      const grown = new Uint8Array(stored.octets.length + 42).fill(0x53);
      grown.set(stored.octets);
      stored.octets = grown;
    }
    disk.cutPower(leaves);
    const told: SegmentDamage[] = [];
    const second = await open(disk, { onDamage: (damage) => told.push(damage) });
    await append(second, 3);
    expect(await readAll(second)).toEqual([0, 1, 3]);
    expect(told.map(({ lost }) => lost)).toEqual(leaves === "nothing" ? [] : [undefined]);
  },
);

/** Forty records while one operation fails; what was acknowledged, and what was read. */
async function runWithFailure(disk: MemoryDisk, failAfter: number) {
  const spool = await open(disk);
  disk.failAfter = failAfter;
  const acknowledged: number[] = [];
  const read: number[] = [];
  const refusals: unknown[] = [];
  const refuse = (error: unknown) => void refusals.push(error);
  for (const number of upTo(40)) {
    await append(spool, number).then(() => acknowledged.push(number), refuse);
    if (number % 7 === 0) read.push(...(await readSome(spool, 1)));
    if (number % 7 === 0) await spool.release().catch(() => undefined);
  }
  const failed = disk.failAfter === undefined;
  disk.failAfter = undefined;
  read.push(...(await readAll(spool)));
  await spool.release();
  return { acknowledged, read, refusals, failed };
}

test("spool: whichever operation of the disk fails, what was acknowledged is read, in order, once", async () => {
  for (let failAfter = 0, failed = true; failed; failAfter++) {
    const disk = new MemoryDisk();
    const outcome = await runWithFailure(disk, failAfter);
    expect({ failAfter, read: outcome.read }).toEqual({ failAfter, read: outcome.acknowledged });
    expect(outcome.acknowledged.length + outcome.refusals.length).toBe(40);
    expect(outcome.refusals.length).toBeLessThan(2);
    expect(outcome.refusals.map((error) => error instanceof SpoolError && error.code)).toEqual(
      outcome.refusals.map(() => "SPOOL_WRITE_FAILED"),
    );
    expect(disk.files.size).toBe(0);
    failed = outcome.failed;
  }
});

test("spool: a full disk refuses without a crash, and takes again by itself", async () => {
  const disk = new MemoryDisk();
  const spool = await open(disk, { segmentOctets: 1e6 });
  disk.room = 100;
  await append(spool, 0, 1);
  await expect(append(spool, 2)).rejects.toMatchObject({ code: "SPOOL_WRITE_FAILED" });
  await expect(append(spool, 2)).rejects.toMatchObject({ code: "SPOOL_WRITE_FAILED" });
  disk.room = Infinity;
  await append(spool, 2);
  expect(await readAll(spool)).toEqual([0, 1, 2]);
});

test("spool: against a plain list, any mix of appends, reads, releases, failures and power cuts", async () => {
  const run = fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
      const model = new SpoolModel();
      for (const step of steps) await model.take(step);
    }),
    { numRuns: 300 },
  );
  await expect(run).resolves.toBeUndefined();
});
