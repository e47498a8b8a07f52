import { toHex } from "../../protocol/bytes/hex.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { decodeWrapper, WRAPPER_VERSION, WrapperParser } from "../../protocol/link/wrapper.ts";
import { hexInput, hexList } from "./input.ts";
import type { LayerReader } from "./reading.ts";
import { statedFacts } from "./stated.ts";
import { openApdu } from "./unprotect.ts";

/** One wrapper PDU and the APDU in it. */
export const wrapperReader: LayerReader = (each, leniency) => {
  const { sourceWPort, destinationWPort, apdu } = decodeWrapper(hexInput(each));
  const wrapper = { version: WRAPPER_VERSION, sourceWPort, destinationWPort, length: apdu.length };
  const opened = openApdu(each, apdu, leniency);
  const decoded = opened.plain ?? opened.outer;
  const header = opened.plaintext === undefined ? {} : { header: opened.outer, plaintext: toHex(opened.plaintext) };
  // Some cases name the fields of the APDU beside the wrapper's, others the APDU as a whole.
  const { time, ...fields } = decoded;
  return {
    ...fields,
    ...(time === undefined ? {} : { dateTime: time }),
    ...statedFacts(each.stated, decoded),
    ...wrapper,
    ...header,
    payloadLength: apdu.length,
    wrapperSource: sourceWPort,
    wrapper,
    apdu: decoded,
  };
};

/** A stream that comes in chunks of any size. */
export const wrapperStreamReader: LayerReader = (each) => {
  const parser = new WrapperParser();
  const payloads: string[] = [];
  for (const chunk of hexList(each, "chunks")) {
    parser.receive(chunk);
    for (let unit = parser.takeUnit(); unit !== undefined; unit = parser.takeUnit()) {
      if (unit.type === "discarded") throw unit.error;
      payloads.push(toHex(unit.apdu));
    }
  }
  if (parser.pending) throw new DlmsError("FRAME_INCOMPLETE", "peer");
  return { payloads };
};
