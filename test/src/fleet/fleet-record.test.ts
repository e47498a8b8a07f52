import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FleetRecord, readFleetRecord, writeFleetRecord } from "../../../src/fleet/fleet-record.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-record-"));
});
afterAll(async () => rm(directory, { recursive: true, force: true }));

const LAYOUT = {
  lists: new Map([["0.0.25.9.0.255", [{ classId: 3, logicalName: "1.0.1.8.0.255", attributeId: 2, dataIndex: 0 }]]]),
  scalers: [{ classId: 3, logicalName: "1.0.1.8.0.255", scalerUnit: { scaler: -1, unit: 30 } }],
  profiles: new Map(),
};
const READ_AT = new Date("2026-03-04T05:06:07Z");
const RECORD: FleetRecord = {
  capabilities: {
    edition: "postgresql",
    serverVersion: "18.4",
    timescaleVersion: undefined,
    hypertables: false,
    continuousAggregates: false,
    compression: false,
    policies: false,
  },
  added: [
    { name: "feeder-9", number: "N2", settings: { name: "feeder-9", number: "N2", connection: { callsIn: true } } },
  ],
  collections: new Map([
    ["large", new Set([1, 2])],
    ["none", undefined],
  ]),
  meters: [1, 2].map((key) => ({
    id: `00000000-0000-0000-0000-00000000000${key}`,
    key,
    number: `N${key}`,
    name: `Zähler "${key}"`,
    type: "",
    companion: "idis",
    timeZone: "Europe/Berlin",
    systemTitle: key === 1 ? Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) : undefined,
    aliases: key === 1 ? ["alias"] : [],
  })),
  pushLayouts: new Map([
    [1, [{ layout: LAYOUT, firmware: "1.2", readAt: READ_AT }]],
    [2, [{ layout: LAYOUT, firmware: undefined, readAt: READ_AT }]],
  ]),
  sealedKeys: [
    {
      meterId: "00000000-0000-0000-0000-000000000001",
      clientSap: 1,
      role: "blockCipherKey",
      version: 2,
      state: "active",
      sealed: Uint8Array.of(9, 8, 7),
    },
  ],
};

test("fleet record: what was written is read, and meters share a layout again", async () => {
  const path = join(directory, "whole");
  await writeFleetRecord(path, RECORD);
  const read = await readFleetRecord(path);
  expect(read).toEqual(RECORD);
  expect(read?.pushLayouts.get(1)?.[0]?.layout).toBe(read?.pushLayouts.get(2)?.[0]?.layout);
});

test("fleet record: one that is cut anywhere, or has a flipped bit, is as good as none", async () => {
  const path = join(directory, "cut");
  expect(await readFleetRecord(path)).toBeUndefined();
  await writeFleetRecord(path, RECORD);
  const octets = await readFile(path);
  for (let length = 0; length < octets.length - 1; length += 7) {
    await writeFile(path, octets.subarray(0, length));
    expect(await readFleetRecord(path)).toBeUndefined();
  }
  for (let at = 0; at < octets.length - 1; at += 5) {
    const damaged = Uint8Array.from(octets);
    damaged[at] = (damaged[at] ?? 0) ^ 0x02;
    await writeFile(path, damaged);
    expect(await readFleetRecord(path)).toBeUndefined();
  }
});
