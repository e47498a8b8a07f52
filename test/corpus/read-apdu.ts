import { decodeApdu } from "../../protocol/apdu/apdu.ts";
import { ALL_QUIRKS, FIELD_QUIRKS } from "../../protocol/quirks.ts";
import { hexInput } from "./input.ts";
import { normaliseApdu } from "./normalise-apdu.ts";
import { type LayerReader, NotSupported } from "./reading.ts";

/** One whole APDU. */
export const apduReader: LayerReader = (each, leniency) => {
  if (Object.keys(each.keys).length > 0 && each.outcome === "accept-lenient") {
    throw new NotSupported("the deviation is in the ciphering, which this reader does not undo");
  }
  return { apdu: normaliseApdu(decodeApdu(hexInput(each), leniency === "lenient" ? ALL_QUIRKS : FIELD_QUIRKS)) };
};
