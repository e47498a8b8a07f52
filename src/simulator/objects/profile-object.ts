import type { ActionOutcome } from "../../../protocol/apdu/action.ts";
import type { DataResult, SelectiveAccess } from "../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import {
  type CaptureObject,
  captureObjectsToData,
  captureObjectToData,
} from "../../../protocol/cosem/capture-object.ts";
import type { Compression, ProfileDescription, SelectionDescription } from "../description.ts";
import type { MeterModel, Moment } from "../meter-model.ts";
import { bufferData } from "./profile-compression.ts";
import { type ProfileRows, profileRows } from "./profile-rows.ts";
import { BY_RANGE, type RowSelection, selectRows, tellsTime } from "./row-selection.ts";
import { found, type ObjectRequest, outcome, refused, type VirtualObject } from "./virtual-object.ts";

/** One column: what it captures, and its value at a moment. */
export interface ProfileColumn {
  readonly captures: CaptureObject;
  value(moment: Moment): Data;
}

export interface ProfileObjectOptions {
  readonly description: ProfileDescription;
  readonly columns: readonly ProfileColumn[];
  readonly model: MeterModel;
  readonly compression: Compression;
  readonly selection?: SelectionDescription;
}

const SORT_METHODS = { fifo: 1, lifo: 2 } as const;
const NO_OBJECT: CaptureObject = { classId: 0, logicalName: "0.0.0.0.0.0", attributeId: 0, dataIndex: 0 };
const DAY_S = 86_400;
/** A meter that stumbles does so at each range of this number. */
const STUMBLE_AT = 3;

/** Profile generic: rows of columns, computed when they are asked for. */
export class ProfileObject implements VirtualObject {
  readonly classId = 7;
  readonly version = 1;
  readonly logicalName: string;
  readonly attributeIds = [2, 3, 4, 5, 6, 7, 8];
  readonly writableIds: readonly number[] = [];
  readonly methodIds = [1, 2];
  readonly #options: ProfileObjectOptions;
  readonly #timeColumn: number;
  #ranges = 0;

  constructor(options: ProfileObjectOptions) {
    this.#options = options;
    this.logicalName = options.description.logicalName;
    this.#timeColumn = options.columns.findIndex(({ captures }) => tellsTime(captures));
  }

  value(attributeId: number, moment: Moment): Data | undefined {
    const { description, columns } = this.#options;
    switch (attributeId) {
      case 2:
        return this.#buffer(this.#rows(moment), undefined);
      case 3:
        return captureObjectsToData(columns.map(({ captures }) => captures));
      case 4:
        return { type: "double-long-unsigned", value: this.#periodS() };
      case 5:
        return { type: "enum", value: SORT_METHODS[description.sortMethod ?? "fifo"] };
      case 6:
        return captureObjectToData(columns[this.#timeColumn]?.captures ?? NO_OBJECT);
      case 7:
        return { type: "double-long-unsigned", value: this.#rows(moment).count };
      case 8:
        return { type: "double-long-unsigned", value: description.entries };
      default:
        return undefined;
    }
  }

  read(attributeId: number, access: SelectiveAccess | undefined, { moment }: ObjectRequest): DataResult {
    if (attributeId === 2 && access !== undefined) {
      if (this.#stumbles(access)) return refused("other-reason");
      const rows = this.#rows(moment);
      const { columns, model, description } = this.#options;
      const selection = selectRows(access, {
        rows,
        columns: columns.map(({ captures }) => captures),
        calendar: model.calendar,
        lifo: description.sortMethod === "lifo",
        ...(this.#options.selection && { habits: this.#options.selection }),
      });
      return typeof selection === "string" ? refused(selection) : found(this.#buffer(rows, selection));
    }
    if (access !== undefined) return refused("scope-of-access-violated");
    const value = this.value(attributeId, moment);
    return value === undefined ? refused("object-undefined") : found(value);
  }

  write(): "read-write-denied" {
    return "read-write-denied";
  }

  invoke(methodId: number): ActionOutcome {
    // A capture by hand adds nothing to rows that follow from the time, and history can't be erased.
    return outcome(this.methodIds.includes(methodId) ? "success" : "object-undefined");
  }

  #stumbles({ selector }: SelectiveAccess): boolean {
    if (selector !== BY_RANGE || this.#options.selection?.ranges !== "now-and-then-none") return false;
    return ++this.#ranges % STUMBLE_AT === 0;
  }

  #periodS(): number {
    const { description, model } = this.#options;
    if (description.capture.by === "period") return model.capturePeriodMs / 1000;
    return description.capture.by === "day" ? DAY_S : 0;
  }

  #rows(moment: Moment): ProfileRows {
    const { description, model } = this.#options;
    return profileRows(description.capture, description.entries, model, moment);
  }

  #buffer(rows: ProfileRows, selection: RowSelection | undefined): Data {
    const { columns, compression, description } = this.#options;
    const { from, to, columns: picked } = selection ?? { from: 0, to: rows.count, columns: columns.map((_, i) => i) };
    const values = picked.map((index) => columns[index]).filter((column) => column !== undefined);
    const captured = Array.from({ length: Math.max(0, to - from) }, (_, index) => {
      const moment = rows.at(from + index);
      return { atMs: moment.atMs, cells: values.map((column) => column.value(moment)) };
    });
    if (description.sortMethod === "lifo") captured.reverse();
    const clockColumns = new Set(values.flatMap(({ captures }, index) => (tellsTime(captures) ? [index] : [])));
    const direction = description.sortMethod === "lifo" ? -1 : 1;
    return bufferData(captured, compression, { clockColumns, periodMs: direction * this.#periodS() * 1000 });
  }
}
