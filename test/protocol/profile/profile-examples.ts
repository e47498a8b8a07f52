/** Layouts of made-up profiles, and what of a decoded one is compared. */
import { type Data, dataToBytes } from "../../../protocol/axdr/data.ts";
import { toHex } from "../../../protocol/bytes/hex.ts";
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import { namedZone, UTC } from "../../../protocol/cosem/time-zone.ts";
import type { DecodedColumn } from "../../../protocol/profile/column.ts";
import type { DecodedProfile } from "../../../protocol/profile/decode.ts";
import { FIFO, type LayoutSource, profileLayout } from "../../../protocol/profile/layout.ts";

export const CLOCK = object(8, "0.0.1.0.0.255");
export const STATUS = object(1, "0.0.96.10.1.255");
export const IMPORT = object(3, "1.0.1.8.0.255");
export const EXPORT = object(3, "1.0.2.8.0.255");
export const utc = { clock: { deviation: "standard", zone: UTC } } as const;
export const berlin = { clock: { deviation: "standard", zone: namedZone("Europe/Berlin") } } as const;

export function object(classId: number, logicalName: string, attributeId = 2): CaptureObject {
  return { classId, logicalName, attributeId, dataIndex: 0 };
}

export function hourly(captureObjects: readonly CaptureObject[], more: Partial<LayoutSource> = {}) {
  return profileLayout({ captureObjects, capturePeriodS: 3600, sortMethod: FIFO, ...more });
}

export function numbers(column: DecodedColumn | undefined): (number | bigint | undefined)[] {
  if (column?.kind !== "number") throw new Error(`a ${column?.kind} column`);
  return Array.from(column.present, (present, row) => (present === 1 ? column.mantissas[row] : undefined));
}

/** What can be compared: the arrays' contents, without the views' places. */
export function comparable(decoded: DecodedProfile): unknown {
  return {
    rowCount: decoded.rowCount,
    rejected: decoded.rejected.map(({ index, data, error }) => [index, toHex(dataToBytes(data)), error.code]),
    columns: decoded.columns.map((column) => {
      switch (column.kind) {
        case "number":
          return [numbers(column).map(String), exceptionsOf(column.exceptions)];
        case "time":
          return [
            [...column.instantsMs],
            [...column.rules],
            [...column.sent],
            [...column.sent].map((sent, row) =>
              sent === 1 ? toHex(column.stamps.subarray(12 * row, 12 * row + 12)) : "",
            ),
            exceptionsOf(column.exceptions),
          ];
        case "data":
          return column.values.map((value) => (value === undefined ? undefined : toHex(dataToBytes(value))));
      }
    }),
  };
}

function exceptionsOf(exceptions: ReadonlyMap<number, Data>): unknown {
  return [...exceptions].sort(([one], [other]) => one - other).map(([row, data]) => [row, toHex(dataToBytes(data))]);
}
