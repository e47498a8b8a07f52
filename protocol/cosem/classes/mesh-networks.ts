/**
 * Meshes: G3-PLC and ZigBee. Attributes and their order are from memory of the Blue Book and have not been held against
 * a meter; tables of neighbours and routes are read as they come.
 */
import { interfaceClass } from "../interface-class.ts";
import {
  anyData,
  arrayOf,
  bitString,
  boolean,
  doubleLongUnsigned,
  enumeration,
  logicalName,
  longUnsigned,
  octetString,
  structure,
  unsigned,
} from "../value-type.ts";

/** G3-PLC MAC layer counters. */
export const g3MacLayerCounters = interfaceClass({
  classId: 90,
  version: 0,
  name: "G3-PLC MAC layer counters",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    macTxDataPacketCount: { id: 2, type: doubleLongUnsigned },
    macRxDataPacketCount: { id: 3, type: doubleLongUnsigned },
    macTxCommandPacketCount: { id: 4, type: doubleLongUnsigned },
    macRxCommandPacketCount: { id: 5, type: doubleLongUnsigned },
    macCsmaFailCount: { id: 6, type: doubleLongUnsigned },
    macCsmaNoAckCount: { id: 7, type: doubleLongUnsigned },
    macBadCrcCount: { id: 8, type: doubleLongUnsigned },
    macTxDataBroadcastCount: { id: 9, type: doubleLongUnsigned },
    macRxDataBroadcastCount: { id: 10, type: doubleLongUnsigned },
  },
  methods: { reset: 1 },
});

export const g3MacLayerCountersV1 = interfaceClass({ ...g3MacLayerCounters, version: 1 });

/** G3-PLC MAC setup. */
export const g3MacSetup = interfaceClass({
  classId: 91,
  version: 0,
  name: "G3-PLC MAC setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    macShortAddress: { id: 2, type: longUnsigned, access: "read-write" },
    macRcCoord: { id: 3, type: longUnsigned, access: "read-write" },
    macPanId: { id: 4, type: longUnsigned, access: "read-write" },
    macKeyTable: { id: 5, type: arrayOf(structure({ keyId: unsigned, key: octetString })), access: "read-write" },
    macFrameCounter: { id: 6, type: doubleLongUnsigned, access: "read-write" },
    macToneMask: { id: 7, type: bitString, access: "read-write" },
    macTmrTtl: { id: 8, type: unsigned, access: "read-write" },
    macMaxFrameRetries: { id: 9, type: unsigned, access: "read-write" },
    macNeighbourTableEntryTtl: { id: 10, type: unsigned, access: "read-write" },
    macNeighbourTable: { id: 11, type: arrayOf(anyData) },
    macHighPriorityWindowSize: { id: 12, type: unsigned, access: "read-write" },
    macCsmaFairnessLimit: { id: 13, type: unsigned, access: "read-write" },
    macBeaconRandomizationWindowLength: { id: 14, type: unsigned, access: "read-write" },
    macA: { id: 15, type: unsigned, access: "read-write" },
    macK: { id: 16, type: unsigned, access: "read-write" },
    macMinCwAttempts: { id: 17, type: unsigned, access: "read-write" },
    macCenelecLegacyMode: { id: 18, type: unsigned },
    macFccLegacyMode: { id: 19, type: unsigned },
    macMaxBe: { id: 20, type: unsigned, access: "read-write" },
    macMaxCsmaBackoffs: { id: 21, type: unsigned, access: "read-write" },
    macMinBe: { id: 22, type: unsigned, access: "read-write" },
  },
  methods: { getNeighbourTableEntry: { id: 1, parameter: longUnsigned, result: anyData } },
});

export const g3MacSetupV1 = interfaceClass({ ...g3MacSetup, version: 1 });

export const g3MacSetupV2 = interfaceClass({
  ...g3MacSetup,
  version: 2,
  attributes: {
    ...g3MacSetup.attributes,
    macBroadcastMaxCwEnabled: { id: 23, type: boolean, access: "read-write" },
    macTransmitAttenuation: { id: 24, type: unsigned, access: "read-write" },
    macPosTable: { id: 25, type: arrayOf(anyData) },
  },
});

export const g3MacSetupV3 = interfaceClass({
  ...g3MacSetupV2,
  version: 3,
  attributes: {
    ...g3MacSetupV2.attributes,
    macDuplicateDetectionTtl: { id: 26, type: unsigned, access: "read-write" },
  },
});

