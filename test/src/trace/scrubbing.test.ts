import { expect, test } from "vitest";
import type { RecordingEntry } from "../../../drivers/recording/recording.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { decodeHdlcFrame, encodeHdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import { Pseudonyms } from "../../../src/trace/pseudonyms.ts";
import { scrubEntries, scrubText } from "../../../src/trace/scrubbing.ts";

const PSEUDONYMS = new Pseudonyms(new Uint8Array(32).fill(7));
const TITLE = fromHex("534d540000002717");
const IDENTITY = { names: ["SMT10007", "feeder-7"], systemTitles: [TITLE] };

function entry(octets: Uint8Array): RecordingEntry {
  return { tMs: 0, dir: "rx", octets, blanked: [] };
}

function octetsOf(entries: readonly RecordingEntry[]): Uint8Array {
  return new Uint8Array(Buffer.concat(entries.flatMap((each) => (each.dir === "end" ? [] : [each.octets]))));
}

test("pseudonyms: of the same form, the same each time, others under another salt", () => {
  expect(PSEUDONYMS.of("SMT10007")).toMatch(/^[A-Z]{3}\d{5}$/);
  expect(PSEUDONYMS.of("SMT10007")).toBe(PSEUDONYMS.of("SMT10007"));
  expect(new Pseudonyms(new Uint8Array(32)).of("SMT10007")).not.toBe(PSEUDONYMS.of("SMT10007"));
  expect(toHex(PSEUDONYMS.ofSystemTitle(TITLE))).toMatch(/^534d54/);
});

test("scrubbing: numbers as text, packed digits and integers, titles as told, wherever a read cuts them", () => {
  const unknown = "4b464d1020304050";
  const hex = `${toHex(new TextEncoder().encode("xSMT10007y10007"))}0100070000002717a40a0408${unknown}534d540000002717`;
  const whole = fromHex(hex);
  for (let cut = 1; cut < whole.length; cut++) {
    const scrubbed = scrubEntries([entry(whole.slice(0, cut)), entry(whole.slice(cut))], IDENTITY, PSEUDONYMS);
    const text = toHex(octetsOf(scrubbed));
    expect(text).toHaveLength(hex.length);
    expect(text).not.toContain(toHex(new TextEncoder().encode("10007")));
    for (const gone of ["010007", "00002717", unknown, toHex(TITLE)]) expect(text).not.toContain(gone);
  }
});

function frame(information: string): Uint8Array {
  return encodeHdlcFrame({
    destination: hdlcAddress(1, 17),
    source: hdlcAddress(16),
    control: { type: "I", ns: 0, nr: 0, pollFinal: true },
    segmented: true,
    information: new TextEncoder().encode(information),
  });
}

test("scrubbing: a number that two frames of HDLC share is found, and their checks fit again", () => {
  const [first, second] = [frame("serial SMT1"), frame("0007 end")];
  const scrubbed = octetsOf(scrubEntries([entry(first), entry(second)], IDENTITY, PSEUDONYMS));
  const one = decodeHdlcFrame(scrubbed);
  const two = decodeHdlcFrame(scrubbed.subarray(first.length));
  const said = [one, two].map((each) => new TextDecoder().decode(each?.frame.information)).join("");
  expect(said).toBe(`serial ${PSEUDONYMS.of("SMT10007")} end`);
});

test("scrubbing: words for people have the same pseudonyms", () => {
  expect(scrubText("tcp 10.0.0.9:4059, meter SMT10007", ["10.0.0.9", "SMT10007"], PSEUDONYMS)).toBe(
    `tcp ${PSEUDONYMS.of("10.0.0.9")}:4059, meter ${PSEUDONYMS.of("SMT10007")}`,
  );
});

test("scrubbing: a number that looks like the header of a wrapper changes none", () => {
  const header = "0001000100300006";
  const frames = fromHex(`${header}c40100010001${header}c40100010001`);
  const identity = { names: ["65537"], systemTitles: [] };
  const scrubbed = toHex(octetsOf(scrubEntries([entry(frames)], identity, PSEUDONYMS)));
  expect(scrubbed.split(header)).toHaveLength(3);
  expect(scrubbed).not.toContain("c40100010001");
});
