/** Which reader serves which layer of the corpus. A layer that is not here is reported as not yet supported. */
import { apduSequenceReader, securityReader } from "./normalise-security.ts";
import { apduReader, apduStreamReader, fieldReader, selectiveAccessReader } from "./read-apdu.ts";
import { axdrLengthReader, axdrReader } from "./read-axdr.ts";
import { cipherReader } from "./read-cipher.ts";
import { dateTimeReader } from "./read-date-time.ts";
import { wrapperReader, wrapperStreamReader } from "./read-wrapper.ts";
import type { LayerReader } from "./reading.ts";

export const READERS: Readonly<Record<string, LayerReader>> = {
  apdu: apduReader,
  "apdu-sequence": apduSequenceReader,
  "apdu-stream": apduStreamReader,
  axdr: axdrReader,
  "axdr-length": axdrLengthReader,
  cipher: cipherReader,
  datetime: dateTimeReader,
  field: fieldReader,
  "selective-access": selectiveAccessReader,
  wrapper: wrapperReader,
  "wrapper-stream": wrapperStreamReader,
  security: securityReader,
};
