/** Values: data, registers and what selects between registers (Blue Book, data storage classes). */
import { interfaceClass } from "../interface-class.ts";
import {
  anyData,
  arrayOf,
  dateTime,
  doubleLongUnsigned,
  integer,
  logicalName,
  longUnsigned,
  octetString,
  structure,
  unsigned,
} from "../value-type.ts";
import { objectDefinition, scalerUnit } from "./shared-types.ts";

/** Data: one value of any type. */
export const data = interfaceClass({
  classId: 1,
  version: 0,
  name: "Data",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    value: { id: 2, type: anyData, access: "read-write" },
  },
  methods: {},
});

/** Register: one process value with its scaler and unit. */
export const register = interfaceClass({
  classId: 3,
  version: 0,
  name: "Register",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    value: { id: 2, type: anyData },
    scalerUnit: { id: 3, type: scalerUnit, static: true },
  },
  methods: { reset: 1 },
  methodOffset: 0x28,
});

/** Extended register: a value with a status and the time of its capture, as a maximum demand has. */
export const extendedRegister = interfaceClass({
  classId: 4,
  version: 0,
  name: "Extended register",
  attributes: {
    ...register.attributes,
    status: { id: 4, type: anyData },
    captureTime: { id: 5, type: dateTime },
  },
  methods: { reset: 1 },
  methodOffset: 0x38,
});

/** Demand register: the running and the last average of a block or sliding demand. */
export const demandRegister = interfaceClass({
  classId: 5,
  version: 0,
  name: "Demand register",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    currentAverageValue: { id: 2, type: anyData },
    lastAverageValue: { id: 3, type: anyData },
    scalerUnit: { id: 4, type: scalerUnit, static: true },
    status: { id: 5, type: anyData },
    captureTime: { id: 6, type: dateTime },
    startTimeCurrent: { id: 7, type: dateTime },
    period: { id: 8, type: doubleLongUnsigned, access: "read-write" },
    numberOfPeriods: { id: 9, type: longUnsigned, access: "read-write" },
  },
  methods: { reset: 1, nextPeriod: 2 },
  methodOffset: 0x48,
});

/** Register activation: which registers run, chosen by a mask such as a tariff's. */
export const registerActivation = interfaceClass({
  classId: 6,
  version: 0,
  name: "Register activation",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    registerAssignment: { id: 2, type: arrayOf(objectDefinition), access: "read-write" },
    maskList: {
      id: 3,
      type: arrayOf(structure({ maskName: octetString, indexList: arrayOf(unsigned) })),
      access: "read-write",
    },
    activeMask: { id: 4, type: octetString },
  },
  methods: {
    addRegister: { id: 1, parameter: objectDefinition },
    addMask: { id: 2, parameter: structure({ maskName: octetString, indexList: arrayOf(unsigned) }) },
    deleteMask: { id: 3, parameter: octetString },
  },
  methodOffset: 0x30,
});

/** Register table: the same attribute of objects that differ in value group E. */
export const registerTable = interfaceClass({
  classId: 61,
  version: 0,
  name: "Register table",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    tableCellValues: { id: 2, type: anyData },
    tableCellDefinition: {
      id: 3,
      type: structure({
        classId: longUnsigned,
        logicalName,
        groupEValues: arrayOf(unsigned),
        attributeIndex: integer,
      }),
      access: "read-write",
    },
    scalerUnit: { id: 4, type: scalerUnit, static: true },
  },
  methods: { reset: 1, capture: 2 },
  methodOffset: 0x28,
});

/** Status mapping: a status word and the table that says what its bits mean. */
export const statusMapping = interfaceClass({
  classId: 63,
  version: 0,
  name: "Status mapping",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    statusWord: { id: 2, type: anyData },
    mappingTable: { id: 3, type: structure({ referenceTableId: unsigned, mapping: anyData }) },
  },
  methods: {},
});
