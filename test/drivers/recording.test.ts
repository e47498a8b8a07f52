import { expect, test } from "vitest";
import { parseRecording } from "../../drivers/recording/recording.ts";
import { ReplayChannel } from "../../drivers/recording/replay.ts";
import { RecordingTee } from "../../drivers/recording/tee.ts";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { decodeHdlcFrame, encodeHdlcFrame } from "../../protocol/link/hdlc/frame.ts";
import { TestChannel } from "./test-channel.ts";

const HEADER = { peer: "a meter", version: "1.0", command: "read clock", settings: { clientSap: 16, hdlc: false } };

function record(secrets: Uint8Array[], session: (tee: RecordingTee, channel: TestChannel) => void): string {
  const lines: string[] = [];
  const channel = new TestChannel();
  const tee = new RecordingTee(channel, {
    header: HEADER,
    secrets,
    writeLine: (line) => lines.push(line),
    clock: () => 0,
  });
  tee.start({ bytes: () => {}, closed: () => {} });
  session(tee, channel);
  return `${lines.join("\n")}\n`;
}

const LINES = record([], (tee, channel) => {
  tee.write(fromHex("c001"));
  tee.write(fromHex("02"));
  channel.say(fromHex("c401"));
  channel.say(fromHex("03"));
  tee.write(fromHex("62"));
  channel.say(fromHex("63"));
  channel.sink?.closed();
});

async function replay(text: string, pieces: readonly string[]): Promise<string[]> {
  const heard: string[] = [];
  const channel = new ReplayChannel(parseRecording(text));
  channel.start({
    bytes: (bytes) => heard.push(toHex(bytes)),
    closed: (cause) => heard.push(`closed ${cause?.message ?? "orderly"}`),
  });
  for (const piece of pieces) {
    channel.write(fromHex(piece));
    await new Promise(setImmediate);
  }
  heard.push(channel.complete ? "complete" : "incomplete");
  return heard;
}

test("recording: header, octets and end are read back as written", () => {
  const recording = parseRecording(LINES);
  expect(recording.header).toEqual(HEADER);
  expect(recording.entries.map((entry) => (entry.dir === "end" ? entry.by : entry.dir + toHex(entry.octets)))).toEqual([
    "txc001",
    "tx02",
    "rxc401",
    "rx03",
    "tx62",
    "rx63",
    "peer",
  ]);
});

test("replay: the same octets, however cut, get the recorded answers and the recorded end", async () => {
  expect(await replay(LINES, ["c0", "0102", "62"])).toEqual(["c401", "03", "63", "closed orderly", "complete"]);
  expect(await replay(LINES, ["c00102"])).toEqual(["c401", "03", "incomplete"]);
});

test("replay: a deviation names its line, offset and octets", async () => {
  const heard = await replay(LINES, ["c001", "03"]);
  expect(heard).toEqual([
    expect.stringMatching(/^closed RECORDING_DEVIATION.*line=3 offset=0 recorded=02 sent=03$/),
    "incomplete",
  ]);
  const late = await replay(LINES, ["c00102", "62", "99"]);
  expect(late.slice(0, 3)).toEqual(["c401", "03", "63"]);
});

test("replay: octets that come before anything is sent are delivered", async () => {
  const text = record([], (_, channel) => channel.say(fromHex("0f")));
  const channel = new ReplayChannel(parseRecording(text));
  const heard: string[] = [];
  channel.start({ bytes: (bytes) => heard.push(toHex(bytes)), closed: () => {} });
  await new Promise(setImmediate);
  expect(heard).toEqual(["0f"]);
});

test("recording: a secret's octets are in no line, and a replay takes any octets in their place", async () => {
  const secret = new TextEncoder().encode("CANARY-8");
  const frame = `7e a000 ${toHex(secret)} beef 7e`;
  const text = record([secret], (tee, channel) => {
    tee.write(fromHex(frame));
    channel.say(fromHex(`01${toHex(secret)}02`));
  });
  expect(text).not.toContain(toHex(secret));
  expect(text).not.toContain("beef");
  expect(await replay(text, [`7e a000 ${"11".repeat(8)} abcd 7e`])).toEqual([`01${"2a".repeat(8)}02`, "complete"]);
  expect((await replay(text, [`7e a001 ${"11".repeat(8)} abcd 7e`]))[0]).toMatch(/RECORDING_DEVIATION/);
});

const LONG_SECRET = new TextEncoder().encode("CANARY-password-of-32-octets-abc");

test("recording: a secret that is cut between reads is in no line, wherever it is cut", () => {
  for (let cut = 1; cut < LONG_SECRET.length; cut++) {
    const text = record([LONG_SECRET], (tee, channel) => {
      for (const piece of [LONG_SECRET.subarray(0, cut), LONG_SECRET.subarray(cut)]) tee.write(piece);
      channel.say(Uint8Array.of(1, ...LONG_SECRET.subarray(0, cut)));
      channel.say(Uint8Array.of(...LONG_SECRET.subarray(cut), 2));
      channel.sink?.closed();
    });
    const hex = parseRecording(text).entries.flatMap((entry) => (entry.dir === "end" ? [] : [toHex(entry.octets)]));
    const rest = LONG_SECRET.length - cut;
    expect(hex).toEqual([blank(cut), blank(rest), `01${blank(cut)}`, `${blank(rest)}02`]);
  }
});

