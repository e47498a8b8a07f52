/** Captured rows: profile generic, compact data and ANSI tables. */
import { interfaceClass } from "../interface-class.ts";
import {
  anyData,
  arrayOf,
  doubleLongUnsigned,
  enumeration,
  logicalName,
  longUnsigned,
  octetString,
  unsigned,
} from "../value-type.ts";
import { captureObject, pushObjectList } from "./shared-types.ts";

/** Sort methods of a profile: fifo and lifo by time, the others by the value of the sort object. */
export const SORT_METHODS = {
  1: "fifo",
  2: "lifo",
  3: "largest",
  4: "smallest",
  5: "nearest to zero",
  6: "farthest from zero",
} as const;

/** Profile generic: rows of captured attributes. */
export const profileGeneric = interfaceClass({
  classId: 7,
  version: 1,
  name: "Profile generic",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    buffer: { id: 2, type: anyData },
    captureObjects: { id: 3, type: arrayOf(captureObject), static: true, access: "read-write" },
    capturePeriod: { id: 4, type: doubleLongUnsigned, static: true, access: "read-write" },
    sortMethod: { id: 5, type: enumeration(SORT_METHODS), static: true },
    sortObject: { id: 6, type: anyData, static: true },
    entriesInUse: { id: 7, type: doubleLongUnsigned },
    profileEntries: { id: 8, type: doubleLongUnsigned, static: true, access: "read-write" },
  },
  methods: { reset: 1, capture: 2 },
  methodOffset: 0x58,
});

/** The first version read its rows by methods too. */
export const profileGenericV0 = interfaceClass({
  ...profileGeneric,
  version: 0,
  methods: { reset: 1, capture: 2, getBufferByRange: 3, getBufferByIndex: 4 },
});

/** Utility tables: a table of ANSI C12.19. */
export const utilityTables = interfaceClass({
  classId: 26,
  version: 0,
  name: "Utility tables",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    tableId: { id: 2, type: longUnsigned, static: true },
    length: { id: 3, type: doubleLongUnsigned },
    buffer: { id: 4, type: octetString, access: "read-write" },
  },
  methods: {},
});

/** Compact data: captured values back to back, described once by a template. */
export const compactData = interfaceClass({
  classId: 62,
  version: 0,
  name: "Compact data",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    compactBuffer: { id: 2, type: octetString },
    captureObjects: { id: 3, type: arrayOf(captureObject), access: "read-write" },
    templateId: { id: 4, type: unsigned, access: "read-write" },
    templateDescription: { id: 5, type: octetString },
    captureMethod: { id: 6, type: enumeration({ 0: "invoke", 1: "implicit" }) },
  },
  methods: { reset: 1, capture: 2 },
});

/** Version 1 restricts what it captures from profiles. */
export const compactDataV1 = interfaceClass({
  ...compactData,
  version: 1,
  attributes: {
    ...compactData.attributes,
    captureObjects: { id: 3, type: pushObjectList(1), access: "read-write" },
  },
});
