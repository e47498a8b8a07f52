/** Which reader serves which layer of the corpus. A layer that is not here is reported as not yet supported. */
import { apduReader } from "./read-apdu.ts";
import { axdrLengthReader, axdrReader } from "./read-axdr.ts";
import type { LayerReader } from "./reading.ts";

export const READERS: Readonly<Record<string, LayerReader>> = {
  apdu: apduReader,
  axdr: axdrReader,
  "axdr-length": axdrLengthReader,
};
