/** Which reader serves which layer of the corpus. A layer that is not here is reported as not yet supported. */
import { apduSequenceReader, securityReader } from "./normalise-security.ts";
import { apduReader, apduStreamReader, fieldReader, selectiveAccessReader } from "./read-apdu.ts";
import { axdrLengthReader, axdrReader } from "./read-axdr.ts";
import { apduBlocksReader } from "./read-blocks.ts";
import { cipherReader } from "./read-cipher.ts";
import { dateTimeReader } from "./read-date-time.ts";
import { crcX25Reader, hdlcAddressReader, hdlcReader, hdlcStreamReader, llcReader } from "./read-hdlc.ts";
import { hdlcSessionReader } from "./read-hdlc-session.ts";
import { modeReader, p1Reader, p1StreamReader } from "./read-iec62056-21.ts";
import { mbusReader } from "./read-mbus.ts";
import { wrapperReader, wrapperStreamReader } from "./read-wrapper.ts";
import type { LayerReader } from "./reading.ts";

export const READERS: Readonly<Record<string, LayerReader>> = {
  apdu: apduReader,
  "apdu-blocks": apduBlocksReader,
  "apdu-sequence": apduSequenceReader,
  "apdu-stream": apduStreamReader,
  axdr: axdrReader,
  "axdr-length": axdrLengthReader,
  cipher: cipherReader,
  "crc16-x25": crcX25Reader,
  datetime: dateTimeReader,
  field: fieldReader,
  hdlc: hdlcReader,
  "hdlc-address": hdlcAddressReader,
  "hdlc-session": hdlcSessionReader,
  "hdlc-stream": hdlcStreamReader,
  llc: llcReader,
  mbus: mbusReader,
  "mode-c": modeReader,
  "mode-d": modeReader,
  "mode-e": modeReader,
  p1: p1Reader,
  "p1-stream": p1StreamReader,
  "p1-unframed": p1StreamReader,
  "selective-access": selectiveAccessReader,
  wrapper: wrapperReader,
  "wrapper-stream": wrapperStreamReader,
  security: securityReader,
};
