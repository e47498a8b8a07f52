/** ConfirmedServiceError: a refused initiate, read or write (IEC 62056-5-3; IEC 61334-4-41). */
import { choice, type Decoded, enumerated, sequence } from "../axdr/codec.ts";

/** The codes of each group of ServiceError. */
export const SERVICE_ERROR_CODES = {
  "application-reference": {
    other: 0,
    "time-elapsed": 1,
    "application-unreachable": 2,
    "application-reference-invalid": 3,
    "application-context-unsupported": 4,
    "provider-communication-error": 5,
    "deciphering-error": 6,
  },
  "hardware-resource": {
    other: 0,
    "memory-unavailable": 1,
    "processor-resource-unavailable": 2,
    "mass-storage-unavailable": 3,
    "other-resource-unavailable": 4,
  },
  "vde-state-error": {
    other: 0,
    "no-dlms-context": 1,
    "loading-data-set": 2,
    "status-nochange": 3,
    "status-inoperable": 4,
  },
  service: { other: 0, "pdu-size": 1, "service-unsupported": 2 },
  definition: {
    other: 0,
    "object-undefined": 1,
    "object-class-inconsistent": 2,
    "object-attribute-inconsistent": 3,
  },
  access: {
    other: 0,
    "scope-of-access-violated": 1,
    "object-access-invalid": 2,
    "hardware-fault": 3,
    "object-unavailable": 4,
  },
  initiate: {
    other: 0,
    "dlms-version-too-low": 1,
    "incompatible-conformance": 2,
    "pdu-size-too-short": 3,
    "refused-by-the-vde-handler": 4,
  },
  "load-data-set": {
    other: 0,
    "primitive-out-of-sequence": 1,
    "not-loadable": 2,
    "dataset-size-too-large": 3,
    "not-awaited-segment": 4,
    "interpretation-failure": 5,
    "storage-failure": 6,
    "data-set-not-ready": 7,
  },
  task: { other: 0, "no-remote-control": 1, "ti-stopped": 2, "ti-running": 3, "ti-unusable": 4 },
} as const;

const CODES = SERVICE_ERROR_CODES;

const serviceError = choice({
  "application-reference": [0, sequence({ code: enumerated(CODES["application-reference"]) })],
  "hardware-resource": [1, sequence({ code: enumerated(CODES["hardware-resource"]) })],
  "vde-state-error": [2, sequence({ code: enumerated(CODES["vde-state-error"]) })],
  service: [3, sequence({ code: enumerated(CODES.service) })],
  definition: [4, sequence({ code: enumerated(CODES.definition) })],
  access: [5, sequence({ code: enumerated(CODES.access) })],
  initiate: [6, sequence({ code: enumerated(CODES.initiate) })],
  "load-data-set": [7, sequence({ code: enumerated(CODES["load-data-set"]) })],
  task: [9, sequence({ code: enumerated(CODES.task) })],
});

/** The services of COSEM that can be refused this way. */
const CONFIRMED_SERVICES = { "initiate-error": 1, read: 5, write: 6 } as const;

export const confirmedServiceError = sequence({ service: enumerated(CONFIRMED_SERVICES), error: serviceError });
export type ConfirmedServiceError = Decoded<typeof confirmedServiceError>;
