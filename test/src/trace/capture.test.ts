import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRecording } from "../../../drivers/recording/recording.ts";
import { CaptureDialogues, type CaptureEvent } from "../../../src/trace/capture-dialogues.ts";
import { type CapturedPacket, CaptureError, capturedPackets } from "../../../src/trace/capture-reader.ts";
import { Dialogue } from "../../../src/trace/dialogue.ts";
import { PcapngWriter } from "../../../src/trace/pcapng-writer.ts";

const RECORDINGS = join(import.meta.dirname, "../../recordings");
const names = globSync("*.jsonl", { cwd: RECORDINGS });
const STARTED = new Date("2026-01-31T10:00:00Z");

function recorded(name: string) {
  return parseRecording(readFileSync(join(RECORDINGS, name), "utf8")).entries;
}

function captured(name: string, channel = "tcp 10.1.2.3:4059"): Uint8Array {
  const chunks: Uint8Array[] = [];
  const add = new PcapngWriter((octets) => chunks.push(octets)).session({ startedAt: STARTED, channel });
  for (const entry of recorded(name)) add(entry);
  return Buffer.concat(chunks);
}

async function* inPieces(octets: Uint8Array, length = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += length) yield octets.subarray(at, at + length);
}

async function packetsOf(octets: Uint8Array): Promise<CapturedPacket[]> {
  const packets: CapturedPacket[] = [];
  for await (const packet of capturedPackets(inPieces(octets))) packets.push(packet);
  return packets;
}

function eventsOf(packets: readonly CapturedPacket[]): CaptureEvent[] {
  const dialogues = new CaptureDialogues({ keysOf: () => ({}) });
  return [...packets.flatMap((packet) => [...dialogues.push(packet)]), ...dialogues.finish()];
}

function told(events: readonly CaptureEvent[]): string[] {
  return events.map((event) => (event.type === "frame" ? `${event.frame.dir} ${event.frame.says}` : "lost"));
}

function directly(name: string): string[] {
  const dialogue = new Dialogue();
  return recorded(name).flatMap((entry) =>
    entry.dir === "end" ? [] : dialogue.push({ ...entry, blanked: [] }).map(({ dir, says }) => `${dir} ${says}`),
  );
}

test.each(names)("capture: %s written as pcapng and read again says the same", async (name) => {
  const packets = await packetsOf(captured(name));
  expect(told(eventsOf(packets))).toEqual(directly(name));
  expect(packets[0]?.atMs).toBe(STARTED.getTime());
});

const NAME = "gurux-net-wrapper-hls-general-blocks.jsonl";

/** The same packets as a classic pcap file. */
function pcap(
  packets: readonly CapturedPacket[],
  { isLittle, nanos }: { isLittle: boolean; nanos: boolean },
): Uint8Array {
  const head = new DataView(new ArrayBuffer(24));
  head.setUint32(0, nanos ? 0xa1b23c4d : 0xa1b2c3d4, isLittle);
  head.setUint32(20, packets[0]?.linkType ?? 0, isLittle);
  const records = packets.flatMap(({ atMs, octets }) => {
    const record = new DataView(new ArrayBuffer(16));
    record.setUint32(0, Math.floor(atMs / 1000), isLittle);
    record.setUint32(4, Math.round((atMs % 1000) * (nanos ? 1e6 : 1e3)), isLittle);
    record.setUint32(8, octets.length, isLittle);
    return [new Uint8Array(record.buffer), octets];
  });
  return Buffer.concat([new Uint8Array(head.buffer), ...records]);
}

test.each([
  { isLittle: true, nanos: false },
  { isLittle: false, nanos: true },
])("capture: pcap is read in either byte order and resolution: %o", async (form) => {
  const packets = await packetsOf(captured(NAME));
  const again = await packetsOf(pcap(packets, form));
  expect(again.map(({ atMs }) => Math.round(atMs))).toEqual(packets.map(({ atMs }) => Math.round(atMs)));
  expect(told(eventsOf(again))).toEqual(directly(NAME));
});

test("capture: segments out of order, twice and overlapping make the same stream", async () => {
  const packets = await packetsOf(captured(NAME));
  // The handshake tells where the streams begin.
  const [handshake, rest] = [packets.slice(0, 3), packets.slice(3)];
  const byDirection = (source: number) => rest.filter(({ octets }) => octets[15] === source);
  const mixed = [...byDirection(1), ...byDirection(3)].flatMap((packet, index, all) => {
    const next = all[index + 1];
    if (index % 2 === 1) return [];
    return next === undefined ? [packet, packet] : [next, packet, packet];
  });
  const says = told(eventsOf([...handshake, ...mixed]));
  expect(says.toSorted()).toEqual(directly(NAME).toSorted());
});

