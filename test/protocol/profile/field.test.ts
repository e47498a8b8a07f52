/** Captures of other projects, read in place: they are not part of this repository and the tests are skipped without. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeApdu } from "../../../protocol/apdu/apdu.ts";
import { dataFromBytes } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import { objectListFromData } from "../../../protocol/cosem/object-list.ts";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import { decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { profileLayout } from "../../../protocol/profile/layout.ts";

interface FieldCase {
  readonly id: string;
  readonly input: {
    readonly hex?: string;
    readonly blocks?: readonly string[];
    readonly apdus?: readonly string[];
    readonly captureObjects?: readonly { classId: number; obis: string; attribute: number }[];
    readonly capturePeriodSeconds?: number;
  };
  readonly expect: {
    readonly stated?: { readonly rows?: number };
    readonly derived: {
      readonly rowTimestamps?: readonly string[];
      readonly objects?: number;
      readonly completeRows?: number;
      readonly declaredRows?: number;
      readonly data?: { readonly v: readonly { readonly v: readonly unknown[] }[] };
    };
  };
}

const FILE = join(import.meta.dirname, "../../../../shared/corpus/field/profiles.json");
const isThere = existsSync(FILE);
const cases: readonly FieldCase[] = isThere ? (JSON.parse(readFileSync(FILE, "utf8")) as FieldCase[]) : [];
const clock = { deviation: "standard", zone: namedZone("Asia/Kathmandu") } as const;

/** A clock and so many values that nothing is known of. */
function unknownObjects(width: number): CaptureObject[] {
  return Array.from({ length: width }, (_, index) => {
    const classId = index === 0 ? 8 : 1;
    return { classId, logicalName: `0.0.${index === 0 ? 1 : 96}.0.${index}.255`, attributeId: 2, dataIndex: 0 };
  });
}

function blocksOf({ input }: FieldCase): Uint8Array {
  const raw = (input.apdus ?? []).flatMap((hex) => {
    const apdu = decodeApdu(fromHex(hex));
    if (apdu.apdu !== "get-response" || apdu.body.type !== "with-datablock") return [];
    const { result } = apdu.body.block;
    return result.type === "raw-data" ? Array.from(result.rawData) : [];
  });
  return Uint8Array.from(raw);
}

test.skipIf(!isThere)("field profiles: whole buffers give the rows and stamps that their sources state", () => {
  const buffers = cases.filter(({ id, input }) => input.hex !== undefined && /buffer|loadprofile/.test(id));
  expect(buffers.length).toBeGreaterThan(1);
  for (const { input, expect: wanted } of buffers) {
    const width = wanted.derived.data?.v[0]?.v.length ?? 0;
    const listed = input.captureObjects?.map(({ classId, obis, attribute }): CaptureObject => {
      return { classId, logicalName: obis, attributeId: attribute, dataIndex: 0 };
    });
    const layout = profileLayout({
      captureObjects: listed ?? unknownObjects(width),
      capturePeriodS: input.capturePeriodSeconds ?? 0,
      sortMethod: 1,
    });
    const decoded = decodeProfileBuffer(fromHex(input.hex ?? ""), layout, { clock });
    expect(decoded.rowCount).toBe(wanted.stated?.rows);
    const stamps = wanted.derived.rowTimestamps?.map((text) => Date.parse(text));
    expect(stamps ?? [...(decoded.clock?.instantsMs ?? [])]).toEqual([...(decoded.clock?.instantsMs ?? [])]);
    expect(decoded.rejected).toEqual([]);
  }
});

test.skipIf(!isThere)("field profiles: blocks of transfers that break off give all their whole rows", () => {
  const transfers = cases.filter(({ input }) => input.apdus !== undefined);
  expect(transfers.length).toBeGreaterThan(2);
  for (const each of transfers) {
    const octets = blocksOf(each);
    const width = octets[octets[1] === undefined || octets[1] < 0x80 ? 3 : octets[1] - 0x80 + 3] ?? 0;
    const layout = profileLayout({ captureObjects: unknownObjects(width) });
    const decoded = decodeProfileBuffer(octets, layout, { clock, keepWholeRows: true });
    const { completeRows, declaredRows } = each.expect.derived;
    expect(decoded.rowCount).toBe(completeRows);
    expect(decoded.rejected).toEqual([]);
    expect(decoded.brokenOff?.code).toBe(completeRows === declaredRows ? undefined : "DATA_TRUNCATED");
  }
});

test.skipIf(!isThere)("field profiles: an object list over many blocks gives all its objects", () => {
  const lists = cases.filter(({ input }) => input.blocks !== undefined);
  expect(lists.length).toBeGreaterThan(0);
  for (const { input, expect: wanted } of lists) {
    const list = objectListFromData(dataFromBytes(fromHex((input.blocks ?? []).join(""))));
    expect(list).toHaveLength(wanted.derived.objects ?? 0);
    expect(list.every(({ attributes }) => attributes[0]?.id === 1)).toBe(true);
  }
});
