/**
 * Narrow-band power line carrier: S-FSK (IEC 61334), its LLCs, PRIME. Attributes and their order are from memory of the
 * Blue Book and have not been held against a meter.
 */
import { interfaceClass } from "../interface-class.ts";
import {
  arrayOf,
  boolean,
  doubleLongUnsigned,
  enumeration,
  integer,
  logicalName,
  long,
  longUnsigned,
  octetString,
  octetStringOf,
  structure,
  unsigned,
} from "../value-type.ts";

/** S-FSK Phy&MAC setup. */
export const sFskPhyMacSetup = interfaceClass({
  classId: 50,
  version: 0,
  name: "S-FSK Phy&MAC setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    initiatorElectricalPhase: {
      id: 2,
      type: enumeration({ 0: "not defined", 1: "phase 1", 2: "phase 2", 3: "phase 3" }),
      access: "read-write",
    },
    deltaElectricalPhase: { id: 3, type: enumeration() },
    maxReceivingGain: { id: 4, type: unsigned, access: "read-write" },
    maxTransmittingGain: { id: 5, type: unsigned, access: "read-write" },
    searchInitiatorThreshold: { id: 6, type: unsigned, access: "read-write" },
    frequencies: {
      id: 7,
      type: structure({ markFrequency: doubleLongUnsigned, spaceFrequency: doubleLongUnsigned }),
      access: "read-write",
    },
    macAddress: { id: 8, type: longUnsigned },
    macGroupAddresses: { id: 9, type: arrayOf(longUnsigned), access: "read-write" },
    repeater: { id: 10, type: enumeration({ 0: "never", 1: "always", 2: "dynamic" }), access: "read-write" },
    repeaterStatus: { id: 11, type: boolean },
    minDeltaCredit: { id: 12, type: unsigned },
    initiatorMacAddress: { id: 13, type: longUnsigned },
    synchronizationLocked: { id: 14, type: boolean },
    transmissionSpeed: {
      id: 15,
      type: enumeration({ 0: "300", 1: "600", 2: "1200", 3: "2400", 4: "4800", 5: "7200" }),
    },
  },
  methods: {},
});

export const sFskPhyMacSetupV1 = interfaceClass({ ...sFskPhyMacSetup, version: 1 });

/** S-FSK Active initiator. */
export const sFskActiveInitiator = interfaceClass({
  classId: 51,
  version: 0,
  name: "S-FSK Active initiator",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    activeInitiator: {
      id: 2,
      type: structure({ systemTitle: octetString, macAddress: longUnsigned, lSapSelector: unsigned }),
    },
  },
  methods: { resetNewNotSynchronized: { id: 1, parameter: longUnsigned } },
});

/** S-FSK MAC synchronization timeouts, in seconds. */
export const sFskMacSynchronizationTimeouts = interfaceClass({
  classId: 52,
  version: 0,
  name: "S-FSK MAC synchronization timeouts",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    searchInitiatorTimeOut: { id: 2, type: longUnsigned, access: "read-write" },
    synchronizationConfirmationTimeOut: { id: 3, type: longUnsigned, access: "read-write" },
    timeOutNotAddressed: { id: 4, type: longUnsigned, access: "read-write" },
    timeOutFrameNotOk: { id: 5, type: longUnsigned, access: "read-write" },
  },
  methods: {},
});

const macCounter = structure({ macAddress: longUnsigned, counter: doubleLongUnsigned });

/** S-FSK MAC counters. */
export const sFskMacCounters = interfaceClass({
  classId: 53,
  version: 0,
  name: "S-FSK MAC counters",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    synchronizationRegister: { id: 2, type: arrayOf(macCounter) },
    desynchronizationListing: {
      id: 3,
      type: structure({
        physicalLayer: doubleLongUnsigned,
        timeOutNotAddressed: doubleLongUnsigned,
        timeOutFrameNotOk: doubleLongUnsigned,
        writeRequest: doubleLongUnsigned,
        wrongInitiator: doubleLongUnsigned,
      }),
    },
    broadcastFramesCounter: { id: 4, type: arrayOf(macCounter) },
    repetitionsCounter: { id: 5, type: doubleLongUnsigned },
    transmissionsCounter: { id: 6, type: doubleLongUnsigned },
    crcOkFramesCounter: { id: 7, type: doubleLongUnsigned },
    crcNokFramesCounter: { id: 8, type: doubleLongUnsigned },
  },
  methods: { reset: 1 },
});

