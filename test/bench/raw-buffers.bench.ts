/** What keeping the octets of buffers costs beside writing their rows, and how many octets are kept. */
import { dataToBytes } from "../../protocol/axdr/data.ts";
import { dateTimeAt, encodeDateTime } from "../../protocol/cosem/date-time.ts";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { profileLayout } from "../../protocol/profile/layout.ts";
import { PROFILE_COLUMNS } from "../../src/profiles/columns.ts";
import { ProfileWriter } from "../../src/store/profiles/profile-writer.ts";
import { BufferKeeping, packBuffer, type RawBuffer, rowlessBatch } from "../../src/store/profiles/raw-buffers.ts";
import type { Bench } from "./bench.ts";
import { embeddedDatabase } from "./bench-database.ts";

const START_MS = Date.UTC(2026, 0, 1);
const SLOT_MS = 30 * 60 * 1000;
const ROWS = 48;
const GROUP = 104;
const REGISTERS = [
  "1.0.1.8.0.255",
  "1.0.2.8.0.255",
  "1.0.3.8.0.255",
  "1.0.9.8.0.255",
  "1.0.12.7.0.255",
  "1.0.11.7.0.255",
];

export const bench: Bench = {
  compares:
    "BufferKeeping alone with buffers of 48 rows and 6 values, 104 in a group, which is the octets of 5,000 rows; as rows a second, to be held against those of bench coverage, and the kept octets against the sent ones",
  unfair:
    "to nobody: there is no other writer; the buffers are those of equal meters and compress better than a fleet's",
  async run({ timeMs }) {
    await using stack = new AsyncDisposableStack();
    const { database } = await embeddedDatabase(stack, 2);
    const writer = new ProfileWriter(database, PROFILE_COLUMNS, [new BufferKeeping(database)]);
    const buffers = Array.from({ length: GROUP }, (_, meter) => bufferOf(meter + 1));
    await writer.write(batchesOf(buffers));
    let groups = 0;
    const beganMs = performance.now();
    while (performance.now() - beganMs < timeMs) {
      await writer.write(batchesOf(buffers));
      groups++;
    }
    const seconds = (performance.now() - beganMs) / 1000;
    const [size] = await database.query<{ kept: number }>(
      "select sum(octet_length(octets))::float8 / sum(cardinality(meter_keys))::float8 as kept from dlms.raw_buffers",
    );
    const { kept = 0 } = size ?? {};
    const sent = buffers.reduce((sum, { octets }) => sum + octets.length, 0) / GROUP;
    return {
      rows: [
        { task: "octets of rows kept", perSecond: (groups * GROUP * ROWS) / seconds, unit: "rows" },
        { task: "octets of a row as sent", perSecond: sent / ROWS, unit: "(not a rate)" },
        { task: "octets of a row as kept", perSecond: kept / ROWS, unit: "(not a rate)" },
      ],
      ratios: { "sent-to-kept": sent / kept },
    };
  },
};

/** Packing is part of what it costs. */
function batchesOf(buffers: readonly RawBuffer[]) {
  return buffers.map((buffer) => rowlessBatch(buffer, [packBuffer(buffer)]));
}

function bufferOf(meterKey: number): RawBuffer {
  let energy = meterKey * 7919;
  const rows = Array.from({ length: ROWS }, (_, slot) => {
    energy += (slot * 2654435761 + meterKey * 40503) % 900;
    const stamp = encodeDateTime(dateTimeAt(START_MS + slot * SLOT_MS, UTC));
    return {
      type: "structure" as const,
      value: [
        { type: "octet-string" as const, value: stamp },
        ...REGISTERS.map((_each, at) => ({ type: "double-long-unsigned" as const, value: energy + at * 977 })),
      ],
    };
  });
  const captureObjects = [
    { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 },
    ...REGISTERS.map((logicalName) => ({ classId: 3, logicalName, attributeId: 2, dataIndex: 0 })),
  ];
  return {
    form: "buffer",
    meterKey,
    profile: "block_load",
    source: "poll",
    receivedAt: new Date(START_MS),
    layout: profileLayout({ captureObjects, capturePeriodS: 1800 }),
    deviation: "standard",
    octets: dataToBytes({ type: "array", value: rows }),
  };
}
