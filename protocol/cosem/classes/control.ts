/** Control: switches, limits, monitors, firmware and functions. */
import { interfaceClass } from "../interface-class.ts";
import {
  anyData,
  arrayOf,
  bitString,
  boolean,
  dateTime,
  doubleLongUnsigned,
  enumeration,
  integer,
  logicalName,
  longUnsigned,
  octetString,
  structure,
  taggedDateTime,
  unsigned,
} from "../value-type.ts";
import { objectDefinition, scalerUnit, scriptReference, valueDefinition } from "./shared-types.ts";

/** Image transfer: firmware in blocks numbered from 0; the first bit of the status is block 0. */
export const imageTransfer = interfaceClass({
  classId: 18,
  version: 0,
  name: "Image transfer",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    imageBlockSize: { id: 2, type: doubleLongUnsigned },
    imageTransferredBlocksStatus: { id: 3, type: bitString },
    imageFirstNotTransferredBlockNumber: { id: 4, type: doubleLongUnsigned },
    imageTransferEnabled: { id: 5, type: boolean, access: "read-write" },
    imageTransferStatus: {
      id: 6,
      type: enumeration({
        0: "not initiated",
        1: "initiated",
        2: "verification initiated",
        3: "verification successful",
        4: "verification failed",
        5: "activation initiated",
        6: "activation successful",
        7: "activation failed",
      }),
    },
    imageToActivateInfo: {
      id: 7,
      type: arrayOf(structure({ size: doubleLongUnsigned, identification: octetString, signature: octetString })),
    },
  },
  methods: {
    imageTransferInitiate: {
      id: 1,
      parameter: structure({ imageIdentifier: octetString, imageSize: doubleLongUnsigned }),
    },
    imageBlockTransfer: {
      id: 2,
      parameter: structure({ imageBlockNumber: doubleLongUnsigned, imageBlockValue: octetString }),
    },
    imageVerify: 3,
    imageActivate: 4,
  },
  methodOffset: 0x40,
});

export const imageTransferV1 = interfaceClass({ ...imageTransfer, version: 1 });

/** Register monitor: scripts when a value crosses a threshold upwards or downwards. */
export const registerMonitor = interfaceClass({
  classId: 21,
  version: 0,
  name: "Register monitor",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    thresholds: { id: 2, type: arrayOf(anyData), access: "read-write" },
    monitoredValue: { id: 3, type: valueDefinition, access: "read-write" },
    actions: {
      id: 4,
      type: arrayOf(structure({ actionUp: scriptReference, actionDown: scriptReference })),
      access: "read-write",
    },
  },
  methods: {},
});

/** Parameter monitor: which parameter of a list changed last. */
export const parameterMonitor = interfaceClass({
  classId: 65,
  version: 0,
  name: "Parameter monitor",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    changedParameter: {
      id: 2,
      type: structure({ classId: longUnsigned, logicalName, attributeIndex: integer, attributeValue: anyData }),
    },
    captureTime: { id: 3, type: dateTime },
    parameterList: { id: 4, type: arrayOf(valueDefinition), access: "read-write" },
  },
  methods: {
    addParameter: { id: 1, parameter: valueDefinition },
    deleteParameter: { id: 2, parameter: valueDefinition },
  },
});

/** Version 1 digests the values of the list. */
export const parameterMonitorV1 = interfaceClass({
  ...parameterMonitor,
  version: 1,
  attributes: {
    ...parameterMonitor.attributes,
    parameterListName: { id: 5, type: octetString, access: "read-write" },
    hashAlgorithmId: { id: 6, type: enumeration(), access: "read-write" },
    parameterValueDigest: { id: 7, type: octetString },
    parameterValues: { id: 8, type: anyData },
  },
});

/** Measurement data monitoring; its further attributes are read as they come. */
export const measurementDataMonitoring = interfaceClass({
  classId: 66,
  version: 0,
  name: "Measurement data monitoring",
  attributes: { logicalName: { id: 1, type: logicalName, static: true } },
  methods: {},
});

const thresholdActions = arrayOf(structure({ actionUp: scriptReference, actionDown: scriptReference }));

/** Sensor manager: a sensor with its raw and its processed value. */
export const sensorManager = interfaceClass({
  classId: 67,
  version: 0,
  name: "Sensor manager",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    serialNumber: { id: 2, type: octetString },
    metrologicalIdentification: { id: 3, type: octetString },
    outputType: { id: 4, type: enumeration() },
    adjustmentMethod: { id: 5, type: octetString },
    sealingMethod: { id: 6, type: enumeration() },
    rawValue: { id: 7, type: anyData },
    scalerUnit: { id: 8, type: scalerUnit, static: true },
    status: { id: 9, type: anyData },
    captureTime: { id: 10, type: taggedDateTime },
    rawValueThresholds: { id: 11, type: arrayOf(anyData), access: "read-write" },
    rawValueActions: { id: 12, type: thresholdActions, access: "read-write" },
    processedValue: { id: 13, type: valueDefinition },
    processedValueThresholds: { id: 14, type: arrayOf(anyData), access: "read-write" },
    processedValueActions: { id: 15, type: thresholdActions, access: "read-write" },
  },
  methods: { reset: 1 },
});

