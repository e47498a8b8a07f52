/** Local ports and modems: optical and electrical ports, HDLC, telephone modems. */
import { interfaceClass } from "../interface-class.ts";
import {
  arrayOf,
  enumeration,
  integer,
  logicalName,
  longUnsigned,
  octetString,
  structure,
  unsigned,
} from "../value-type.ts";
import { baudRate, window } from "./shared-types.ts";

/** IEC local port setup: the port of IEC 62056-21. */
export const iecLocalPortSetup = interfaceClass({
  classId: 19,
  version: 0,
  name: "IEC local port setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    defaultMode: {
      id: 2,
      type: enumeration({ 0: "IEC 62056-21", 1: "HDLC", 2: "not specified" }),
      access: "read-write",
    },
    defaultBaud: { id: 3, type: baudRate, access: "read-write" },
    propBaud: { id: 4, type: baudRate, access: "read-write" },
    responseTime: { id: 5, type: enumeration({ 0: "20 ms", 1: "200 ms" }), access: "read-write" },
    deviceAddress: { id: 6, type: octetString, access: "read-write" },
    passwordP1: { id: 7, type: octetString, access: "read-write" },
    passwordP2: { id: 8, type: octetString, access: "read-write" },
    passwordW5: { id: 9, type: octetString, access: "read-write" },
  },
  methods: {},
});

export const iecLocalPortSetupV1 = interfaceClass({ ...iecLocalPortSetup, version: 1 });

/** IEC HDLC setup: speed, windows, information field lengths and address of an HDLC port. */
export const iecHdlcSetup = interfaceClass({
  classId: 23,
  version: 0,
  name: "IEC HDLC setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    commSpeed: { id: 2, type: baudRate, access: "read-write" },
    windowSizeTransmit: { id: 3, type: unsigned, access: "read-write" },
    windowSizeReceive: { id: 4, type: unsigned, access: "read-write" },
    maxInfoFieldLengthTransmit: { id: 5, type: unsigned, access: "read-write" },
    maxInfoFieldLengthReceive: { id: 6, type: unsigned, access: "read-write" },
    interOctetTimeOut: { id: 7, type: longUnsigned, access: "read-write" },
    inactivityTimeOut: { id: 8, type: longUnsigned, access: "read-write" },
    deviceAddress: { id: 9, type: longUnsigned, access: "read-write" },
  },
  methods: {},
});

/** Version 1 has longer information fields. */
export const iecHdlcSetupV1 = interfaceClass({
  ...iecHdlcSetup,
  version: 1,
  attributes: {
    ...iecHdlcSetup.attributes,
    maxInfoFieldLengthTransmit: { id: 5, type: longUnsigned, access: "read-write" },
    maxInfoFieldLengthReceive: { id: 6, type: longUnsigned, access: "read-write" },
  },
});

/** IEC twisted pair setup: the bus of IEC 62056-3-1. */
export const iecTwistedPairSetup = interfaceClass({
  classId: 24,
  version: 0,
  name: "IEC twisted pair (1) setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    mode: { id: 2, type: enumeration({ 0: "inactive", 1: "active" }), access: "read-write" },
    speed: { id: 3, type: baudRate, access: "read-write" },
    primaryAddressList: { id: 4, type: arrayOf(unsigned), access: "read-write" },
    tabiList: { id: 5, type: arrayOf(integer), access: "read-write" },
  },
  methods: {},
});

export const iecTwistedPairSetupV1 = interfaceClass({ ...iecTwistedPairSetup, version: 1 });

/** Modem configuration: what to say to a modem, and what it answers. */
export const modemConfiguration = interfaceClass({
  classId: 27,
  version: 0,
  name: "Modem configuration",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    commSpeed: { id: 2, type: baudRate, access: "read-write" },
    initializationString: {
      id: 3,
      type: arrayOf(structure({ request: octetString, response: octetString })),
      access: "read-write",
    },
    modemProfile: { id: 4, type: arrayOf(octetString), access: "read-write" },
  },
  methods: {},
});

/** Version 1 waits after each answer. */
export const modemConfigurationV1 = interfaceClass({
  ...modemConfiguration,
  version: 1,
  attributes: {
    ...modemConfiguration.attributes,
    initializationString: {
      id: 3,
      type: arrayOf(structure({ request: octetString, response: octetString, delayAfterResponse: longUnsigned })),
      access: "read-write",
    },
  },
});

/** Auto answer: when and after how many rings a modem takes calls. */
export const autoAnswer = interfaceClass({
  classId: 28,
  version: 0,
  name: "Auto answer",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    mode: {
      id: 2,
      type: enumeration({
        0: "dedicated line",
        1: "shared line, limited calls",
        2: "shared line, limited successful calls",
        3: "no modem",
      }),
      access: "read-write",
    },
    listeningWindow: { id: 3, type: arrayOf(window), access: "read-write" },
    status: { id: 4, type: enumeration({ 0: "inactive", 1: "active", 2: "locked" }) },
    numberOfCalls: { id: 5, type: unsigned, access: "read-write" },
    numberOfRings: {
      id: 6,
      type: structure({ inWindow: unsigned, outOfWindow: unsigned }),
      access: "read-write",
    },
  },
  methods: {},
});

/** Version 2 lists who may call, and wakes up on a call. */
export const autoAnswerV2 = interfaceClass({
  ...autoAnswer,
  version: 2,
  attributes: {
    ...autoAnswer.attributes,
    listOfAllowedCallers: {
      id: 7,
      type: arrayOf(structure({ callerId: octetString, callType: enumeration({ 0: "normal", 1: "wake-up" }) })),
      access: "read-write",
    },
  },
});

/** Auto connect: when the meter calls by itself, and whom. */
export const autoConnect = interfaceClass({
  classId: 29,
  version: 0,
  name: "Auto connect",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    mode: {
      id: 2,
      type: enumeration({
        0: "none",
        1: "any time",
        2: "in window",
        3: "regular in window, alarms any time",
        4: "SMS over the mobile network",
        5: "SMS over the fixed network",
        6: "electronic mail",
        101: "permanently",
        102: "permanently in window",
        103: "on invocation",
        104: "disconnected, connected on invocation",
      }),
      access: "read-write",
    },
    repetitions: { id: 3, type: unsigned, access: "read-write" },
    repetitionDelay: { id: 4, type: longUnsigned, access: "read-write" },
    callingWindow: { id: 5, type: arrayOf(window), access: "read-write" },
    destinationList: { id: 6, type: arrayOf(octetString), access: "read-write" },
  },
  methods: {},
});

export const autoConnectV1 = interfaceClass({ ...autoConnect, version: 1 });

export const autoConnectV2 = interfaceClass({ ...autoConnect, version: 2, methods: { connect: 1 } });
