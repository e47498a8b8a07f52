import fc from "fast-check";
import { expect, test } from "vitest";
import { APDUS } from "../../../protocol/apdu/registry.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { encodeHdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import { treeJson, treeLines } from "../../../protocol/translate/render.ts";
import { LAYERS, type Layer, type Translation, translate } from "../../../protocol/translate/translate.ts";
import type { TreeNode } from "../../../protocol/translate/tree.ts";
import { FIELD_APDUS, OWN_APDUS } from "../apdu/corpus-apdus.ts";

function lines(hex: string, options?: Parameters<typeof translate>[1]): string[] {
  return treeLines(translate(fromHex(hex), options).nodes);
}

/** What is wrong with the places of a tree: a child outside its parent, octets that are not where they say. */
function misplaced(bytes: Uint8Array, nodes: readonly TreeNode[], within: readonly [number, number]): string[] {
  return nodes.flatMap((node) => {
    const { name, offset, length, octets, error, children = [] } = node;
    if (name === "deciphered" || name === "joined" || error) return [];
    const [start, end] = within;
    const fits = offset >= start && offset + length <= end;
    const shown =
      octets === undefined ||
      bytes
        .subarray(offset)
        .subarray(0, octets.length)
        .every((octet, i) => octet === octets[i]);
    // An unfinished node knows where it begins only.
    const inner = length === 0 ? within : ([offset, offset + length] as const);
    const own = fits && shown ? [] : [`${name} at ${offset}, ${length} octets`];
    return own.concat(misplaced(bytes, children, inner));
  });
}

function check(bytes: Uint8Array, translation: Translation): string[] {
  JSON.stringify(translation.nodes.map(treeJson));
  treeLines(translation.nodes);
  return misplaced(bytes, translation.nodes, [0, bytes.length]);
}

test("translate: an APDU shows each field with its place and meaning", () => {
  expect(lines("c001c10008 0000010000ff 0200")).toEqual([
    " 0  c0                 get-request            normal",
    " 2  c1                   invokeIdAndPriority  id 1, confirmed, high priority",
    " 3                       attribute",
    " 3  00 08                  classId            8 (Clock)",
    " 5  00 00 01 00 00 ff      logicalName        0-0:1.0.0*255",
    "11  02                     attributeId        2 (time)",
    "12  00                   access               absent",
  ]);
});

test("translate: Data shows dates, texts, scalers with units, and what compact arrays hold", () => {
  expect(lines("c401c10002020ffe161b").slice(3)).toEqual([
    "4             data               structure of 2: ×10^-2 W",
    "6  0f fe        [0]              integer -2",
    "8  16 1b        [1]              enum 27",
  ]);
  expect(lines("090c07e80a0f020c1e00ffffc480")).toEqual([
    "0  09 0c 07 e8 0a 0f 02 0c …  data  octet-string 07e80a0f020c1e00ffffc480 2024-10-15 12:30:00 UTC+01:00 status 80",
  ]);
  expect(lines("0904 4b464d31")).toEqual(['0  09 04 4b 46 4d 31  data  octet-string 4b464d31 "KFM1"']);
  expect(lines("13 02021211 06 00010a 00020b")).toEqual([
    "0  data     compact-array, 6 octets",
    "0    [0]    structure of 2",
    "0      [0]  long-unsigned 1",
    "0      [1]  unsigned 10",
    "0    [1]    structure of 2",
    "0      [0]  long-unsigned 2",
    "0      [1]  unsigned 11",
  ]);
});