test("capture: a segment that comes again with more in it, behind a hole, is taken as it came last", async () => {
  const packets = await packetsOf(captured(NAME));
  // From the fourth on what is asked and answered takes turns: 3 asks, 5 asks next.
  const asked = [packets[3], packets[5], packets[7]];
  const [hole, cut, whole] = asked;
  if (hole === undefined || cut === undefined || whole === undefined) throw new Error("the recording is too short");
  const HEADERS = 40;
  const shorter = Uint8Array.from(cut.octets.subarray(0, HEADERS + 4));
  shorter.set([0, HEADERS + 4], 2);
  const rest = packets.slice(4).filter(({ octets }) => octets[15] === 1 && octets !== cut.octets);
  const events = eventsOf([...packets.slice(0, 3), { ...cut, octets: shorter }, cut, hole, ...rest]);
  const asks = directly(NAME).filter((line) => line.startsWith("tx"));
  expect(told(events).filter((line) => !line.startsWith("rx"))).toEqual(asks);
});

test("capture: what is missing is told, and reading goes on behind it", async () => {
  const packets = await packetsOf(captured(NAME));
  const events = eventsOf(packets.filter((_, index) => index !== 8));
  expect(events.filter(({ type }) => type === "lost").length).toBe(1);
  expect(events.length).toBeGreaterThan(5);
});

/** The same packets with the lengths in their IP headers as offloading leaves them. */
function offloaded(packets: readonly CapturedPacket[]): CapturedPacket[] {
  return packets.map((packet) => {
    const octets = Uint8Array.from(packet.octets);
    octets.fill(0, 2, 4);
    return { ...packet, octets };
  });
}

test("capture: packets whose length offloading has left 0 are read to their end", async () => {
  const packets = await packetsOf(captured(NAME));
  expect(told(eventsOf(offloaded(packets)))).toEqual(directly(NAME));
});

test("capture: what waits of a connection when another one takes its ends is told, and so is what is missing", async () => {
  const packets = await packetsOf(captured(NAME));
  // The first connection lacks a packet in the middle and has no end.
  const first = packets.slice(0, 14).filter((_, index) => index !== 8);
  const alone = eventsOf(first);
  const both = eventsOf([...first, ...packets]);
  expect(alone.filter(({ type }) => type === "lost").length).toBe(1);
  expect(told(both)).toEqual([...told(alone), ...directly(NAME)]);
});

test("capture: a hundred thousand pieces behind one hole are given up before they are many", async () => {
  const [syn, answer, confirmed, asked] = await packetsOf(captured(NAME));
  if (syn === undefined || answer === undefined || confirmed === undefined || asked === undefined)
    throw new Error(NAME);
  const dialogues = new CaptureDialogues({ keysOf: () => ({}) });
  for (const packet of [syn, answer, confirmed]) expect([...dialogues.push(packet)]).toEqual([]);
  const sequence = new DataView(asked.octets.buffer, asked.octets.byteOffset).getUint32(24);
  let lost = 0;
  for (let piece = 1; piece <= 100_000; piece++) {
    const octets = asked.octets.slice(0, 41);
    new DataView(octets.buffer).setUint16(2, octets.length);
    // Every second octet: none of them joins another.
    new DataView(octets.buffer).setUint32(24, (sequence + 2 * piece) >>> 0);
    for (const event of dialogues.push({ ...asked, octets })) if (event.type === "lost") lost++;
  }
  expect(lost).toBeGreaterThan(90_000);
}, 60_000);

test("capture: frames of a serial line keep their directions", async () => {
  const name = "gurux-c-hdlc-lls.jsonl";
  const packets = await packetsOf(captured(name, "serial /dev/ttyUSB0"));
  expect(told(eventsOf(packets))).toEqual(directly(name));
});

test("capture: an interface whose clock says nothing of its units counts microseconds", async () => {
  const octets = Buffer.from(captured(NAME));
  // Section header, then the block of the interface: type, length, link type, snap length, and the option.
  const option = octets.readUInt32LE(4) + 16;
  expect(octets.readUInt16LE(option)).toBe(9);
  octets.writeUInt16LE(0, option + 2);
  expect((await packetsOf(octets))[0]?.atMs).toBe(STARTED.getTime());
});

/** The header of the wrapper, the least that a frame has. */
const LEAST_FRAME_OCTETS = 8;

test("capture: no file makes it throw anything but its own error, nor hang", async () => {
  const whole = captured("gurux-c-wrapper-none.jsonl").subarray(0, 4000);
  const damage = fc.record({ at: fc.nat(3999), octet: fc.nat(255), end: fc.nat(4000) });
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 8 }), async (damages) => {
      const octets = Uint8Array.from(whole);
      for (const { at, octet } of damages) octets[at] = octet;
      const packets = await packetsOf(octets.subarray(0, damages[0]?.end)).catch((error: unknown) => {
        if (error instanceof CaptureError) return [];
        throw error;
      });
      return eventsOf(packets).length <= whole.length / LEAST_FRAME_OCTETS;
    }),
    { numRuns: 200 },
  );
  await expect(packetsOf(Buffer.from("this is no capture at all"))).rejects.toBeInstanceOf(CaptureError);
});