/** G3-PLC 6LoWPAN adaptation layer setup. */
export const g3AdaptationLayerSetup = interfaceClass({
  classId: 92,
  version: 0,
  name: "G3-PLC 6LoWPAN adaptation layer setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    adpMaxHops: { id: 2, type: unsigned, access: "read-write" },
    adpWeakLqiValue: { id: 3, type: unsigned, access: "read-write" },
    adpSecurityLevel: { id: 4, type: unsigned, access: "read-write" },
    adpPrefixTable: { id: 5, type: anyData, access: "read-write" },
    adpRoutingConfiguration: { id: 6, type: anyData, access: "read-write" },
    adpBroadcastLogTableEntryTtl: { id: 7, type: longUnsigned, access: "read-write" },
    adpRoutingTable: { id: 8, type: anyData },
    adpContextInformationTable: { id: 9, type: anyData, access: "read-write" },
    adpBlacklistTable: { id: 10, type: anyData },
    adpBroadcastLogTable: { id: 11, type: anyData },
    adpGroupTable: { id: 12, type: anyData, access: "read-write" },
    adpMaxJoinWaitTime: { id: 13, type: longUnsigned, access: "read-write" },
    adpPathDiscoveryTime: { id: 14, type: unsigned, access: "read-write" },
    adpActiveKeyIndex: { id: 15, type: unsigned, access: "read-write" },
    adpMetricType: { id: 16, type: unsigned, access: "read-write" },
    adpCoordShortAddress: { id: 17, type: longUnsigned, access: "read-write" },
    adpDisableDefaultRouting: { id: 18, type: boolean, access: "read-write" },
    adpDeviceType: { id: 19, type: enumeration({ 0: "device", 1: "coordinator" }), access: "read-write" },
  },
  methods: {},
});

export const g3AdaptationLayerSetupV1 = interfaceClass({ ...g3AdaptationLayerSetup, version: 1 });

export const g3AdaptationLayerSetupV2 = interfaceClass({
  ...g3AdaptationLayerSetup,
  version: 2,
  attributes: {
    ...g3AdaptationLayerSetup.attributes,
    adpDefaultCoordRouteEnabled: { id: 20, type: boolean, access: "read-write" },
    adpDestinationAddressSet: { id: 21, type: anyData, access: "read-write" },
  },
});

export const g3AdaptationLayerSetupV3 = interfaceClass({ ...g3AdaptationLayerSetupV2, version: 3 });

/** ZigBee SAS startup. */
export const zigBeeSasStartup = interfaceClass({
  classId: 101,
  version: 0,
  name: "ZigBee SAS startup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    shortAddress: { id: 2, type: longUnsigned, access: "read-write" },
    extendedPanId: { id: 3, type: octetString, access: "read-write" },
    panId: { id: 4, type: longUnsigned, access: "read-write" },
    channelMask: { id: 5, type: doubleLongUnsigned, access: "read-write" },
    protocolVersion: { id: 6, type: unsigned, access: "read-write" },
    stackProfile: { id: 7, type: unsigned, access: "read-write" },
    startUpControl: { id: 8, type: unsigned, access: "read-write" },
    trustCentreAddress: { id: 9, type: octetString, access: "read-write" },
    linkKey: { id: 10, type: octetString, access: "read-write" },
    networkKey: { id: 11, type: octetString, access: "read-write" },
    useInsecureJoin: { id: 12, type: boolean, access: "read-write" },
  },
  methods: {},
});

/** ZigBee SAS join. */
export const zigBeeSasJoin = interfaceClass({
  classId: 102,
  version: 0,
  name: "ZigBee SAS join",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    scanAttempts: { id: 2, type: unsigned, access: "read-write" },
    timeBetweenScans: { id: 3, type: longUnsigned, access: "read-write" },
    rejoinInterval: { id: 4, type: longUnsigned, access: "read-write" },
    rejoinRetryInterval: { id: 5, type: longUnsigned, access: "read-write" },
  },
  methods: {},
});

/** ZigBee SAS APS fragmentation. */
export const zigBeeSasApsFragmentation = interfaceClass({
  classId: 103,
  version: 0,
  name: "ZigBee SAS APS fragmentation",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    apsInterframeDelay: { id: 2, type: longUnsigned, access: "read-write" },
    apsMaxWindowSize: { id: 3, type: longUnsigned, access: "read-write" },
  },
  methods: {},
});

/** ZigBee network control: who may join, and who has. */
export const zigBeeNetworkControl = interfaceClass({
  classId: 104,
  version: 0,
  name: "ZigBee network control",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    enableDisableJoining: { id: 2, type: boolean, access: "read-write" },
    joinTimeout: { id: 3, type: longUnsigned, access: "read-write" },
    activeDevices: { id: 4, type: arrayOf(anyData) },
  },
  methods: {
    registerDevice: { id: 1, parameter: anyData },
    unregisterDevice: { id: 2, parameter: anyData },
    unregisterAllDevices: 3,
    backupPan: 4,
    restorePan: { id: 5, parameter: anyData },
    identifyDevice: { id: 6, parameter: anyData },
    removeMirror: { id: 7, parameter: anyData },
    updateNetworkKey: 8,
    updateLinkKey: { id: 9, parameter: anyData },
    createPan: 10,
    removePan: 11,
  },
});

/** ZigBee tunnel setup. */
export const zigBeeTunnelSetup = interfaceClass({
  classId: 105,
  version: 0,
  name: "ZigBee tunnel setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    maxIncomingTransferSize: { id: 2, type: longUnsigned, access: "read-write" },
    maxOutgoingTransferSize: { id: 3, type: longUnsigned, access: "read-write" },
    protocolAddress: { id: 4, type: octetString, access: "read-write" },
    closeTunnelTimeout: { id: 5, type: longUnsigned, access: "read-write" },
  },
  methods: {},
});
