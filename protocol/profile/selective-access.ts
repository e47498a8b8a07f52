/** Selective access to a profile's buffer (Profile generic, attribute 2): a part of it by time or by position. */
import type { SelectiveAccess } from "../apdu/descriptors.ts";
import type { Data } from "../axdr/data.ts";
import { type CaptureObject, captureObjectToData } from "../cosem/capture-object.ts";

const BY_RANGE = 1;
const BY_ENTRY = 2;
/** An empty list of columns selects all of them. */
const ALL_COLUMNS: Data = { type: "array", value: [] };
/** The highest entry, or the last column, whichever number that is. */
const TO_THE_END = 0;

export interface RangeOfTime {
  /** The column that the range is of, exactly as it stands in the capture objects: nearly always the clock. */
  readonly restrictingObject: CaptureObject;
  /** COSEM date-times of 12 octets, both inclusive. */
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** Rows whose stamp is in a range of time. */
export function rangeAccess({ restrictingObject, from, to }: RangeOfTime): SelectiveAccess {
  return {
    selector: BY_RANGE,
    parameters: {
      type: "structure",
      value: [
        captureObjectToData(restrictingObject),
        { type: "octet-string", value: from },
        { type: "octet-string", value: to },
        ALL_COLUMNS,
      ],
    },
  };
}

/** Rows by position, counted from 1 in the order of the buffer; `to` 0 is the last. All columns. */
export function entryAccess(from: number, to: number = TO_THE_END): SelectiveAccess {
  return {
    selector: BY_ENTRY,
    parameters: {
      type: "structure",
      value: [
        { type: "double-long-unsigned", value: from },
        { type: "double-long-unsigned", value: to },
        { type: "long-unsigned", value: 1 },
        { type: "long-unsigned", value: TO_THE_END },
      ],
    },
  };
}
