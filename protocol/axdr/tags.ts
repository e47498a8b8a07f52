/** The tag of each type of the Data CHOICE (IEC 62056-5-3, Data). Tags 8, 11 and 14 are unused, 7 is not of COSEM. */
export const DATA_TAGS = {
  "null-data": 0,
  array: 1,
  structure: 2,
  boolean: 3,
  "bit-string": 4,
  "double-long": 5,
  "double-long-unsigned": 6,
  "octet-string": 9,
  "visible-string": 10,
  "utf8-string": 12,
  bcd: 13,
  integer: 15,
  long: 16,
  unsigned: 17,
  "long-unsigned": 18,
  "compact-array": 19,
  long64: 20,
  "long64-unsigned": 21,
  enum: 22,
  float32: 23,
  float64: 24,
  "date-time": 25,
  date: 26,
  time: 27,
  "delta-integer": 28,
  "delta-long": 29,
  "delta-double-long": 30,
  "delta-unsigned": 31,
  "delta-long-unsigned": 32,
  "delta-double-long-unsigned": 33,
  "dont-care": 255,
} as const;

export type DataType = keyof typeof DATA_TAGS;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the keys' literal types.
const TYPES = Object.keys(DATA_TAGS) as DataType[];
const TYPE_OF_TAG: (DataType | undefined)[] = [];
for (const type of TYPES) TYPE_OF_TAG[DATA_TAGS[type]] = type;

/** The type that a tag announces, or undefined for a tag that the standard does not have. */
export function dataTypeOf(tag: number): DataType | undefined {
  return TYPE_OF_TAG[tag];
}
