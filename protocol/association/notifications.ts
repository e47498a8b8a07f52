import type { Apdu, ApduOf } from "../apdu/apdu.ts";

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