test("translate: a frame shows its fields, its checks, the LLC header and the APDU inside", () => {
  const frame = encodeHdlcFrame({
    destination: hdlcAddress(1, 17),
    source: hdlcAddress(16),
    control: { type: "I", ns: 0, nr: 1, pollFinal: true },
    segmented: false,
    information: fromHex("e6e700c501c100"),
  });
  const rows = treeLines(translate(frame).nodes);
  expect(rows.map((row) => row.replace(/ +/g, " ").trim())).toEqual([
    "0 hdlc-frame",
    "1 a0 11 format type 10, length 17",
    "3 02 23 destination 1/17",
    "5 21 source 16",
    "6 30 control I, ns 0, nr 1, poll/final",
    expect.stringMatching(/^7 .. .. headerCheck right$/),
    "9 information",
    "9 e6 e7 00 llc",
    "12 c5 set-response normal",
    "14 c1 invokeIdAndPriority id 1, confirmed, high priority",
    "15 00 result success",
    expect.stringMatching(/^16 .. .. frameCheck right$/),
  ]);
  frame[15] = 0x03;
  const damaged = translate(frame);
  expect(damaged.damaged).toBe(true);
  expect(treeLines(damaged.nodes).join("\n")).toMatch(
    /result +read-write-denied\n.*frameCheck +wrong\n.*FRAME_CHECK_WRONG/,
  );
});

test("translate: segments are joined, and their APDU has offsets of its own", () => {
  const parts = ["e6e700c4", "01c1000903", "313233"].map((hex, index) =>
    encodeHdlcFrame({
      destination: hdlcAddress(16),
      source: hdlcAddress(1),
      control: { type: "I", ns: index, nr: 1, pollFinal: true },
      segmented: index < 2,
      information: fromHex(hex),
    }),
  );
  const octets = parts.map(toHex).join("");
  const rows = lines(octets).map((row) => row.replace(/ +/g, " ").trim());
  expect(rows.slice(rows.indexOf("0 joined 3 segments"))).toEqual([
    "0 joined 3 segments",
    "0 e6 e7 00 llc",
    "3 c4 get-response normal",
    "5 c1 invokeIdAndPriority id 1, confirmed, high priority",
    "6 result data",
    '7 09 03 31 32 33 data octet-string 313233 "123"',
  ]);
});

test("translate: a wrapper shows its ports and the APDU inside", () => {
  expect(lines("0001 0001 0010 0004 c501c100")).toEqual([
    " 0         wrapper",
    " 0  00 01    version                1",
    " 2  00 01    sourceWPort            1",
    " 4  00 10    destinationWPort       16",
    " 6  00 04    length                 4",
    " 8  c5       set-response           normal",
    "10  c1         invokeIdAndPriority  id 1, confirmed, high priority",
    "11  00         result               success",
  ]);
});

test("translate: damaged octets show what could be read, then the error at its place", () => {
  const { damaged, nodes } = translate(fromHex("c401c1000203 1105 09"));
  expect(damaged).toBe(true);
  expect(treeLines(nodes)).toEqual([
    "0  c4     get-response           normal",
    "2  c1       invokeIdAndPriority  id 1, confirmed, high priority",
    "3           result               data",
    "4             data               structure of 3",
    "6  11 05        [0]              unsigned 5",
    "8               [1]",
    "9               !                DATA_TRUNCATED: the octets end before the value does offset=9 wanted=1 left=0",
  ]);
});

const AARQ =
  "6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738be10040e01000000065f1f0400007e1f04b0";

test("translate: a password is hidden unless it is asked for", () => {
  const hidden = translate(fromHex(AARQ));
  expect(JSON.stringify(hidden.nodes.map(treeJson))).not.toContain("3132333435363738");
  expect(treeLines(hidden.nodes).join("\n")).not.toContain("31 32 33");
  expect(treeLines(translate(fromHex(AARQ), { secrets: "show" }).nodes).join("\n")).toContain('"12345678"');
});

test("translate: user-information is shown as the APDU it is", () => {
  const text = lines(AARQ).join("\n");
  expect(text).toMatch(/mechanismName +lls/);
  expect(text).toMatch(/initiate-request/);
  expect(text).toMatch(/clientMaxReceivePduSize +1200/);
});

