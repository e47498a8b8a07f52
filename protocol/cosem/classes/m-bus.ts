/** M-Bus, wired and wireless: sub-meters of a meter, and meters on an M-Bus. */
import { interfaceClass } from "../interface-class.ts";
import {
  anyData,
  arrayOf,
  doubleLongUnsigned,
  enumeration,
  logicalName,
  longUnsigned,
  octetString,
  structure,
  taggedDateTime,
  unsigned,
} from "../value-type.ts";
import { baudRate, window } from "./shared-types.ts";

/** M-Bus slave port setup. */
export const mBusSlavePortSetup = interfaceClass({
  classId: 25,
  version: 0,
  name: "M-Bus slave port setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    defaultBaud: { id: 2, type: baudRate, access: "read-write" },
    availableBaud: { id: 3, type: baudRate, access: "read-write" },
    addressState: { id: 4, type: enumeration({ 0: "not assigned", 1: "assigned" }), access: "read-write" },
    busAddress: { id: 5, type: unsigned, access: "read-write" },
  },
  methods: {},
});

/** M-Bus client: one sub-meter. */
export const mBusClient = interfaceClass({
  classId: 72,
  version: 0,
  name: "M-Bus client",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    mBusPortReference: { id: 2, type: logicalName },
    captureDefinition: {
      id: 3,
      type: arrayOf(structure({ dataInformationBlock: octetString, valueInformationBlock: octetString })),
      access: "read-write",
    },
    capturePeriod: { id: 4, type: doubleLongUnsigned, access: "read-write" },
    primaryAddress: { id: 5, type: unsigned, access: "read-write" },
    identificationNumber: { id: 6, type: doubleLongUnsigned, access: "read-write" },
    manufacturerId: { id: 7, type: longUnsigned, access: "read-write" },
    version: { id: 8, type: unsigned, access: "read-write" },
    deviceType: { id: 9, type: unsigned, access: "read-write" },
    accessNumber: { id: 10, type: unsigned },
    status: { id: 11, type: unsigned },
    alarm: { id: 12, type: unsigned },
  },
  methods: {
    slaveInstall: { id: 1, parameter: unsigned },
    slaveDeinstall: 2,
    capture: 3,
    resetAlarm: 4,
    synchronizeClock: 5,
    dataSend: {
      id: 6,
      parameter: arrayOf(
        structure({ dataInformationBlock: octetString, valueInformationBlock: octetString, data: anyData }),
      ),
    },
    setEncryptionKey: { id: 7, parameter: octetString },
    transferKey: { id: 8, parameter: octetString },
  },
  methodOffset: 0x60,
});

/** Version 1 tells the configuration word and the state of the key. */
export const mBusClientV1 = interfaceClass({
  ...mBusClient,
  version: 1,
  attributes: {
    ...mBusClient.attributes,
    configuration: { id: 13, type: longUnsigned, access: "read-write" },
    encryptionKeyStatus: {
      id: 14,
      type: enumeration({
        0: "no key",
        1: "key set",
        2: "key transferred",
        3: "key set and transferred",
        4: "key in use",
      }),
    },
  },
  methodOffset: 0x70,
});

/** Wireless mode Q channel. */
export const wirelessModeQChannel = interfaceClass({
  classId: 73,
  version: 0,
  name: "Wireless Mode Q channel",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    addressState: { id: 2, type: enumeration(), access: "read-write" },
    deviceAddress: { id: 3, type: octetString, access: "read-write" },
    addressMask: { id: 4, type: octetString, access: "read-write" },
  },
  methods: {},
});

export const wirelessModeQChannelV1 = interfaceClass({ ...wirelessModeQChannel, version: 1 });

/** M-Bus master port setup. */
export const mBusMasterPortSetup = interfaceClass({
  classId: 74,
  version: 0,
  name: "M-Bus master port setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    commSpeed: { id: 2, type: baudRate, access: "read-write" },
  },
  methods: {},
});

/** DLMS server M-Bus port setup: a DLMS server that is reached over M-Bus. */
export const dlmsServerMBusPortSetup = interfaceClass({
  classId: 76,
  version: 0,
  name: "DLMS server M-Bus port setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    mBusProfileSelection: { id: 2, type: logicalName, access: "read-write" },
    mBusPortCommunicationState: { id: 3, type: enumeration() },
    mBusDataHeaderType: { id: 4, type: enumeration({ 0: "none", 1: "short", 2: "long" }), access: "read-write" },
    primaryAddress: { id: 5, type: unsigned, access: "read-write" },
    identificationNumber: { id: 6, type: doubleLongUnsigned, access: "read-write" },
    manufacturerId: { id: 7, type: longUnsigned },
    version: { id: 8, type: unsigned },
    deviceType: { id: 9, type: unsigned },
    maxPduSize: { id: 10, type: longUnsigned, access: "read-write" },
    listeningWindow: { id: 11, type: arrayOf(window), access: "read-write" },
  },
  methods: {},
});

/** M-Bus diagnostic: signal and counters. */
export const mBusDiagnostic = interfaceClass({
  classId: 77,
  version: 0,
  name: "M-Bus diagnostic",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    receivedSignalStrength: { id: 2, type: unsigned },
    channelId: { id: 3, type: unsigned },
    linkStatus: {
      id: 4,
      type: enumeration({
        0: "none",
        1: "normal",
        2: "temporarily interrupted",
        3: "permanently interrupted",
      }),
    },
    broadcastFrames: {
      id: 5,
      type: arrayOf(structure({ clientId: unsigned, counter: doubleLongUnsigned, timeStamp: taggedDateTime })),
    },
    transmissionsCounter: { id: 6, type: doubleLongUnsigned },
    fcsOkFramesCounter: { id: 7, type: doubleLongUnsigned },
    fcsNokFramesCounter: { id: 8, type: doubleLongUnsigned },
    captureTime: { id: 9, type: structure({ attributeId: unsigned, timeStamp: taggedDateTime }) },
  },
  methods: { reset: 1 },
});
