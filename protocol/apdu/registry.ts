/** Every APDU: tag, name and codec, and the tags of its ciphered forms (IEC 62056-5-3). */
import type { Codec, Decoded } from "../axdr/codec.ts";
import { aare, aarq, rlre, rlrq } from "../ber/association.ts";
import { sized } from "../ber/element.ts";
import { accessRequest, accessResponse } from "./access.ts";
import { actionRequest, actionResponse } from "./action.ts";
import { cipheredApdu, generalCipheredApdu, generalCiphering, generalSigning } from "./ciphered.ts";
import { confirmedServiceError } from "./confirmed-service-error.ts";
import { dataNotification, dataNotificationConfirm } from "./data-notification.ts";
import { eventNotificationRequest } from "./event-notification.ts";
import { exceptionResponse } from "./exception-response.ts";
import { gatewayApdu } from "./gateway.ts";
import { generalBlockTransfer } from "./general-block-transfer.ts";
import { getRequest, getResponse } from "./get.ts";
import { initiateRequest, initiateResponse } from "./initiate.ts";
import { setRequest, setResponse } from "./set.ts";
import { informationReportRequest, readRequest, readResponse, writeRequest, writeResponse } from "./short-name.ts";

export const APDUS = {
  "initiate-request": [0x01, initiateRequest],
  "read-request": [0x05, readRequest],
  "write-request": [0x06, writeRequest],
  "initiate-response": [0x08, initiateResponse],
  "read-response": [0x0c, readResponse],
  "write-response": [0x0d, writeResponse],
  "confirmed-service-error": [0x0e, confirmedServiceError],
  "data-notification": [0x0f, dataNotification],
  "data-notification-confirm": [0x10, dataNotificationConfirm],
  "unconfirmed-write-request": [0x16, writeRequest],
  "information-report-request": [0x18, informationReportRequest],
  "glo-initiate-request": [0x21, cipheredApdu],
  "glo-read-request": [0x25, cipheredApdu],
  "glo-write-request": [0x26, cipheredApdu],
  "glo-initiate-response": [0x28, cipheredApdu],
  "glo-read-response": [0x2c, cipheredApdu],
  "glo-write-response": [0x2d, cipheredApdu],
  "glo-confirmed-service-error": [0x2e, cipheredApdu],
  "glo-unconfirmed-write-request": [0x36, cipheredApdu],
  "glo-information-report-request": [0x38, cipheredApdu],
  "ded-initiate-request": [0x41, cipheredApdu],
  "ded-read-request": [0x45, cipheredApdu],
  "ded-write-request": [0x46, cipheredApdu],
  "ded-initiate-response": [0x48, cipheredApdu],
  "ded-read-response": [0x4c, cipheredApdu],
  "ded-write-response": [0x4d, cipheredApdu],
  "ded-confirmed-service-error": [0x4e, cipheredApdu],
  "ded-unconfirmed-write-request": [0x56, cipheredApdu],
  "ded-information-report-request": [0x58, cipheredApdu],
  aarq: [0x60, sized(aarq)],
  aare: [0x61, sized(aare)],
  rlrq: [0x62, sized(rlrq)],
  rlre: [0x63, sized(rlre)],
  "get-request": [0xc0, getRequest],
  "set-request": [0xc1, setRequest],
  "event-notification-request": [0xc2, eventNotificationRequest],
  "action-request": [0xc3, actionRequest],
  "get-response": [0xc4, getResponse],
  "set-response": [0xc5, setResponse],
  "action-response": [0xc7, actionResponse],
  "glo-get-request": [0xc8, cipheredApdu],
  "glo-set-request": [0xc9, cipheredApdu],
  "glo-event-notification-request": [0xca, cipheredApdu],
  "glo-action-request": [0xcb, cipheredApdu],
  "glo-get-response": [0xcc, cipheredApdu],
  "glo-set-response": [0xcd, cipheredApdu],
  "glo-action-response": [0xcf, cipheredApdu],
  "ded-get-request": [0xd0, cipheredApdu],
  "ded-set-request": [0xd1, cipheredApdu],
  "ded-event-notification-request": [0xd2, cipheredApdu],
  "ded-action-request": [0xd3, cipheredApdu],
  "ded-get-response": [0xd4, cipheredApdu],
  "ded-set-response": [0xd5, cipheredApdu],
  "ded-action-response": [0xd7, cipheredApdu],
  "exception-response": [0xd8, exceptionResponse],
  "access-request": [0xd9, accessRequest],
  "access-response": [0xda, accessResponse],
  "general-glo-ciphering": [0xdb, generalCipheredApdu],
  "general-ded-ciphering": [0xdc, generalCipheredApdu],
  "general-ciphering": [0xdd, generalCiphering],
  "general-signing": [0xdf, generalSigning],
  "general-block-transfer": [0xe0, generalBlockTransfer],
  "gateway-request": [0xe6, gatewayApdu],
  "gateway-response": [0xe7, gatewayApdu],
} as const satisfies Record<string, readonly [number, Codec<never> | Codec<object>]>;

export type ApduName = keyof typeof APDUS;
export type ApduBody<N extends ApduName> = Decoded<(typeof APDUS)[N][1]>;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the keys' literal types.
const NAMES = Object.keys(APDUS) as ApduName[];
const NAME_OF_TAG: (ApduName | undefined)[] = [];
for (const name of NAMES) NAME_OF_TAG[APDUS[name][0]] = name;

/** The APDU that a first octet announces, or undefined for a tag that is not here. */
export function apduNameOf(tag: number): ApduName | undefined {
  return NAME_OF_TAG[tag];
}

type CipherableName = { [N in ApduName]: N extends `glo-${infer Service}` ? Service : never }[ApduName];

export interface CipheredTags {
  readonly plain: number;
  readonly glo: number;
  readonly ded: number;
}

/** Services that have ciphered forms of their own: with the global and with the dedicated key. */
const TAGS_BY_OCTET = new Map<number, CipheredTags>();
for (const name of NAMES) {
  if (!isCipherable(name)) continue;
  const tags = { plain: APDUS[name][0], glo: APDUS[`glo-${name}`][0], ded: APDUS[`ded-${name}`][0] };
  for (const tag of Object.values(tags)) TAGS_BY_OCTET.set(tag, tags);
}

function isCipherable(name: ApduName): name is ApduName & CipherableName {
  return `glo-${name}` in APDUS;
}

/** The plain, glo and ded tags of the service that a tag belongs to, or undefined if it has no ciphered forms. */
export function cipheredTagsOf(tag: number): CipheredTags | undefined {
  return TAGS_BY_OCTET.get(tag);
}