test("translate: a ciphered APDU shows its security header and, deciphered, the plain one", () => {
  const ciphered = fromHex("c81e3000000001c127d5a77f336428d12f8cc44afd89295e4b0cc8bc573abc45");
  const plain = fromHex("c0010000080000010000ff0200");
  const text = treeLines(translate(ciphered, { decipher: () => plain }).nodes).join("\n");
  expect(text).toMatch(/securityControl +suite 0, authenticated, encrypted/);
  expect(text).toMatch(/deciphered\n.*get-request/);
  const wrong = translate(ciphered, {
    decipher: () => {
      throw new DlmsError("SECURITY_TAG_MISMATCH", "peer");
    },
  });
  expect(wrong.damaged).toBe(true);
  const keyless = translate(ciphered, {
    decipher: () => {
      throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "blockCipherKey" });
    },
  });
  expect(keyless.damaged).toBe(false);
  expect(treeLines(keyless.nodes).join("\n")).toContain("SECURITY_KEY_MISSING");
});

test("translate: what octets are is found out, and can be said", () => {
  const cases: readonly (readonly [string, Layer])[] = [
    ["7ea00703219393 0f017e", "hdlc"],
    ["0001000100100004c501c100", "wrapper"],
    ["e6e700c501c100", "llc"],
    ["c501c100", "apdu"],
    ["0502", "apdu"],
    ["0600001391", "data"],
    ["02021105", "data"],
    ["ee", "data"],
  ];
  expect(cases.map(([hex]) => [hex, translate(fromHex(hex)).layer])).toEqual(cases);
  // Two readings are whole here: short name referencing is believed, unless Data is asked for.
  expect(translate(fromHex("050102fa00")).nodes[0]?.name).toBe("read-request");
  expect(lines("050102fa00", { layer: "data" })).toEqual(["0  05 01 02 fa 00  data  double-long 16972288"]);
});

test("translate: our own cases and every cut of them give trees whose nodes are in their places", () => {
  const faults = OWN_APDUS.flatMap(({ id, hex, outcome }) => {
    const bytes = fromHex(hex);
    const whole = translate(bytes, { layer: "apdu" });
    const cuts = Array.from(bytes.keys()).flatMap((length) => {
      const cut = bytes.subarray(0, length);
      return check(cut, translate(cut));
    });
    const damage = whole.damaged === (outcome === "reject") ? [] : [`${id}: damaged is ${whole.damaged}`];
    return damage.concat(check(bytes, whole), cuts);
  });
  expect(faults).toEqual([]);
});

test.skipIf(FIELD_APDUS === undefined)(
  "translate: field cases give trees whose nodes are in their places (needs ../shared/corpus/field)",
  () => {
    const faults = (FIELD_APDUS ?? []).flatMap(({ id, hex, outcome }) => {
      const bytes = fromHex(hex);
      const whole = translate(bytes, { layer: "apdu" });
      const damage = outcome === "reject" || !whole.damaged ? [] : [`${id}: damaged`];
      return damage.concat(check(bytes, whole));
    });
    expect(faults).toEqual([]);
  },
);

test("translate: arbitrary octets of any layer never throw", () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc
      .tuple(fc.constantFrom(...Object.values(APDUS).map(([tag]) => tag)), fc.uint8Array({ maxLength: 100 }))
      .map(([tag, rest]) => Uint8Array.of(tag, ...rest)),
    fc.uint8Array({ maxLength: 60 }).map((rest) => Uint8Array.of(0x7e, 0xa0, rest.length + 2, ...rest, 0x7e)),
  );
  const property = fc.property(octets, fc.constantFrom(undefined, ...LAYERS), (bytes, layer) => {
    const translation = translate(bytes, layer === undefined ? {} : { layer });
    return check(bytes, translation).length === 0;
  });
  const result = fc.check(property, { numRuns: 3000 });
  expect(fc.defaultReportMessage(result)).toBeUndefined();
});

test("translate: as many lines as there are", () => {
  const leaf = { name: "[0]", offset: 0, length: 1, value: "null-data" };
  expect(treeLines(Array.from({ length: 200_000 }, () => leaf))).toHaveLength(200_000);
});
