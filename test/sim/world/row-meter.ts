/**
 * A meter without its protocol: it answers what an association would bring back. Its buffer holds so many rows and
 * forgets the oldest; while it was off it has recorded none. What it says of an instant follows from the instant.
 */
import type { AttributeReference, DataResult } from "../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { captureObjectToData } from "../../../protocol/cosem/capture-object.ts";
import { dateTimeAt, encodeDateTime, resolveDateTime } from "../../../protocol/cosem/date-time.ts";
import { logicalNameFromOctets } from "../../../protocol/cosem/obis.ts";
import type { TimeZone } from "../../../protocol/cosem/time-zone.ts";
import { type SlotRule, slotAfter, slotsBetween } from "../../../src/collect/slots/slot-calendar.ts";
import type { ProfileBatch, ProfileKind } from "../../../src/profiles/batch.ts";
import { hash } from "../../../src/simulator/noise.ts";

export interface OffTime {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface RowMeterOptions {
  readonly number: number;
  readonly zone: TimeZone;
  readonly installedMs: number;
  readonly intervalS: number;
  /** Rows of the load profile that the buffer holds. */
  readonly entries: number;
  readonly offTimes: readonly OffTime[];
}

const BLOCK_LOAD = "1.0.99.1.0.255";
const DAILY_LOAD = "1.0.99.2.0.255";
const DAY_S = 86_400;
const DAILY_ENTRIES = 60;
const WATT_HOURS = 30;
const POWER_FAILURE = 0x80;

const CLOCK = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
const STATUS = { classId: 1, logicalName: "0.0.96.10.1.255", attributeId: 2, dataIndex: 0 };
const ENERGY = { classId: 3, logicalName: "1.0.1.8.0.255", attributeId: 2, dataIndex: 0 };
const CAPTURED = [CLOCK, STATUS, ENERGY].map(captureObjectToData);

const REFUSED: DataResult = { type: "data-access-result", dataAccessResult: "object-undefined" };

export class RowMeter {
  readonly options: RowMeterOptions;
  readonly #rules: Readonly<Record<string, SlotRule & { readonly entries: number }>>;
  readonly #rows = new Map<number, Data>();

  constructor(options: RowMeterOptions) {
    this.options = options;
    const { zone, intervalS, entries } = options;
    this.#rules = {
      [BLOCK_LOAD]: { zone, intervalS, entries },
      [DAILY_LOAD]: { zone, intervalS: DAY_S, entries: DAILY_ENTRIES },
    };
  }

  isOff(atMs: number): boolean {
    return this.options.offTimes.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
  }

  /** Whether a row was ever captured at a slot. */
  captured(slotMs: number): boolean {
    return slotMs > this.options.installedMs && !this.isOff(slotMs);
  }

  /** What it says of an instant. */
  energyAt(instantMs: number): number {
    return (Math.floor(instantMs / 60_000) + hash(this.options.number, 7)) % 2 ** 31;
  }

  /** A row of the load profile as it is kept. */
  mapped(slotMs: number): Pick<ProfileBatch, "columns" | "others"> {
    const { zone, intervalS } = this.options;
    const status = this.#cameBack({ zone, intervalS }, slotMs) ? POWER_FAILURE : 0;
    return {
      columns: [
        { column: "status", values: [BigInt(status)] },
        { column: "active_import_total", values: [BigInt(this.energyAt(slotMs)) * 1000n] },
      ],
      others: [],
    };
  }

  answer({ attribute, access }: AttributeReference, nowMs: number): DataResult {
    const name = logicalNameFromOctets(attribute.logicalName);
    const rule = this.#rules[name];
    if (attribute.classId === 7 && rule !== undefined)
      return this.#profile(rule, attribute.attributeId, { access, nowMs });
    if (name === CLOCK.logicalName) return data({ type: "octet-string", value: this.#stamp(nowMs) });
    if (name !== ENERGY.logicalName) return REFUSED;
    if (attribute.attributeId === 3) return data(scalerUnit());
    return data({ type: "double-long-unsigned", value: this.energyAt(nowMs) });
  }

  /** The slots that its buffer holds, the oldest first. */
  held(profile: ProfileKind, nowMs: number): number[] {
    const rule = this.#rules[profile === "block_load" ? BLOCK_LOAD : DAILY_LOAD];
    if (rule === undefined) return [];
    return this.#heldBetween(rule, { fromMs: this.options.installedMs, toMs: nowMs }, nowMs);
  }

  #profile(
    rule: SlotRule & { readonly entries: number },
    attributeId: number,
    { access, nowMs }: { access: AttributeReference["access"]; nowMs: number },
  ): DataResult {
    switch (attributeId) {
      case 2:
        return this.#buffer(rule, access, nowMs);
      case 3:
        return data({ type: "array", value: CAPTURED });
      case 4:
        return data({ type: "double-long-unsigned", value: rule.intervalS });
      case 5:
        return data({ type: "enum", value: 1 });
      case 8:
        return data({ type: "double-long-unsigned", value: rule.entries });
      default:
        return REFUSED;
    }
  }

  #buffer(
    rule: SlotRule & { readonly entries: number },
    access: AttributeReference["access"],
    nowMs: number,
  ): DataResult {
    const parameters = access?.parameters;
    if (parameters?.type !== "structure") return data({ type: "array", value: [] });
    const [, from, to] = parameters.value;
    const range = { fromMs: this.#instant(from), toMs: Math.min(nowMs, this.#instant(to)) };
    const slots = this.#heldBetween(rule, range, nowMs);
    return data({ type: "array", value: slots.map((slotMs) => this.#row(rule, slotMs)) });
  }

  /** Rows that were pushed out of the buffer are gone; those that were never written take up no place in it. */
  #heldBetween(
    rule: SlotRule & { readonly entries: number },
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
    nowMs: number,
  ): number[] {
    const reachMs = rule.entries * rule.intervalS * 1000;
    const oldestMs = Math.max(this.options.installedMs, nowMs - reachMs, fromMs - 1);
    return [...slotsBetween(rule, oldestMs, toMs)].filter((slotMs) => this.captured(slotMs));
  }

  #row(rule: SlotRule, slotMs: number): Data {
    const key = slotMs + (rule.intervalS === DAY_S ? 1 : 0);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row: Data = {
      type: "structure",
      value: [
        { type: "octet-string", value: this.#stamp(slotMs) },
        { type: "unsigned", value: this.#cameBack(rule, slotMs) ? POWER_FAILURE : 0 },
        { type: "double-long-unsigned", value: this.energyAt(slotMs) },
      ],
    };
    this.#rows.set(key, row);
    return row;
  }

  /** The first row after a time without power says so. */
  #cameBack(rule: SlotRule, slotMs: number): boolean {
    const beforeMs = slotMs - rule.intervalS * 1000;
    return this.options.offTimes.some(
      ({ fromMs, toMs }) => toMs > beforeMs && toMs <= slotMs && slotAfter(rule, fromMs - 1) <= slotMs,
    );
  }

  #stamp(instantMs: number): Uint8Array {
    return encodeDateTime(dateTimeAt(instantMs, this.options.zone));
  }

  #instant(limit: Data | undefined): number {
    if (limit?.type !== "octet-string") return 0;
    return resolveDateTime(limit.value, { deviation: "standard", zone: this.options.zone })?.instantMs ?? 0;
  }
}

function data(value: Data): DataResult {
  return { type: "data", data: value };
}

function scalerUnit(): Data {
  return {
    type: "structure",
    value: [
      { type: "integer", value: 0 },
      { type: "enum", value: WATT_HOURS },
    ],
  };
}
