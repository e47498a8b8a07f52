import type { Apdu, ApduOf } from "../apdu/apdu.ts";
import type { DataNotification } from "../apdu/data-notification.ts";
import { longInvokeIdAndPriority } from "../apdu/invoke-id.ts";

/** What a server says unasked. */
export type Notification = ApduOf<"data-notification" | "event-notification-request" | "information-report-request">;

/** The APDU as a notification, or undefined when it is none. */
export function notificationOf(apdu: Apdu): Notification | undefined {
  switch (apdu.apdu) {
    case "data-notification":
    case "event-notification-request":
    case "information-report-request":
      return apdu;
    default:
      return undefined;
  }
}

/**
 * What tells the server that a DataNotification is ours now; undefined when it wants no confirmation. To be sent by
 * whoever has made the notification durable.
 */
export function confirmationOf(notification: DataNotification): ApduOf<"data-notification-confirm"> | undefined {
  const { longInvokeIdAndPriority: field } = notification;
  if (!longInvokeIdAndPriority(field).confirmed) return undefined;
  return { apdu: "data-notification-confirm", body: { longInvokeIdAndPriority: field, dateTime: undefined } };
}