/** IEC 61334-4-32 LLC setup. */
export const iec61334LlcSetup = interfaceClass({
  classId: 55,
  version: 0,
  name: "IEC 61334-4-32 LLC setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    maxFrameLength: { id: 2, type: unsigned },
    replyStatusList: {
      id: 3,
      type: arrayOf(structure({ lSapSelector: unsigned, lengthOfWaitingLSdu: unsigned })),
    },
  },
  methods: {},
});

export const iec61334LlcSetupV1 = interfaceClass({ ...iec61334LlcSetup, version: 1 });

/** S-FSK Reporting system list. */
export const sFskReportingSystemList = interfaceClass({
  classId: 56,
  version: 0,
  name: "S-FSK Reporting system list",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    reportingSystemList: { id: 2, type: arrayOf(octetString) },
  },
  methods: {},
});

/** ISO/IEC 8802-2 LLC Type 1 setup. */
export const llcType1Setup = interfaceClass({
  classId: 57,
  version: 0,
  name: "ISO/IEC 8802-2 LLC Type 1 setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    maxOctetsUiPdu: { id: 2, type: longUnsigned, access: "read-write" },
  },
  methods: {},
});

/** ISO/IEC 8802-2 LLC Type 2 setup. */
export const llcType2Setup = interfaceClass({
  classId: 58,
  version: 0,
  name: "ISO/IEC 8802-2 LLC Type 2 setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    transmitWindowSizeK: { id: 2, type: unsigned, access: "read-write" },
    transmitWindowSizeRw: { id: 3, type: unsigned, access: "read-write" },
    maxOctetsIPdu: { id: 4, type: longUnsigned, access: "read-write" },
    maxNumberTransmissions: { id: 5, type: unsigned, access: "read-write" },
    acknowledgementTimer: { id: 6, type: longUnsigned, access: "read-write" },
    pBitTimer: { id: 7, type: longUnsigned, access: "read-write" },
    rejectTimer: { id: 8, type: longUnsigned, access: "read-write" },
    busyStateTimer: { id: 9, type: longUnsigned, access: "read-write" },
  },
  methods: {},
});

/** ISO/IEC 8802-2 LLC Type 3 setup. */
export const llcType3Setup = interfaceClass({
  classId: 59,
  version: 0,
  name: "ISO/IEC 8802-2 LLC Type 3 setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    maxOctetsAcnPdu: { id: 2, type: longUnsigned, access: "read-write" },
    maxNumberTransmissions: { id: 3, type: unsigned, access: "read-write" },
    acknowledgementTime: { id: 4, type: longUnsigned, access: "read-write" },
    receiveLifetime: { id: 5, type: longUnsigned, access: "read-write" },
    transmitLifetime: { id: 6, type: longUnsigned, access: "read-write" },
  },
  methods: {},
});

/** 61334-4-32 LLC SSCS setup of PRIME: addresses of the service node and of its base node. */
export const primeLlcSscsSetup = interfaceClass({
  classId: 80,
  version: 0,
  name: "61334-4-32 LLC SSCS setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    serviceNodeAddress: { id: 2, type: longUnsigned },
    baseNodeAddress: { id: 3, type: longUnsigned },
  },
  methods: { reset: 1 },
});

/** PRIME physical layer counters. */
export const primePhysicalLayerCounters = interfaceClass({
  classId: 81,
  version: 0,
  name: "PRIME NB OFDM PLC physical layer counters",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    crcIncorrectCount: { id: 2, type: longUnsigned },
    crcFailedCount: { id: 3, type: longUnsigned },
    txDropCount: { id: 4, type: longUnsigned },
    rxDropCount: { id: 5, type: longUnsigned },
  },
  methods: { reset: 1 },
});

