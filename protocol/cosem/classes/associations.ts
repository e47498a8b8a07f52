/** Associations and logical devices: what a server shows to which client. */
import { interfaceClass } from "../interface-class.ts";
import {
  anyData,
  arrayOf,
  bitString,
  enumeration,
  integer,
  logicalName,
  long,
  longUnsigned,
  octetString,
  structure,
  unsigned,
} from "../value-type.ts";
import { objectIdentifier, objectList, objectListElement, userEntry, valueDefinition } from "./shared-types.ts";

const associationLnAttributes = {
  logicalName: { id: 1, type: logicalName, static: true },
  associatedPartnersId: { id: 3, type: structure({ clientSap: integer, serverSap: longUnsigned }) },
  applicationContextName: { id: 4, type: objectIdentifier },
  xDlmsContextInfo: {
    id: 5,
    type: structure({
      conformance: bitString,
      maxReceivePduSize: longUnsigned,
      maxSendPduSize: longUnsigned,
      dlmsVersionNumber: unsigned,
      qualityOfService: integer,
      cypheringInfo: octetString,
    }),
  },
  authenticationMechanismName: { id: 6, type: objectIdentifier },
  secret: { id: 7, type: octetString, access: "write" },
  associationStatus: {
    id: 8,
    type: enumeration({ 0: "non-associated", 1: "association-pending", 2: "associated" }),
  },
} as const;

const associationLnMethods = {
  replyToHlsAuthentication: { id: 1, parameter: octetString, result: octetString },
  changeHlsSecret: { id: 2, parameter: octetString },
} as const;

/** Association LN: the objects that a client sees in an association with logical name referencing. */
export const associationLnV0 = interfaceClass({
  classId: 15,
  version: 0,
  name: "Association LN",
  attributes: { ...associationLnAttributes, objectList: { id: 2, type: objectList(0) } },
  methods: {
    ...associationLnMethods,
    addObject: { id: 3, parameter: objectListElement(0) },
    removeObject: { id: 4, parameter: objectListElement(0) },
  },
  methodOffset: 0x60,
});

/** Version 1 names its security setup. */
export const associationLnV1 = interfaceClass({
  ...associationLnV0,
  version: 1,
  attributes: {
    ...associationLnAttributes,
    objectList: { id: 2, type: objectList(1) },
    securitySetupReference: { id: 9, type: logicalName },
  },
  methods: {
    ...associationLnMethods,
    addObject: { id: 3, parameter: objectListElement(1) },
    removeObject: { id: 4, parameter: objectListElement(1) },
  },
});

/** Version 2 knows users of a client. */
export const associationLnV2 = interfaceClass({
  ...associationLnV1,
  version: 2,
  attributes: {
    ...associationLnV1.attributes,
    objectList: { id: 2, type: objectList(2) },
    userList: { id: 10, type: arrayOf(userEntry), access: "read-write" },
    currentUser: { id: 11, type: userEntry },
  },
  methods: {
    ...associationLnMethods,
    addObject: { id: 3, parameter: objectListElement(2) },
    removeObject: { id: 4, parameter: objectListElement(2) },
    addUser: { id: 5, parameter: userEntry },
    removeUser: { id: 6, parameter: userEntry },
  },
});

/** Version 3 has access modes as masks, with protection of request and response. */
export const associationLnV3 = interfaceClass({
  ...associationLnV2,
  version: 3,
  attributes: { ...associationLnV2.attributes, objectList: { id: 2, type: objectList(3) } },
  methods: {
    ...associationLnV2.methods,
    addObject: { id: 3, parameter: objectListElement(3) },
    removeObject: { id: 4, parameter: objectListElement(3) },
  },
});

/** Association SN: the objects by short name. */
export const associationSnV0 = interfaceClass({
  classId: 12,
  version: 0,
  name: "Association SN",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    objectList: {
      id: 2,
      type: arrayOf(structure({ baseName: long, classId: longUnsigned, version: unsigned, logicalName })),
    },
  },
  methods: {
    readByLogicalName: { id: 3, parameter: arrayOf(valueDefinition), result: anyData },
    changeSecret: { id: 5, parameter: octetString },
  },
  methodOffset: 0x20,
});

/** Version 1 tells access rights and passes the answer to a challenge. */
export const associationSnV1 = interfaceClass({
  ...associationSnV0,
  version: 1,
  attributes: {
    ...associationSnV0.attributes,
    accessRightsList: {
      id: 3,
      type: arrayOf(
        structure({
          baseName: long,
          attributes: arrayOf(structure({ id: integer, accessMode: enumeration(), selectors: anyData })),
          methods: arrayOf(structure({ id: integer, accessMode: enumeration() })),
        }),
      ),
    },
  },
  methods: {
    ...associationSnV0.methods,
    replyToHlsAuthentication: { id: 8, parameter: octetString, result: octetString },
  },
});

export const associationSnV2 = interfaceClass({
  ...associationSnV1,
  version: 2,
  attributes: { ...associationSnV1.attributes, securitySetupReference: { id: 4, type: logicalName } },
});

export const associationSnV3 = interfaceClass({
  ...associationSnV2,
  version: 3,
  attributes: {
    ...associationSnV2.attributes,
    userList: { id: 5, type: arrayOf(userEntry), access: "read-write" },
    currentUser: { id: 6, type: userEntry },
  },
  methods: {
    ...associationSnV2.methods,
    addUser: { id: 9, parameter: userEntry },
    removeUser: { id: 10, parameter: userEntry },
  },
});

/** Version 4 has access modes as masks. */
export const associationSnV4 = interfaceClass({ ...associationSnV3, version: 4 });

/** SAP assignment: the logical devices of a physical one. */
export const sapAssignment = interfaceClass({
  classId: 17,
  version: 0,
  name: "SAP assignment",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    sapAssignmentList: {
      id: 2,
      type: arrayOf(structure({ sap: longUnsigned, logicalDeviceName: octetString })),
      static: true,
    },
  },
  methods: {
    connectLogicalDevice: { id: 1, parameter: structure({ sap: longUnsigned, logicalDeviceName: octetString }) },
  },
  methodOffset: 0x20,
});
