import { invokeIdAndPriority } from "../../protocol/apdu/invoke-id.ts";
import { dataFromBytes } from "../../protocol/axdr/data.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { captureObjectFromData } from "../../protocol/cosem/capture-object.ts";
import { hexInput } from "./input.ts";
import { normaliseData } from "./normalise-data.ts";
import { pushedFacts } from "./pushed.ts";
import type { LayerReader } from "./reading.ts";
import { NotSupported } from "./reading.ts";
import { statedFacts } from "./stated.ts";
import { openApdu, plainFacts } from "./unprotect.ts";

/** One whole APDU; what is ciphered is opened when the case has keys. */
export const apduReader: LayerReader = (each, leniency) => {
  const opened = openApdu(each, hexInput(each), leniency);
  return {
    ...pushedFacts(each, opened.innermost),
    ...statedFacts(each.stated, opened.plain ?? opened.outer),
    ...plainFacts(opened),
    apdu: opened.outer,
  };
};

/** A single octet of Invoke-Id-And-Priority. */
export const fieldReader: LayerReader = (each) => {
  const octets = hexInput(each);
  const [octet] = octets;
  if (octet === undefined || octets.length !== 1) throw new NotSupported("a field of more than one octet");
  const { invokeId, confirmed, highPriority } = invokeIdAndPriority(octet);
  return {
    raw: octet,
    invokeId,
    confirmed,
    highPriority,
    serviceClass: confirmed ? "confirmed" : "unconfirmed",
    priority: highPriority ? "high" : "normal",
  };
};

/** An access selector and its parameters, as they stand after the option octet of a request. */
export const selectiveAccessReader: LayerReader = (each) => {
  const octets = hexInput(each);
  const selector = octets[0];
  const parameters = dataFromBytes(octets.subarray(1));
  const facts = { selector, parameters: normaliseData(parameters) };
  if (selector !== 1 || parameters.type !== "structure" || parameters.value[0] === undefined) return facts;
  const { classId, logicalName, attributeId, dataIndex } = captureObjectFromData(parameters.value[0]);
  return { ...facts, restrictingObject: { classId, obis: logicalName, attribute: attributeId, dataIndex } };
};

/** An APDU as it comes when the link has no layer of its own: ciphered, opened in one piece. */
export const apduStreamReader: LayerReader = (each, leniency) => {
  const opened = openApdu(each, hexInput(each), leniency);
  if (opened.plaintext === undefined) return { ...statedFacts(each.stated, opened.outer), apdu: opened.outer };
  const text = opened.plain === undefined ? { text: new TextDecoder("latin1").decode(opened.plaintext) } : {};
  return {
    ...statedFacts(each.stated, opened.outer),
    header: opened.outer,
    plaintext: toHex(opened.plaintext),
    ...(opened.plain === undefined ? {} : { plainApdu: opened.plain, apdu: opened.plain }),
    ...text,
    ...opened.facts,
  };
};
