/** TCP/IP, CoAP and the cellular network. */
import { interfaceClass } from "../interface-class.ts";
import {
  anyData,
  arrayOf,
  boolean,
  doubleLongUnsigned,
  enumeration,
  integer,
  logicalName,
  longUnsigned,
  octetString,
  octetStringOf,
  structure,
  taggedDateTime,
  unsigned,
  visibleString,
} from "../value-type.ts";
import { protocolOption } from "./shared-types.ts";

/** TCP-UDP setup: port and limits. */
export const tcpUdpSetup = interfaceClass({
  classId: 41,
  version: 0,
  name: "TCP-UDP setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    tcpUdpPort: { id: 2, type: longUnsigned, access: "read-write" },
    ipReference: { id: 3, type: logicalName, access: "read-write" },
    maximumSegmentSize: { id: 4, type: longUnsigned, access: "read-write" },
    numberOfSimultaneousConnections: { id: 5, type: unsigned, access: "read-write" },
    inactivityTimeOut: { id: 6, type: longUnsigned, access: "read-write" },
  },
  methods: {},
});

/** IPv4 setup. */
export const ipv4Setup = interfaceClass({
  classId: 42,
  version: 0,
  name: "IPv4 setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    dataLinkReference: { id: 2, type: logicalName, access: "read-write" },
    ipAddress: { id: 3, type: doubleLongUnsigned, access: "read-write" },
    multicastIpAddress: { id: 4, type: arrayOf(doubleLongUnsigned), access: "read-write" },
    ipOptions: { id: 5, type: arrayOf(protocolOption), access: "read-write" },
    subnetMask: { id: 6, type: doubleLongUnsigned, access: "read-write" },
    gatewayIpAddress: { id: 7, type: doubleLongUnsigned, access: "read-write" },
    useDhcpFlag: { id: 8, type: boolean, access: "read-write" },
    primaryDnsAddress: { id: 9, type: doubleLongUnsigned, access: "read-write" },
    secondaryDnsAddress: { id: 10, type: doubleLongUnsigned, access: "read-write" },
  },
  methods: {
    addMulticastIpAddress: { id: 1, parameter: doubleLongUnsigned },
    deleteMulticastIpAddress: { id: 2, parameter: doubleLongUnsigned },
    getNumberOfMulticastIpAddresses: { id: 3, result: longUnsigned },
  },
  methodOffset: 0x60,
});

/** MAC address setup. */
export const macAddressSetup = interfaceClass({
  classId: 43,
  version: 0,
  name: "MAC address setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    macAddress: { id: 2, type: octetString, access: "read-write" },
  },
  methods: {},
});

const pppOption = structure({ type: unsigned, length: unsigned, data: anyData });

/** PPP setup. */
export const pppSetup = interfaceClass({
  classId: 44,
  version: 0,
  name: "PPP setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    phyReference: { id: 2, type: logicalName, access: "read-write" },
    lcpOptions: { id: 3, type: arrayOf(pppOption), access: "read-write" },
    ipcpOptions: { id: 4, type: arrayOf(pppOption), access: "read-write" },
    pppAuthentication: { id: 5, type: anyData, access: "read-write" },
  },
  methods: {},
});

const qualityOfService = structure({
  precedence: unsigned,
  delay: unsigned,
  reliability: unsigned,
  peakThroughput: unsigned,
  meanThroughput: unsigned,
});

/** GPRS modem setup: access point and PIN. */
export const gprsModemSetup = interfaceClass({
  classId: 45,
  version: 0,
  name: "GPRS modem setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    apn: { id: 2, type: octetString, access: "read-write" },
    pinCode: { id: 3, type: longUnsigned, access: "read-write" },
    qualityOfService: {
      id: 4,
      type: structure({ default: qualityOfService, requested: qualityOfService }),
      access: "read-write",
    },
  },
  methods: {},
});

