/** DataNotification service: what a server pushes (IEC 62056-5-3). */
import { type Codec, type Decoded, data, sequence, u32 } from "../axdr/codec.ts";
import type { Data } from "../axdr/data.ts";
import type { Reader } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";
import { dateTime } from "./date-time.ts";
import { decodeUntaggedDescriptors } from "./untagged-descriptors.ts";

const notificationBody: Codec<Data> = {
  decode(reader) {
    const untagged = reader.allows("untagged-descriptors") ? untaggedBody(reader) : undefined;
    return untagged ?? data.decode(reader);
  },
  encode: (value, writer) => data.encode(value, writer),
};

/** The body without type tags, if the octets are exactly that; else nothing is read. */
function untaggedBody(reader: Reader): Data | undefined {
  const { observer, offset } = reader;
  reader.observer = undefined;
  const fits = isUntagged(reader);
  reader.offset = offset;
  reader.observer = observer;
  return fits && reader.tolerates("untagged-descriptors") ? decodeUntaggedDescriptors(reader) : undefined;
}

function isUntagged(reader: Reader): boolean {
  try {
    decodeUntaggedDescriptors(reader);
    return reader.remaining === 0;
  } catch (error) {
    if (error instanceof DlmsError) return false;
    throw error;
  }
}

export const dataNotification = sequence({ longInvokeIdAndPriority: u32, dateTime, body: notificationBody });
export type DataNotification = Decoded<typeof dataNotification>;

/** The client's answer to a confirmed DataNotification. */
export const dataNotificationConfirm = sequence({ longInvokeIdAndPriority: u32, dateTime });
