/** EventNotification service: one attribute, pushed with its reference (IEC 62056-5-3). */
import { data, sequence } from "../axdr/codec.ts";
import { optionalDateTime } from "./date-time.ts";
import { attributeDescriptor } from "./descriptors.ts";

export const eventNotificationRequest = sequence({
  dateTime: optionalDateTime,
  attribute: attributeDescriptor,
  value: data,
});