/** SMTP setup. */
export const smtpSetup = interfaceClass({
  classId: 46,
  version: 0,
  name: "SMTP setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    serverPort: { id: 2, type: longUnsigned, access: "read-write" },
    userName: { id: 3, type: octetString, access: "read-write" },
    loginPassword: { id: 4, type: octetString, access: "read-write" },
    serverAddress: { id: 5, type: octetString, access: "read-write" },
    senderAddress: { id: 6, type: octetString, access: "read-write" },
  },
  methods: {},
});

const ipv6Address = octetStringOf(16);
const typedIpv6Address = structure({
  addressType: enumeration({ 0: "unicast", 1: "multicast", 2: "gateway" }),
  address: ipv6Address,
});

/** IPv6 setup. */
export const ipv6Setup = interfaceClass({
  classId: 48,
  version: 0,
  name: "IPv6 setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    dataLinkReference: { id: 2, type: logicalName, access: "read-write" },
    addressConfigMode: {
      id: 3,
      type: enumeration({ 0: "automatic", 1: "DHCPv6", 2: "manual", 3: "neighbour discovery" }),
      access: "read-write",
    },
    unicastIpv6Addresses: { id: 4, type: arrayOf(ipv6Address), access: "read-write" },
    multicastIpv6Addresses: { id: 5, type: arrayOf(ipv6Address), access: "read-write" },
    gatewayIpv6Addresses: { id: 6, type: arrayOf(ipv6Address), access: "read-write" },
    primaryDnsAddress: { id: 7, type: ipv6Address, access: "read-write" },
    secondaryDnsAddress: { id: 8, type: ipv6Address, access: "read-write" },
    trafficClass: { id: 9, type: unsigned, access: "read-write" },
    neighborDiscoverySetup: {
      id: 10,
      type: arrayOf(
        structure({ rsMaxRetry: unsigned, rsRetryWaitTime: longUnsigned, raSendPeriod: doubleLongUnsigned }),
      ),
      access: "read-write",
    },
  },
  methods: {
    addIpv6Address: { id: 1, parameter: typedIpv6Address },
    removeIpv6Address: { id: 2, parameter: typedIpv6Address },
  },
});

/** NTP setup. */
export const ntpSetup = interfaceClass({
  classId: 100,
  version: 0,
  name: "NTP setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    activated: { id: 2, type: boolean, access: "read-write" },
    serverAddress: { id: 3, type: octetString, access: "read-write" },
    serverPort: { id: 4, type: longUnsigned, access: "read-write" },
    authenticationMethod: {
      id: 5,
      type: enumeration({ 0: "none", 1: "shared secrets", 2: "Autokey IFF" }),
      access: "read-write",
    },
    authenticationKeys: {
      id: 6,
      type: arrayOf(structure({ keyId: doubleLongUnsigned, key: octetString })),
      access: "read-write",
    },
    clientKey: { id: 7, type: octetString, access: "read-write" },
  },
  methods: {
    synchronize: 1,
    addAuthenticationKey: { id: 2, parameter: structure({ keyId: doubleLongUnsigned, key: octetString }) },
    deleteAuthenticationKey: { id: 3, parameter: doubleLongUnsigned },
  },
});

const PACKET_SERVICES = {
  0: "inactive",
  1: "GPRS",
  2: "EDGE",
  3: "UMTS",
  4: "HSDPA",
  5: "LTE",
  6: "CDMA",
  7: "LTE Cat-M1",
  8: "LTE NB1",
  9: "LTE NB2",
} as const;

