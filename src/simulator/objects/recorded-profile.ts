import type { ActionOutcome } from "../../../protocol/apdu/action.ts";
import type { DataResult, SelectiveAccess } from "../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import { type Data, expandCompactArray } from "../../../protocol/axdr/data.ts";
import { captureObjectsFromData } from "../../../protocol/cosem/capture-object.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import type { ObjectDescription } from "../description.ts";
import type { MeterModel, Moment } from "../meter-model.ts";
import { DescribedObject } from "./described-object.ts";
import type { ProfileRows } from "./profile-rows.ts";
import { selectRows, tellsTime } from "./row-selection.ts";
import { found, type ObjectRequest, refused, type VirtualObject } from "./virtual-object.ts";

const BUFFER = 2;
const CAPTURE_OBJECTS = 3;
const CAPTURE_PERIOD = 4;
const SORT_METHOD = 5;
const LIFO = 2;

/** Profile generic whose rows were recorded from a real meter: they stay as they were, selective access included. */
export class RecordedProfile implements VirtualObject {
  readonly classId = 7;
  readonly version: number;
  readonly logicalName: string;
  readonly attributeIds: readonly number[];
  readonly writableIds: readonly number[] = [];
  readonly methodIds: readonly number[] = [];
  readonly #recorded: DescribedObject;
  readonly #model: MeterModel;

  constructor(description: ObjectDescription, model: MeterModel) {
    this.#recorded = new DescribedObject(description, model, new Map());
    this.#model = model;
    this.version = description.version;
    this.logicalName = description.logicalName;
    this.attributeIds = this.#recorded.attributeIds;
  }

  value(attributeId: number, moment: Moment): Data | undefined {
    return this.#recorded.value(attributeId, moment);
  }

  read(attributeId: number, access: SelectiveAccess | undefined, request: ObjectRequest): DataResult {
    if (attributeId !== BUFFER || access === undefined) return this.#recorded.read(attributeId, access, request);
    return this.#select(access, request.moment);
  }

  write(): DataAccessResult {
    return "read-write-denied";
  }

  invoke(): ActionOutcome {
    // Rows that were recorded stay as they are.
    return { result: "object-unavailable" };
  }

  #select(access: SelectiveAccess, moment: Moment): DataResult {
    const recorded = this.#rows(moment);
    const lifo = this.#number(SORT_METHOD, moment) === LIFO;
    const cells = lifo ? recorded.toReversed() : recorded;
    const columns = captureObjectsFromData(this.value(CAPTURE_OBJECTS, moment) ?? { type: "array", value: [] });
    const rows = this.#timed(cells, columns.findIndex(tellsTime), this.#number(CAPTURE_PERIOD, moment));
    const { selection: habits } = this.#model.description;
    const calendar = this.#model.calendar;
    const selection = selectRows(access, { rows, columns, calendar, lifo, ...(habits && { habits }) });
    if (typeof selection === "string") return refused(selection);
    const picked = cells.slice(selection.from, Math.max(selection.from, selection.to)).map((row): Data => {
      const value = selection.columns.map((column): Data => row[column] ?? { type: "null-data" });
      return { type: "structure", value };
    });
    return found({ type: "array", value: lifo ? picked.toReversed() : picked });
  }

  #rows(moment: Moment): readonly (readonly Data[])[] {
    const buffer = this.value(BUFFER, moment);
    const rows =
      buffer?.type === "compact-array" ? expandCompactArray(buffer) : buffer?.type === "array" ? buffer.value : [];
    return rows.map((row) => (row.type === "structure" ? row.value : [row]));
  }

  /** A row without a stamp of its own was taken one period after the row before. */
  #timed(cells: readonly (readonly Data[])[], timeColumn: number, periodS: number): ProfileRows {
    const instants: number[] = [];
    for (const row of cells) {
      const stamp = row[timeColumn];
      const own =
        stamp?.type === "octet-string" || stamp?.type === "date-time" ? this.#instant(stamp.value) : undefined;
      instants.push(own ?? (instants.at(-1) ?? 0) + periodS * 1000);
    }
    return { count: cells.length, at: (index) => ({ atMs: instants[index] ?? 0 }) };
  }

  #instant(octets: Uint8Array): number | undefined {
    return octets.length === 12 ? this.#model.calendar.instant(octets) : undefined;
  }

  #number(attributeId: number, moment: Moment): number {
    const value = this.value(attributeId, moment);
    return (value && integerOf(value)) ?? 0;
  }
}
