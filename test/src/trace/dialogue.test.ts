import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRecording } from "../../../drivers/recording/recording.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { Dialogue, type TracedFrame } from "../../../src/trace/dialogue.ts";
import { frameLines } from "../../../src/trace/frame-text.ts";
import { frameLineOf } from "../../../src/trace/trace-line.ts";

const RECORDINGS = join(import.meta.dirname, "../../recordings");
/** Peers end these too early. */
const DAMAGED_BY_PEERS = new Set(["rlre", "set-response datablock"]);
const names = globSync("*.jsonl", { cwd: RECORDINGS });

function framesOf(name: string, cut = Number.POSITIVE_INFINITY): TracedFrame[] {
  const { entries } = parseRecording(readFileSync(join(RECORDINGS, name), "utf8"));
  const dialogue = new Dialogue();
  return entries.flatMap((entry) => {
    if (entry.dir === "end") return dialogue.finish(entry.tMs);
    const frames: TracedFrame[] = [];
    for (let at = 0; at < entry.octets.length; at += cut) {
      frames.push(...dialogue.push({ ...entry, octets: entry.octets.subarray(at, at + cut), blanked: [] }));
    }
    return frames;
  });
}

test.each(names)("dialogue: every frame of %s is whole and said in words, however it was cut", (name) => {
  const frames = framesOf(name);
  expect(frames.length).toBeGreaterThan(8);
  const damaged = new Set(frames.flatMap((frame) => (frame.damaged ? [frame.says] : [])));
  expect(damaged.isSubsetOf(DAMAGED_BY_PEERS)).toBe(true);
  expect(frames.map(({ says }) => says)).toContain("aare accepted");
  expect(framesOf(name, 1).map(({ says, link }) => [says, link])).toEqual(frames.map(({ says, link }) => [says, link]));
});

test("dialogue: segments of HDLC, blocks of data and general blocks come together", () => {
  const says = framesOf("gurux-c-hdlc-lls.jsonl").map((frame) => frame.says);
  expect(says).toContain("get-response with-datablock");
  expect(says.filter((each) => /^data of \d{3,} octets$/.test(each)).length).toBeGreaterThan(0);
  const general = framesOf("gurux-net-wrapper-hls-general-blocks.jsonl").map((frame) => frame.says);
  expect(general).toContain("general-block-transfer");
  expect(general).toContain("get-response normal data");
});

function isSegment({ dir, octets }: { readonly dir: string; readonly octets: Uint8Array }): boolean {
  return dir === "rx" && octets[0] === 0x7e && ((octets[1] ?? 0) & 0x08) !== 0;
}

test("dialogue: segments that broke off are no part of what comes on the next connection", () => {
  const entries = parseRecording(readFileSync(join(RECORDINGS, "gurux-c-hdlc-lls.jsonl"), "utf8")).entries;
  const pieces = entries.flatMap((entry) => (entry.dir === "end" ? [] : [{ ...entry, blanked: [] }]));
  const whole = framesOf("gurux-c-hdlc-lls.jsonl").map(({ says }) => says);
  const segment = pieces.findIndex(isSegment);
  expect(segment).toBeGreaterThan(0);
  const dialogue = new Dialogue();
  const broken = pieces.slice(0, segment + 1).flatMap((piece) => dialogue.push(piece));
  const next = pieces.flatMap((piece) => dialogue.push(piece)).map(({ says }) => says);
  expect(broken.length).toBeGreaterThan(4);
  expect(next).toEqual(whole);
});

test("dialogue: octets that are no frame are shown as they are, with the frames around them", () => {
  const dialogue = new Dialogue();
  const octets = fromHex("2b43534f0d0a 0001001000010001 62 ff ff".replaceAll(" ", ""));
  expect(dialogue.push({ tMs: 0, dir: "rx", octets }).map(({ link, says }) => [link, says])).toEqual([
    ["text", '"+CSO\\r\\n"'],
    ["wrapper", "rlrq"],
    ["octets", "2 octets that are no frame"],
  ]);
});

test("dialogue: no octets make it throw", () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 6 });
  const shown = fc.property(pieces, (all) => {
    const dialogue = new Dialogue();
    const frames = all.flatMap((octets) => dialogue.push({ tMs: 0, dir: "rx", octets }));
    const octets = [...frames, ...dialogue.finish(1)].reduce((sum, frame) => sum + frame.octets.length, 0);
    // Flags between frames count for both, or for none.
    return octets <= 2 * all.reduce((sum, each) => sum + each.length, 0);
  });
  expect(() => fc.assert(shown)).not.toThrow();
});

test("frame text: fits the width, names both ends, and leaves out what the link says anyway", () => {
  const [aarq] = framesOf("gurux-c-wrapper-lls.jsonl");
  if (aarq === undefined) throw new Error("no frame");
  const lines = frameLines(frameLineOf(aarq), { width: 60, mostLines: 100, octets: true, startedAt: new Date(0) });
  expect(lines[0]).toBe("00:00:00.003  17 → 1  wrapper  aarq");
  expect(lines.filter((line) => line.length > 60)).toEqual([]);
  expect(lines.join("\n")).toContain("octets, hidden");
  expect(lines.join("\n")).not.toContain("sourceWPort");
});
