/** Load switch, clock and load limit of a meter that takes orders in its own way. */
import type { ActionOutcome } from "../../protocol/apdu/action.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../protocol/apdu/result-codes.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { decodeDateTime, resolveDateTime } from "../../protocol/cosem/date-time.ts";
import { integerOf } from "../../protocol/cosem/integers.ts";
import { logicalNameFromOctets } from "../../protocol/cosem/obis.ts";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { utcStamp } from "./deviant-meter.ts";

export interface OrderHabits {
  /** Of the load switch; see class 70. */
  readonly mode?: number;
  /** Methods of the switch are refused with a parameter. */
  readonly refusesParameter?: true;
  /** The relay moves so long after the order has been taken; never when it is infinite. */
  readonly relayDelayMs?: number;
  /** Whether the clock takes a time that is written. */
  readonly takesTime?: (stamp: ReturnType<typeof decodeDateTime>) => boolean;
  /** Weekday, hundredths, deviation and status of the clock, as it shows them. */
  readonly clockTail?: readonly [hundredths: number, ...rest: readonly number[]];
  /** What is passive when its calendar has been activated; by default what has become active too. */
  readonly passiveAfter?: "nothing" | "what was active";
  /** The most that the load limit is set to, whatever is written. */
  readonly limitAtMost?: number;
}

const SUCCESS: ActionOutcome = { result: "success" };
const UNLIKELY: ActionOutcome = { result: "type-unmatched" };
/** Modes in which a remote reconnection only makes ready. */
const BY_HAND: ReadonlySet<number> = new Set([1, 3, 5, 6]);

export class OrderedMeter {
  readonly habits: OrderHabits;
  readonly mode: number;
  /** 0 disconnected, 1 connected, 2 ready for reconnection. */
  control = 1;
  output = true;
  clockAheadMs = 0;
  limit = 5000;
  /** Name, seasons, weeks and days of the active calendar, then of the passive one. */
  calendars: readonly (readonly Data[])[] = [calendar("summer"), calendar("winter")];
  /** The orders that came, as octets or words. */
  readonly heard: string[] = [];

  constructor(habits: OrderHabits = {}) {
    this.habits = habits;
    this.mode = habits.mode ?? 4;
  }

  get = ({ attribute: { classId, logicalName, attributeId } }: AttributeReference): DataResult | undefined => {
    const data = this.#value(`${classId}:${logicalNameFromOctets(logicalName)}:${attributeId}`);
    return data && { type: "data", data };
  };

  set = ({ attribute }: AttributeReference, value: Data): DataAccessResult | undefined => {
    if (attribute.classId === 8 && value.type === "octet-string") return this.#setClock(value.value);
    if (attribute.classId !== 71) return undefined;
    if (value.type !== "double-long-unsigned") return "type-unmatched";
    this.limit = Math.min(value.value, this.habits.limitAtMost ?? value.value);
    return "success";
  };

  action = ({ classId, methodId }: MethodDescriptor, parameters: Data | undefined): ActionOutcome | undefined => {
    if (classId === 70) return this.#switch(methodId === 2, parameters);
    if (classId === 20) return this.#activateCalendar();
    if (classId !== 8 || methodId !== 6) return undefined;
    const seconds = parameters?.type === "long" ? integerOf(parameters) : undefined;
    if (seconds === undefined || Math.abs(seconds) > 900) return UNLIKELY;
    this.heard.push(`shift ${seconds}`);
    this.clockAheadMs += seconds * 1000;
    return SUCCESS;
  };

  #value(key: string): Data | undefined {
    const stamp = () => utcStamp(Date.now() + this.clockAheadMs, this.habits.clockTail ?? [0xff, 0, 0, 0]);
    const values: Readonly<Record<string, () => Data>> = {
      "70:0.0.96.3.10.255:2": () => ({ type: "boolean", value: this.output }),
      "70:0.0.96.3.10.255:3": () => ({ type: "enum", value: this.control }),
      "70:0.0.96.3.10.255:4": () => ({ type: "enum", value: this.mode }),
      "8:0.0.1.0.0.255:2": stamp,
      "71:0.0.17.0.0.255:4": () => ({ type: "double-long-unsigned", value: this.limit }),
    };
    const [, part = ""] = /^20:0\.0\.13\.0\.0\.255:([2-9])$/.exec(key) ?? [];
    return part === "" ? values[key]?.() : this.calendars.flat()[Number(part) - 2];
  }

  #setClock(octets: Uint8Array): DataAccessResult {
    this.heard.push(toHex(octets));
    const { takesTime = () => true } = this.habits;
    const instantMs = resolveDateTime(octets, { deviation: "standard", zone: UTC })?.instantMs;
    if (instantMs === undefined || !takesTime(decodeDateTime(octets))) return "type-unmatched";
    this.clockAheadMs = instantMs - Date.now();
    return "success";
  }

  #activateCalendar(): ActionOutcome {
    this.heard.push("activate");
    const [active = [], passive = []] = this.calendars;
    const { passiveAfter } = this.habits;
    const after = passiveAfter === undefined ? passive : passiveAfter === "nothing" ? calendar("") : active;
    this.calendars = [passive, after];
    return SUCCESS;
  }

  #switch(connect: boolean, parameters: Data | undefined): ActionOutcome {
    this.heard.push(`${connect ? "reconnect" : "disconnect"} ${parameters?.type ?? "bare"}`);
    const takesIt = this.habits.refusesParameter ? parameters === undefined : parameters?.type === "integer";
    if (!takesIt) return UNLIKELY;
    if (this.mode === 0) return { result: "read-write-denied" };
    const closed = BY_HAND.has(this.mode) ? 2 : 1;
    this.control = connect ? closed : 0;
    const move = () => {
      this.output = this.control === 1;
    };
    const { relayDelayMs = 0 } = this.habits;
    if (relayDelayMs === 0) move();
    else if (relayDelayMs < Infinity) setTimeout(move, relayDelayMs);
    return SUCCESS;
  }
}

/** A calendar of one season, its week and no days. */
function calendar(name: string): Data[] {
  const text = { type: "octet-string", value: new TextEncoder().encode(name) } as const;
  const season: Data = { type: "structure", value: [text, { type: "octet-string", value: new Uint8Array(12) }, text] };
  return [text, { type: "array", value: [season] }, { type: "array", value: [] }, { type: "array", value: [] }];
}