/** GSM diagnostic: the cell and its signal (0 to 31 is -113 dBm and 2 dB each, 99 unknown). */
export const gsmDiagnostic = interfaceClass({
  classId: 47,
  version: 0,
  name: "GSM diagnostic",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    operator: { id: 2, type: visibleString },
    status: {
      id: 3,
      type: enumeration({
        0: "not registered",
        1: "registered, home network",
        2: "searching",
        3: "denied",
        4: "unknown",
        5: "registered, roaming",
      }),
    },
    circuitSwitchedAttachment: { id: 4, type: enumeration({ 0: "inactive", 1: "incoming call", 2: "active" }) },
    packetSwitchedStatus: { id: 5, type: enumeration(PACKET_SERVICES) },
    cellInfo: {
      id: 6,
      type: structure({
        cellId: longUnsigned,
        locationId: longUnsigned,
        signalQuality: unsigned,
        bitErrorRate: unsigned,
      }),
    },
    adjacentCells: { id: 7, type: arrayOf(structure({ cellId: longUnsigned, signalQuality: unsigned })) },
    captureTime: { id: 8, type: taggedDateTime },
  },
  methods: {},
});

/** Version 1 has longer cell numbers, country, network and channel. */
export const gsmDiagnosticV1 = interfaceClass({
  ...gsmDiagnostic,
  version: 1,
  attributes: {
    ...gsmDiagnostic.attributes,
    cellInfo: {
      id: 6,
      type: structure({
        cellId: doubleLongUnsigned,
        locationId: longUnsigned,
        signalQuality: unsigned,
        bitErrorRate: unsigned,
        mobileCountryCode: longUnsigned,
        mobileNetworkCode: longUnsigned,
        channelNumber: doubleLongUnsigned,
      }),
    },
    adjacentCells: { id: 7, type: arrayOf(structure({ cellId: doubleLongUnsigned, signalQuality: unsigned })) },
  },
});

export const gsmDiagnosticV2 = interfaceClass({ ...gsmDiagnosticV1, version: 2 });

/** LTE monitoring: timers and quality of the connection. */
export const lteMonitoring = interfaceClass({
  classId: 151,
  version: 0,
  name: "LTE monitoring",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    networkParameters: {
      id: 2,
      type: structure({
        t3402: longUnsigned,
        t3412: longUnsigned,
        rsrq: unsigned,
        rsrp: unsigned,
        qRxlevMin: integer,
      }),
    },
  },
  methods: {},
});

/** Version 1 splits network and quality, and knows the timers of sleeping devices. */
export const lteMonitoringV1 = interfaceClass({
  ...lteMonitoring,
  version: 1,
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    networkParameters: { id: 2, type: anyData },
    qualityOfService: {
      id: 3,
      type: structure({ rsrq: integer, rsrp: integer, snr: integer, coverageEnhancement: enumeration() }),
    },
  },
});

/** CoAP setup. */
export const coapSetup = interfaceClass({
  classId: 152,
  version: 0,
  name: "CoAP setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    udpReference: { id: 2, type: logicalName, access: "read-write" },
    ackTimeout: { id: 3, type: longUnsigned, access: "read-write" },
    ackRandomFactor: { id: 4, type: longUnsigned, access: "read-write" },
    maxRetransmit: { id: 5, type: longUnsigned, access: "read-write" },
    nStart: { id: 6, type: longUnsigned, access: "read-write" },
    delayAckTimeout: { id: 7, type: longUnsigned, access: "read-write" },
    exponentialBackOff: { id: 8, type: longUnsigned, access: "read-write" },
    probingRate: { id: 9, type: longUnsigned, access: "read-write" },
    uriPath: { id: 10, type: octetString, access: "read-write" },
    transportMode: {
      id: 11,
      type: enumeration({ 1: "reliable", 2: "unreliable", 3: "both" }),
      access: "read-write",
    },
    wrapperVersion: { id: 12, type: unsigned },
    tokenLength: { id: 13, type: unsigned, access: "read-write" },
  },
  methods: {},
});

/** CoAP diagnostic: counters of messages, requests and blocks. */
export const coapDiagnostic = interfaceClass({
  classId: 153,
  version: 0,
  name: "CoAP diagnostic",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    messagesCounter: { id: 2, type: anyData },
    requestResponseCounter: { id: 3, type: anyData },
    blockTransferCounter: { id: 4, type: anyData },
    captureTime: { id: 5, type: anyData },
  },
  methods: { reset: 1 },
});
