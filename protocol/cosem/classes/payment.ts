/** Payment metering: accounts, credits, charges and tokens. Amounts are in the currency and scale of the account. */
import { interfaceClass } from "../interface-class.ts";
import {
  arrayOf,
  bitString,
  dateTime,
  doubleLong,
  doubleLongUnsigned,
  enumeration,
  integer,
  logicalName,
  long,
  long64Unsigned,
  longUnsigned,
  octetString,
  structure,
  taggedDateTime,
  unsigned,
  utf8String,
  visibleString,
} from "../value-type.ts";
import { valueDefinition } from "./shared-types.ts";

/** Account. */
export const account = interfaceClass({
  classId: 111,
  version: 0,
  name: "Account",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    accountModeAndStatus: {
      id: 2,
      type: structure({
        accountMode: enumeration({ 1: "credit", 2: "prepayment" }),
        accountStatus: enumeration({ 1: "new", 2: "active", 3: "closed" }),
      }),
    },
    currentCreditInUse: { id: 3, type: unsigned },
    currentCreditStatus: { id: 4, type: bitString },
    availableCredit: { id: 5, type: doubleLong },
    amountToClear: { id: 6, type: doubleLong },
    clearanceThreshold: { id: 7, type: doubleLong, access: "read-write" },
    aggregatedDebt: { id: 8, type: doubleLong },
    creditReferenceList: { id: 9, type: arrayOf(logicalName), access: "read-write" },
    chargeReferenceList: { id: 10, type: arrayOf(logicalName), access: "read-write" },
    creditChargeConfiguration: {
      id: 11,
      type: arrayOf(
        structure({
          creditReference: logicalName,
          chargeReference: logicalName,
          collectionConfiguration: bitString,
        }),
      ),
      access: "read-write",
    },
    tokenGatewayConfiguration: {
      id: 12,
      type: arrayOf(structure({ creditReference: logicalName, tokenProportion: unsigned })),
      access: "read-write",
    },
    accountActivationTime: { id: 13, type: dateTime, access: "read-write" },
    accountClosureTime: { id: 14, type: dateTime, access: "read-write" },
    currency: {
      id: 15,
      type: structure({
        currencyName: utf8String,
        currencyScale: integer,
        currencyUnit: enumeration({ 0: "time", 1: "consumption", 2: "money" }),
      }),
      access: "read-write",
    },
    lowCreditThreshold: { id: 16, type: doubleLong, access: "read-write" },
    nextCreditAvailableThreshold: { id: 17, type: doubleLong, access: "read-write" },
    maxProvision: { id: 18, type: longUnsigned, access: "read-write" },
    maxProvisionPeriod: { id: 19, type: doubleLong, access: "read-write" },
  },
  methods: { activateAccount: 1, closeAccount: 2, resetAccount: 3 },
});

/** Credit. */
export const credit = interfaceClass({
  classId: 112,
  version: 0,
  name: "Credit",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    currentCreditAmount: { id: 2, type: doubleLong },
    creditType: {
      id: 3,
      type: enumeration({
        0: "token",
        1: "reserved",
        2: "emergency",
        3: "time based",
        4: "consumption based",
      }),
      access: "read-write",
    },
    priority: { id: 4, type: unsigned, access: "read-write" },
    warningThreshold: { id: 5, type: doubleLong, access: "read-write" },
    limit: { id: 6, type: doubleLong, access: "read-write" },
    creditConfiguration: { id: 7, type: bitString, access: "read-write" },
    creditStatus: {
      id: 8,
      type: enumeration({ 0: "enabled", 1: "selectable", 2: "selected", 3: "in use", 4: "exhausted" }),
    },
    presetCreditAmount: { id: 9, type: doubleLong, access: "read-write" },
    creditAvailableThreshold: { id: 10, type: doubleLong, access: "read-write" },
    period: { id: 11, type: dateTime, access: "read-write" },
  },
  methods: {
    updateAmount: { id: 1, parameter: doubleLong },
    setAmountToValue: { id: 2, parameter: doubleLong },
    invokeCredit: 3,
  },
});

