/** ACCESS service: several gets, sets and actions in one request (IEC 62056-5-3). */
import { type Codec, choice, type Decoded, data, decodeField, listOf, optional, sequence, u32 } from "../axdr/codec.ts";
import type { Data } from "../axdr/data.ts";
import { Reader } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { dateTime } from "./date-time.ts";
import { attributeDescriptor, methodDescriptor, selectiveAccess } from "./descriptors.ts";
import { actionResult, dataAccessResult } from "./result-codes.ts";

const accessSpecification = choice({
  get: [1, sequence({ attribute: attributeDescriptor })],
  set: [2, sequence({ attribute: attributeDescriptor })],
  action: [3, sequence({ method: methodDescriptor })],
  "get-with-selection": [4, sequence({ attribute: attributeDescriptor, access: selectiveAccess })],
  "set-with-selection": [5, sequence({ attribute: attributeDescriptor, access: selectiveAccess })],
});
export type AccessSpecification = Decoded<typeof accessSpecification>;

export const accessRequest = sequence({
  longInvokeIdAndPriority: u32,
  dateTime,
  specifications: listOf(accessSpecification),
  /** One value per specification; null-data where there is nothing to hand over. */
  data: listOf(data),
});

const accessResult = choice({
  get: [1, sequence({ result: dataAccessResult })],
  set: [2, sequence({ result: dataAccessResult })],
  action: [3, sequence({ result: actionResult })],
});
export type AccessResult = Decoded<typeof accessResult>;

const values = listOf(data);
const results = listOf(accessResult);
/** Choice and code of an AccessResult. */
const RESULT_OCTETS = 2;

/**
 * The values of an answer. Some meters count the null-data of sets and actions and leave them out, so that the results
 * begin too early: only then are there as many octets left as these take.
 */
const accessValues: Codec<readonly Data[]> = {
  decode(reader) {
    if (!reader.allows("access-nulls-missing")) return values.decode(reader);
    const count = reader.length(LIMITS.listCount);
    const found: Data[] = [];
    while (found.length < count) {
      const whole = withNulls(found, resultsAhead(reader, count));
      if (whole !== undefined && reader.tolerates("access-nulls-missing")) return whole;
      found.push(decodeField(`[${found.length}]`, data, reader));
    }
    return found;
  },
  encode: (value, writer) => values.encode(value, writer),
};

/** The kinds of the results, if what is left reads as those of `count` specifications that are not all gets. */
function resultsAhead(reader: Reader, count: number): readonly AccessResult["type"][] {
  if (reader.remaining !== 1 + RESULT_OCTETS * count || reader.peek() !== count) return [];
  const { offset } = reader;
  try {
    return results.decode(new Reader(reader.bytes(reader.remaining))).map(({ type }) => type);
  } catch (error) {
    if (error instanceof DlmsError) return [];
    throw error;
  } finally {
    reader.offset = offset;
  }
}

/** The values that were found belong to the gets; undefined when that does not fit. */
function withNulls(found: readonly Data[], kinds: readonly AccessResult["type"][]): readonly Data[] | undefined {
  if (kinds.length === 0 || found.length !== kinds.filter((kind) => kind === "get").length) return undefined;
  const left = found.values();
  return kinds.map((kind) => (kind === "get" ? left.next().value : undefined) ?? { type: "null-data" });
}

export const accessResponse = sequence({
  longInvokeIdAndPriority: u32,
  dateTime,
  specifications: optional(listOf(accessSpecification)),
  /** One value per specification; null-data where there is nothing to give back. */
  data: accessValues,
  results,
});
