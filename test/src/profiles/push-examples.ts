/** Bodies of pushes, mapped and shown by their names. */
import { decodeApdu } from "../../../protocol/apdu/apdu.ts";
import { type Notification, notificationOf } from "../../../protocol/association/notifications.ts";
import { type Data, dataFromBytes } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import type { MappedPush, PushContext } from "../../../src/profiles/map-push.ts";

export const RECEIVED = new Date("2024-06-01T12:00:00Z");

export const nordic: PushContext = {
  companion: "nordic",
  clock: { deviation: "standard", zone: namedZone("Europe/Oslo") },
  receivedAt: RECEIVED,
};

export function body(hex: string): Data {
  return dataFromBytes(fromHex(hex));
}

export function values(push: MappedPush): Record<string, unknown> {
  return Object.fromEntries(
    push.values.map(({ captureObject, value, unit }) => [
      captureObject,
      unit === undefined ? value : `${value as string} ${unit}`,
    ]),
  );
}

export function decoded(hex: string): Notification | undefined {
  return notificationOf(decodeApdu(fromHex(hex)));
}

export function object(classId: number, logicalName: string): CaptureObject {
  return { classId, logicalName, attributeId: 2, dataIndex: 0 };
}
