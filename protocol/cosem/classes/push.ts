/** Push setup: what a meter sends on its own, where to and when. */
import { interfaceClass } from "../interface-class.ts";
import {
  anyData,
  arrayOf,
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
import { pushObjectList, window } from "./shared-types.ts";

const TRANSPORTS = {
  0: "TCP",
  1: "UDP",
  2: "FTP",
  3: "SMTP",
  4: "SMS",
  5: "HDLC",
  6: "M-Bus",
  7: "ZigBee",
  8: "DLMS gateway",
  9: "CoAP reliable",
  10: "CoAP unreliable",
} as const;

export const pushSetupV0 = interfaceClass({
  classId: 40,
  version: 0,
  name: "Push setup",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    pushObjectList: { id: 2, type: pushObjectList(0), access: "read-write" },
    sendDestinationAndMethod: {
      id: 3,
      type: structure({
        transportService: enumeration(TRANSPORTS),
        destination: octetString,
        message: enumeration({ 0: "A-XDR encoded xDLMS APDU", 1: "XML encoded xDLMS APDU" }),
      }),
      access: "read-write",
    },
    communicationWindow: { id: 4, type: arrayOf(window), access: "read-write" },
    randomisationStartInterval: { id: 5, type: longUnsigned, access: "read-write" },
    numberOfRetries: { id: 6, type: unsigned, access: "read-write" },
    repetitionDelay: { id: 7, type: longUnsigned, access: "read-write" },
  },
  methods: { push: 1 },
  methodOffset: 0x38,
});

/**
 * Version 1 names its port and client and protects what it sends. Where its methods begin with short names is not known:
 * attribute 8 is where those of version 0 did.
 */
export const pushSetupV1 = interfaceClass({
  classId: 40,
  version: 1,
  name: "Push setup",
  attributes: {
    ...pushSetupV0.attributes,
    pushObjectList: { id: 2, type: pushObjectList(1), access: "read-write" },
    portReference: { id: 8, type: logicalName, access: "read-write" },
    pushClientSap: { id: 9, type: integer, access: "read-write" },
    pushProtectionParameters: {
      id: 10,
      type: arrayOf(structure({ protectionType: enumeration(), protectionOptions: anyData })),
      access: "read-write",
    },
  },
  methods: { push: 1 },
});

/** Version 2 waits for confirmations and spaces its repetitions (exponent in hundredths). */
export const pushSetupV2 = interfaceClass({
  ...pushSetupV1,
  version: 2,
  attributes: {
    ...pushSetupV1.attributes,
    pushObjectList: { id: 2, type: pushObjectList(2), access: "read-write" },
    repetitionDelay: {
      id: 7,
      type: structure({
        repetitionDelayMin: longUnsigned,
        repetitionDelayExponent: longUnsigned,
        repetitionDelayMax: longUnsigned,
      }),
      access: "read-write",
    },
    pushOperationMethod: {
      id: 11,
      type: enumeration({
        0: "unconfirmed, retry on failure",
        1: "unconfirmed, retry when the supporting layer does not confirm",
        2: "confirmed, retry when no confirmation comes",
      }),
      access: "read-write",
    },
    confirmationParameters: {
      id: 12,
      type: structure({ startDate: taggedDateTime, interval: doubleLongUnsigned }),
      access: "read-write",
    },
    lastConfirmationDateTime: { id: 13, type: taggedDateTime },
  },
  methods: { push: 1, reset: 2 },
});

export const pushSetupV3 = interfaceClass({ ...pushSetupV2, version: 3 });
