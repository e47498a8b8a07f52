import { dataFromBytes } from "../../protocol/axdr/data.ts";
import { Reader } from "../../protocol/bytes/reader.ts";
import { hexInput } from "./input.ts";
import { normaliseData } from "./normalise-data.ts";
import type { LayerReader } from "./reading.ts";

/** One tagged value of the Data CHOICE. */
export const axdrReader: LayerReader = (each) => {
  const data = dataFromBytes(hexInput(each));
  const elements = data.type === "array" || data.type === "structure" ? { elements: data.value.length } : {};
  return { data: normaliseData(data), ...elements };
};

/** A length field on its own. */
export const axdrLengthReader: LayerReader = (each) => {
  const reader = new Reader(hexInput(each));
  const length = reader.length();
  const size = reader.offset;
  reader.end();
  return { length, value: length, size, bytes: size };
};