const chargeTable = arrayOf(structure({ index: octetString, chargePerUnit: long }));
const unitCharge = structure({
  chargePerUnitScaling: structure({ commodityScale: integer, priceScale: integer }),
  commodityReference: valueDefinition,
  chargeTable,
});

/** Charge. */
export const charge = interfaceClass({
  classId: 113,
  version: 0,
  name: "Charge",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    totalAmountPaid: { id: 2, type: doubleLong },
    chargeType: {
      id: 3,
      type: enumeration({ 0: "consumption based", 1: "time based", 2: "payment event based" }),
      access: "read-write",
    },
    priority: { id: 4, type: unsigned, access: "read-write" },
    unitChargeActive: { id: 5, type: unitCharge },
    unitChargePassive: { id: 6, type: unitCharge, access: "read-write" },
    unitChargeActivationTime: { id: 7, type: dateTime, access: "read-write" },
    period: { id: 8, type: doubleLongUnsigned, access: "read-write" },
    chargeConfiguration: { id: 9, type: bitString, access: "read-write" },
    lastCollectionTime: { id: 10, type: taggedDateTime },
    lastCollectionAmount: { id: 11, type: doubleLong },
    totalAmountRemaining: { id: 12, type: doubleLong },
    proportion: { id: 13, type: longUnsigned, access: "read-write" },
  },
  methods: {
    updateUnitCharge: { id: 1, parameter: chargeTable },
    activatePassiveUnitCharge: 2,
    collect: 3,
    updateTotalAmountRemaining: { id: 4, parameter: doubleLong },
    setTotalAmountRemaining: { id: 5, parameter: doubleLong },
  },
});

const tokenStatus = structure({
  statusCode: enumeration({
    0: "format correct",
    1: "authentication correct",
    2: "validation correct",
    3: "executed",
    4: "format wrong",
    5: "authentication failed",
    6: "validation failed",
    7: "execution failed",
    8: "received, not yet processed",
  }),
  dataValue: bitString,
});

/** Token gateway: takes tokens, such as the 20 digits of STS. */
export const tokenGateway = interfaceClass({
  classId: 115,
  version: 0,
  name: "Token gateway",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    token: { id: 2, type: octetString },
    tokenTime: { id: 3, type: dateTime },
    tokenDescription: { id: 4, type: arrayOf(octetString) },
    tokenDeliveryMethod: { id: 5, type: enumeration({ 0: "remote", 1: "local", 2: "manual" }) },
    tokenStatus: { id: 6, type: tokenStatus },
  },
  methods: { enter: { id: 1, parameter: octetString, result: tokenStatus } },
});

/** IEC 62055-41 attributes: what an STS meter is known by. */
export const stsAttributes = interfaceClass({
  classId: 116,
  version: 0,
  name: "IEC 62055-41 attributes",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    meterPan: {
      id: 2,
      type: structure({ issuerId: doubleLongUnsigned, decoderReference: long64Unsigned, checkDigit: unsigned }),
    },
    commodity: { id: 3, type: visibleString },
    tokenCarrierTypes: { id: 4, type: arrayOf(unsigned) },
    encryptionAlgorithm: { id: 5, type: unsigned },
    supplyGroupCode: { id: 6, type: doubleLongUnsigned, access: "read-write" },
    tariffIndex: { id: 7, type: unsigned, access: "read-write" },
    keyRevisionNumber: { id: 8, type: unsigned },
    keyType: { id: 9, type: unsigned },
    keyExpiryNumber: { id: 10, type: unsigned, access: "read-write" },
    numberOfKeyChangeTokens: { id: 11, type: unsigned },
    stsCertificateNumber: { id: 12, type: visibleString },
  },
  methods: {},
});