test.each([1, 3, 7, 31])(
  "recording: a secret that is cut into frames of %i octets is in no line, even when a frame comes twice",
  (length) => {
    const information = Uint8Array.of(0xe6, 0xe6, 0, 0xc1, ...LONG_SECRET, 0xff);
    const route = { destination: hdlcAddress(1), source: hdlcAddress(16) };
    const frames: Uint8Array[] = [];
    for (let from = 0; from < information.length; from += length) {
      const segmented = from + length < information.length;
      const control = { type: "I", ns: frames.length % 8, nr: 0, pollFinal: true } as const;
      frames.push(
        encodeHdlcFrame({ ...route, control, segmented, information: information.subarray(from, from + length) }),
      );
    }
    const twice = frames.flatMap((frame, index) => (index % 3 === 1 ? [frame, frame] : [frame]));
    for (const [sent, pieces] of [
      ["whole", twice],
      ["octetwise", twice.flatMap((frame) => Array.from(frame, (octet) => Uint8Array.of(octet)))],
    ] as const) {
      const text = record([LONG_SECRET], (tee, channel) => {
        for (const piece of pieces) tee.write(piece);
        channel.sink?.closed();
      });
      const octets = parseRecording(text).entries.flatMap((entry) =>
        entry.dir === "end" ? [] : Array.from(entry.octets),
      );
      // Each octet of the information that is not the secret's is there; of the secret's, none.
      const lengths = twice.map((frame) => frame.length);
      expect([sent, octets.length]).toEqual([sent, lengths.reduce((sum, each) => sum + each, 0)]);
      const kept = twice.flatMap((frame, index) => {
        const offset = lengths.slice(0, index).reduce((sum, each) => sum + each, 0);
        const { information: part = new Uint8Array(0) } = decodeHdlcFrame(frame)?.frame ?? {};
        const from = offset + part.byteOffset - frame.byteOffset;
        return octets.slice(from, from + part.length).filter((octet) => octet !== BLANK);
      });
      expect([sent, kept.filter((octet) => LONG_SECRET.includes(octet))]).toEqual([sent, []]);
    }
  },
);

test("recording: when a session ends in the middle of a secret, its beginning is blanked", () => {
  const text = record([LONG_SECRET], (tee, channel) => {
    tee.write(LONG_SECRET.subarray(0, 10));
    channel.sink?.closed();
  });
  expect(text).toContain("2a".repeat(10));
});

test("recording: what only begins like a secret is written as it was, in order", () => {
  const text = record([LONG_SECRET], (tee, channel) => {
    tee.write(LONG_SECRET.subarray(0, 2));
    channel.say(Uint8Array.of(1));
    tee.write(Uint8Array.of(0x43));
    channel.say(Uint8Array.of(2));
    channel.sink?.closed();
  });
  const { entries } = parseRecording(text);
  expect(entries.map((entry) => (entry.dir === "end" ? "end" : entry.dir + toHex(entry.octets)))).toEqual([
    "tx4341",
    "rx01",
    "tx43",
    "rx02",
    "end",
  ]);
});

test("recording: a writer that throws does not disturb the session", () => {
  const channel = new TestChannel();
  const tee = new RecordingTee(channel, {
    header: HEADER,
    writeLine: () => {
      throw new Error("disk full");
    },
  });
  tee.start({ bytes: () => {}, closed: () => {} });
  tee.write(Uint8Array.of(1));
  expect(channel.written).toEqual([Uint8Array.of(1)]);
});

const HEAD = '{"recording":1,"peer":"p","version":"1","command":"c"}';
test.each([
  ["", 1],
  ["{", 1],
  ['{"recording":2,"peer":"p","version":"1","command":"c"}', 1],
  ['{"recording":1,"peer":"p","version":"1"}', 1],
  ['{"recording":1,"peer":"p","version":"1","command":"c","settings":{"a":[]}}', 1],
  [`${HEAD}\n[]`, 2],
  [`${HEAD}\n{"t":1,"dir":"tx","hex":"0"}`, 2],
  [`${HEAD}\n{"t":1,"dir":"tx","hex":"00","blanked":[[1]]}`, 2],
  [`${HEAD}\n{"t":1,"dir":"up","hex":"00"}`, 2],
  [`${HEAD}\n{"t":1,"dir":"rx","hex":"00"}\n{"dir":"rx","hex":"00"}`, 3],
])("recording: %s is refused with its line", (text, line) => {
  expect(() => parseRecording(text)).toThrow(
    expect.objectContaining({ code: "RECORDING_INVALID", at: expect.objectContaining({ line }) }),
  );
});

const BLANK = 0x2a;

function blank(count: number): string {
  return "2a".repeat(count);
}
