import type { ActionOutcome } from "../../protocol/apdu/action.ts";
import type { DataResult, SelectiveAccess } from "../../protocol/apdu/descriptors.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import {
  type CaptureObject,
  captureObjectFromData,
  captureObjectKey,
  captureObjectsFromData,
  captureObjectsToData,
  captureObjectToData,
} from "../../protocol/cosem/capture-object.ts";
import { integerOf } from "../../protocol/cosem/integers.ts";
import type { Compression, ProfileDescription } from "./description.ts";
import type { MeterModel, Moment } from "./meter-model.ts";
import { bufferData } from "./profile-compression.ts";
import { firstRowFrom, type ProfileRows, profileRows } from "./profile-rows.ts";
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
}

const SORT_METHODS = { fifo: 1, lifo: 2 } as const;
const CLOCK_CLASS = 8;
const NO_OBJECT: CaptureObject = { classId: 0, logicalName: "0.0.0.0.0.0", attributeId: 0, dataIndex: 0 };
const BILLING_TIMES: ReadonlySet<string> = new Set(["0.0.0.1.2.255", "1.0.0.1.2.255"]);
const DAY_S = 86_400;

/** A selection of rows, from the oldest, and of columns. */
interface Selection {
  readonly from: number;
  /** The first row that is not part of it. */
  readonly to: number;
  readonly columns: readonly number[];
}

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
      const rows = this.#rows(moment);
      const selection = this.#select(access, rows);
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

  #periodS(): number {
    const { description, model } = this.#options;
    if (description.capture.by === "period") return model.capturePeriodMs / 1000;
    return description.capture.by === "day" ? DAY_S : 0;
  }

  #rows(moment: Moment): ProfileRows {
    const { description, model } = this.#options;
    return profileRows(description.capture, description.entries, model, moment);
  }

  #buffer(rows: ProfileRows, selection: Selection | undefined): Data {
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

  #select(access: SelectiveAccess, rows: ProfileRows): Selection | "other-reason" | "type-unmatched" {
    const { parameters, selector } = access;
    const fields = parameters.type === "structure" && parameters.value.length === 4 ? parameters.value : undefined;
    if (fields === undefined) return "type-unmatched";
    if (selector === 1) return this.#selectRange(fields, rows);
    return selector === 2 ? this.#selectEntries(fields, rows) : "other-reason";
  }

  /** Both ends belong to the range; an open end has no bound. */
  #selectRange(fields: readonly Data[], rows: ProfileRows): Selection | "other-reason" | "type-unmatched" {
    const [restricting, fromValue, toValue, selected] = fields;
    if (restricting === undefined || fromValue === undefined || toValue === undefined || selected === undefined) {
      return "type-unmatched";
    }
    const restrictingKey = captureObjectKey(captureObjectFromData(restricting));
    const isColumn = this.#options.columns.some(({ captures }) => captureObjectKey(captures) === restrictingKey);
    if (!isColumn || !tellsTime(captureObjectFromData(restricting))) return "other-reason";
    const [from, to] = [this.#instant(fromValue), this.#instant(toValue)];
    const columns = this.#selectColumns(selected);
    if (from === "none" || to === "none" || columns === undefined) return "type-unmatched";
    return {
      from: from === undefined ? 0 : firstRowFrom(rows, from),
      to: to === undefined ? rows.count : firstRowFrom(rows, to + 1),
      columns,
    };
  }

  #instant(data: Data): number | undefined | "none" {
    if ((data.type !== "octet-string" && data.type !== "date-time") || data.value.length !== 12) return "none";
    return this.#options.model.calendar.instant(data.value);
  }

  /** An empty list selects all columns; undefined for one that the profile does not have. */
  #selectColumns(selected: Data): readonly number[] | undefined {
    const { columns } = this.#options;
    const wanted = captureObjectsFromData(selected);
    if (wanted.length === 0) return columns.map((_, index) => index);
    const keys = columns.map(({ captures }) => captureObjectKey(captures));
    const indexes = wanted.map((object) => keys.indexOf(captureObjectKey(object)));
    return indexes.includes(-1) ? undefined : indexes;
  }

  /** Entries count from 1 in the order of the buffer; 0 as an end means the last. */
  #selectEntries(fields: readonly Data[], rows: ProfileRows): Selection | "type-unmatched" {
    const numbers = fields.map((field) => integerOf(field));
    const [fromEntry, toEntry, fromColumn, toColumn] = numbers;
    if (fromEntry === undefined || toEntry === undefined || fromColumn === undefined || toColumn === undefined) {
      return "type-unmatched";
    }
    const first = Math.max(1, fromEntry) - 1;
    const last = toEntry === 0 ? rows.count : Math.min(toEntry, rows.count);
    const lifo = this.#options.description.sortMethod === "lifo";
    const columnCount = this.#options.columns.length;
    const firstColumn = Math.max(1, fromColumn) - 1;
    const lastColumn = toColumn === 0 ? columnCount : Math.min(toColumn, columnCount);
    return {
      from: lifo ? rows.count - last : first,
      to: lifo ? rows.count - first : last,
      columns: Array.from({ length: Math.max(0, lastColumn - firstColumn) }, (_, index) => firstColumn + index),
    };
  }
}

function tellsTime({ classId, logicalName, attributeId }: CaptureObject): boolean {
  return attributeId === 2 && (classId === CLOCK_CLASS || BILLING_TIMES.has(logicalName));
}
