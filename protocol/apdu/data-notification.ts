/** DataNotification service: what a server pushes (IEC 62056-5-3). */
import { type Codec, type Decoded, data, sequence, u32 } from "../axdr/codec.ts";
import type { Data } from "../axdr/data.ts";
import { DlmsError } from "../errors.ts";
import { dateTime } from "./date-time.ts";
import { decodeUntaggedDescriptors } from "./untagged-descriptors.ts";

const notificationBody: Codec<Data> = {
  decode(reader) {
    const start = reader.offset;
    try {
      return data.decode(reader);
    } catch (error) {
      const untagged = error instanceof DlmsError && error.code === "DATA_UNKNOWN_TAG";
      if (!untagged || !reader.tolerates("untagged-descriptors")) throw error;
    }
    reader.offset = start;
    return decodeUntaggedDescriptors(reader);
  },
  encode: (value, writer) => data.encode(value, writer),
};

export const dataNotification = sequence({ longInvokeIdAndPriority: u32, dateTime, body: notificationBody });
export type DataNotification = Decoded<typeof dataNotification>;

/** The client's answer to a confirmed DataNotification. */
export const dataNotificationConfirm = sequence({ longInvokeIdAndPriority: u32, dateTime });
export type DataNotificationConfirm = Decoded<typeof dataNotificationConfirm>;
