/** What a virtual meter sends by itself: the attributes of a push setup's list, in a data-notification. */
import { encodeApdu } from "../../protocol/apdu/apdu.ts";
import type { DataNotification } from "../../protocol/apdu/data-notification.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { pushObjectsFromData } from "../../protocol/cosem/capture-object.ts";
import type { Protection } from "../../protocol/security/security-control.ts";
import type { MeterModel, Moment } from "./meter-model.ts";
import { EVENT_STATUS_WORD, PUSHED_LOG, PUSHES } from "./models/is15959.ts";
import type { VirtualMeter } from "./virtual-meter.ts";

export interface PushOrder {
  /** Logical name of the push setup. */
  readonly setup: string;
  /** Ciphered in the general form with the meter's global keys; plain when absent. */
  readonly protection?: Protection;
  /** Whether the notification tells when it was made. */
  readonly dated?: boolean;
  /** 0 … 16777215. */
  readonly longInvokeId?: number;
}

const PUSH_SETUP_CLASS = 40;
const EVENT_STATUS_WORD_OCTETS = 16;

/** The data-notification of a push setup as a whole APDU. Throws RangeError when the meter has no such setup. */
export function pushApdu(meter: VirtualMeter, order: PushOrder): Uint8Array {
  const apdu = encodeApdu({ apdu: "data-notification", body: pushNotification(meter, order) });
  if (order.protection === undefined) return apdu;
  const request = { control: order.protection, form: "general", keySet: "global" } as const;
  return meter.security.pushProtection().protect(apdu, request);
}

/** What a push setup sends, unprotected. Throws RangeError when the meter has no such setup. */
export function pushNotification(meter: VirtualMeter, order: Omit<PushOrder, "protection">): DataNotification {
  const now = meter.objects.now();
  return {
    longInvokeIdAndPriority: order.longInvokeId ?? 1,
    dateTime: order.dated === true ? meter.model.calendar.stamp(now.atMs) : undefined,
    body: pushBody(meter, order.setup, captureMoment(meter, order.setup, now)),
  };
}

function pushBody(meter: VirtualMeter, setup: string, moment: Moment): Data {
  const list = meter.objects.value({ classId: PUSH_SETUP_CLASS, logicalName: setup, attributeId: 2 }, moment);
  if (list === undefined) throw new RangeError(`the meter ${meter.identity.serial} has no push setup ${setup}`);
  const value = pushObjectsFromData(list).map((object): Data => {
    return meter.objects.value(object, moment) ?? { type: "null-data" };
  });
  return { type: "structure", value };
}

/** What belongs to an interval is pushed as of its end, an event as of when it happened. */
function captureMoment({ model }: VirtualMeter, setup: string, now: Moment): Moment {
  const { calendar, capturePeriodMs } = model;
  if (setup === PUSHES.block) return { atMs: calendar.periodEnd(now.atMs, capturePeriodMs) };
  if (setup === PUSHES.daily) return { atMs: calendar.dayStart(calendar.dayOf(now.atMs)) };
  if (setup === PUSHES.billing) return { atMs: model.billingEnd(now.atMs) };
  if (setup === PUSHES.event) return { atMs: lastEventMs(model, now.atMs) };
  return now;
}

function lastEventMs(model: MeterModel, nowMs: number): number {
  const log = model.log(PUSHED_LOG);
  const count = log.count(nowMs);
  return count === 0 ? nowMs : log.event(count - 1).atMs;
}

/** Sets and clears bits of the event status word; bit 0 is the first on the wire. */
export function setEventStatus(meter: VirtualMeter, bits: Readonly<Record<number, boolean>>): void {
  const reference = { classId: 1, logicalName: EVENT_STATUS_WORD, attributeId: 2 };
  const present = meter.objects.value(reference, meter.objects.now());
  const octets = new Uint8Array(EVENT_STATUS_WORD_OCTETS);
  if (present?.type === "bit-string") octets.set(present.value);
  for (const [bit, on] of Object.entries(bits)) {
    const index = Number(bit) >> 3;
    const mask = 0x80 >> (Number(bit) & 7);
    octets[index] = ((octets[index] ?? 0) & ~mask) | (on ? mask : 0);
  }
  meter.model.state.write(EVENT_STATUS_WORD, 2, { type: "bit-string", bitCount: 128, value: octets });
}
