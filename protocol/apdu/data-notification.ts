/** DataNotification service: what a server pushes (IEC 62056-5-3). */
import { type Decoded, data, sequence, u32 } from "../axdr/codec.ts";
import { dateTime } from "./date-time.ts";

export const dataNotification = sequence({ longInvokeIdAndPriority: u32, dateTime, body: data });
export type DataNotification = Decoded<typeof dataNotification>;

/** The client's answer to a confirmed DataNotification. */
export const dataNotificationConfirm = sequence({ longInvokeIdAndPriority: u32, dateTime });
export type DataNotificationConfirm = Decoded<typeof dataNotificationConfirm>;