/** PRIME MAC setup. */
export const primeMacSetup = interfaceClass({
  classId: 82,
  version: 0,
  name: "PRIME NB OFDM PLC MAC setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    macMinSwitchSearchTime: { id: 2, type: unsigned, access: "read-write" },
    macMaxPromotionPdu: { id: 3, type: unsigned, access: "read-write" },
    macPromotionPduTxPeriod: { id: 4, type: unsigned, access: "read-write" },
    macBeaconsPerFrame: { id: 5, type: unsigned, access: "read-write" },
    macScpMaxTxAttempts: { id: 6, type: unsigned, access: "read-write" },
    macCtlReTxTimer: { id: 7, type: unsigned, access: "read-write" },
    macMaxCtlReTx: { id: 8, type: unsigned, access: "read-write" },
  },
  methods: {},
});

/** PRIME MAC functional parameters. */
export const primeMacFunctionalParameters = interfaceClass({
  classId: 83,
  version: 0,
  name: "PRIME NB OFDM PLC MAC functional parameters",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    macLnid: { id: 2, type: long },
    macLsid: { id: 3, type: unsigned },
    macSid: { id: 4, type: unsigned },
    macSna: { id: 5, type: octetString },
    macState: { id: 6, type: enumeration({ 0: "disconnected", 1: "terminal", 2: "switch", 3: "base" }) },
    macScpLength: { id: 7, type: long },
    macNodeHierarchyLevel: { id: 8, type: unsigned },
    macBeaconSlotCount: { id: 9, type: unsigned },
    macBeaconRxSlot: { id: 10, type: unsigned },
    macBeaconTxSlot: { id: 11, type: unsigned },
    macBeaconRxFrequency: { id: 12, type: unsigned },
    macBeaconTxFrequency: { id: 13, type: unsigned },
    macCapabilities: { id: 14, type: longUnsigned },
  },
  methods: {},
});

/** PRIME MAC counters. */
export const primeMacCounters = interfaceClass({
  classId: 84,
  version: 0,
  name: "PRIME NB OFDM PLC MAC counters",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    macTxDataPacketCount: { id: 2, type: doubleLongUnsigned },
    macRxDataPacketCount: { id: 3, type: doubleLongUnsigned },
    macTxControlPacketCount: { id: 4, type: doubleLongUnsigned },
    macRxControlPacketCount: { id: 5, type: doubleLongUnsigned },
    macCsmaFailCount: { id: 6, type: doubleLongUnsigned },
    macCsmaChannelBusyCount: { id: 7, type: doubleLongUnsigned },
  },
  methods: { reset: 1 },
});

/** PRIME MAC network administration data. */
export const primeNetworkAdministration = interfaceClass({
  classId: 85,
  version: 0,
  name: "PRIME NB OFDM PLC MAC network administration data",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    macListMulticastEntries: { id: 2, type: arrayOf(structure({ lcid: integer, members: long })) },
    macListSwitchTable: { id: 3, type: arrayOf(long) },
    macListDirectTable: {
      id: 4,
      type: arrayOf(
        structure({
          sourceSid: long,
          sourceLnid: long,
          sourceLcid: long,
          destinationSid: long,
          destinationLnid: long,
          destinationLcid: long,
          destinationEui48: octetStringOf(6),
        }),
      ),
    },
    macListAvailableSwitches: {
      id: 5,
      type: arrayOf(structure({ sna: octetString, lsid: long, level: integer, rxLevel: integer, rxSnr: integer })),
    },
    macListPhyCommunication: {
      id: 6,
      type: arrayOf(
        structure({
          eui48: octetString,
          txPower: integer,
          txCoding: integer,
          rxCoding: integer,
          rxLevel: integer,
          rxSnr: integer,
          txPowerModified: integer,
          txCodingModified: integer,
          rxCodingModified: integer,
        }),
      ),
    },
  },
  methods: { reset: 1 },
});

/** PRIME applications identification. */
export const primeApplicationsIdentification = interfaceClass({
  classId: 86,
  version: 0,
  name: "PRIME NB OFDM PLC applications identification",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    firmwareVersion: { id: 2, type: octetString },
    vendorId: { id: 3, type: longUnsigned },
    productId: { id: 4, type: longUnsigned },
  },
  methods: {},
});
