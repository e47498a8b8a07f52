/**
 * Deviations of real devices that a decoder can read all the same. A decoder that meets one either is allowed to
 * tolerate it and reports its name with the value, or refuses the octets as the standard wants.
 */
const QUIRKS = {
  "tagged-date-time": { byDefault: true, says: "a date-time has the octet-string tag 09 before its length" },
  "action-response-without-option": { byDefault: true, says: "the option octet after an action-result is missing" },
  "action-response-without-choice": { byDefault: true, says: "return parameters lack the choice octet before Data" },
  "list-refused-by-one-result": {
    byDefault: true,
    says: "a list is refused as a whole: its response has the one result of a single request",
  },
  "conformance-short-tag": { byDefault: true, says: "the conformance block has the old tag 5F without 1F" },
  "optional-flag": { byDefault: false, says: "an OPTIONAL flag is neither 00 nor 01 and counts as present" },
  "untagged-descriptors": { byDefault: false, says: "attribute descriptors in a pushed body lack their type tags" },
  "ciphered-length-counts-tag": {
    byDefault: true,
    says: "the length of ciphered octets without a tag counts one all the same",
  },
  "empty-last-block-trailer": { byDefault: true, says: "octets follow a last block that is empty" },
  "trailing-octets": { byDefault: false, says: "octets after the end of the APDU are dropped" },
  "hdlc-length-modulo-256": { byDefault: false, says: "the length field of an HDLC frame has only its low eight bits" },
  "hdlc-frame-check-ignored": {
    byDefault: false,
    says: "the frame check of an HDLC frame is wrong, its header is right",
  },
} as const satisfies Record<string, { byDefault: boolean; says: string }>;

export type Quirk = keyof typeof QUIRKS;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the keys' literal types.
const ALL = Object.keys(QUIRKS) as Quirk[];

/** What a field meter may do; each use is reported. */
export const FIELD_QUIRKS: ReadonlySet<Quirk> = new Set(ALL.filter((quirk) => QUIRKS[quirk].byDefault));
/** Everything that any device is known to do: for looking at octets of unknown origin. */
export const ALL_QUIRKS: ReadonlySet<Quirk> = new Set(ALL);
/** The standard and nothing else: for devices under test. */
export const NO_QUIRKS: ReadonlySet<Quirk> = new Set();