/** Arbitrator: decides between actors that ask for conflicting actions. */
export const arbitrator = interfaceClass({
  classId: 68,
  version: 0,
  name: "Arbitrator",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    actions: { id: 2, type: arrayOf(scriptReference), access: "read-write" },
    permissionsTable: { id: 3, type: arrayOf(bitString), access: "read-write" },
    weightingsTable: { id: 4, type: arrayOf(arrayOf(longUnsigned)), access: "read-write" },
    mostRecentRequestsTable: { id: 5, type: arrayOf(bitString) },
    lastOutcome: { id: 6, type: unsigned },
  },
  methods: {
    requestAction: { id: 1, parameter: structure({ requestor: unsigned, requestedActions: bitString }) },
    reset: 2,
  },
});

/** Disconnect control: the load switch. The mode says which of the remote, manual and local ways are open. */
export const disconnectControl = interfaceClass({
  classId: 70,
  version: 0,
  name: "Disconnect control",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    outputState: { id: 2, type: boolean },
    controlState: { id: 3, type: enumeration({ 0: "disconnected", 1: "connected", 2: "ready for reconnection" }) },
    controlMode: { id: 4, type: enumeration(), access: "read-write" },
  },
  methods: { remoteDisconnect: 1, remoteReconnect: 2 },
  methodOffset: 0x20,
});

/** Limiter: opens the load switch when a value stays above a threshold. */
export const limiter = interfaceClass({
  classId: 71,
  version: 0,
  name: "Limiter",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    monitoredValue: { id: 2, type: valueDefinition, access: "read-write" },
    thresholdActive: { id: 3, type: anyData },
    thresholdNormal: { id: 4, type: anyData, access: "read-write" },
    thresholdEmergency: { id: 5, type: anyData, access: "read-write" },
    minOverThresholdDuration: { id: 6, type: doubleLongUnsigned, access: "read-write" },
    minUnderThresholdDuration: { id: 7, type: doubleLongUnsigned, access: "read-write" },
    emergencyProfile: {
      id: 8,
      type: structure({
        emergencyProfileId: longUnsigned,
        emergencyActivationTime: dateTime,
        emergencyDuration: doubleLongUnsigned,
      }),
      access: "read-write",
    },
    emergencyProfileGroupIdList: { id: 9, type: arrayOf(longUnsigned), access: "read-write" },
    emergencyProfileActive: { id: 10, type: boolean },
    actions: {
      id: 11,
      type: structure({ actionOverThreshold: scriptReference, actionUnderThreshold: scriptReference }),
      access: "read-write",
    },
  },
  methods: {},
});

const functionBlock = structure({ functionName: octetString, functionSpecifications: arrayOf(objectDefinition) });
const functionStatus = structure({ functionName: octetString, status: boolean });

/** Function control: switches functions of the meter on and off by name. */
export const functionControl = interfaceClass({
  classId: 122,
  version: 0,
  name: "Function control",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    activationStatus: { id: 2, type: arrayOf(functionStatus) },
    functionList: { id: 3, type: arrayOf(functionBlock) },
  },
  methods: {
    setFunctionStatus: { id: 1, parameter: arrayOf(functionStatus) },
    addFunction: { id: 2, parameter: functionBlock },
    removeFunction: { id: 3, parameter: functionBlock },
  },
});

const entryRange = structure({
  arrayObjectId: unsigned,
  range: structure({ from: longUnsigned, to: longUnsigned }),
});
const indexedEntry = structure({
  arrayObjectId: unsigned,
  entry: structure({ index: longUnsigned, value: anyData }),
});

/** Array manager: entries of arrays in other objects, one by one. */
export const arrayManager = interfaceClass({
  classId: 123,
  version: 0,
  name: "Array manager",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    arrayObjectList: { id: 2, type: arrayOf(structure({ arrayObjectId: unsigned, arrayObject: valueDefinition })) },
  },
  methods: {
    retrieveNumberOfEntries: { id: 1, parameter: unsigned, result: longUnsigned },
    retrieveEntries: { id: 2, parameter: entryRange, result: anyData },
    insertEntry: { id: 3, parameter: indexedEntry },
    updateEntry: { id: 4, parameter: indexedEntry },
    removeEntry: { id: 5, parameter: entryRange },
  },
});
