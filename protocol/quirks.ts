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
  "acknowledgement-trailer": { byDefault: true, says: "zeros follow the number of a block that is acknowledged" },
  "access-nulls-missing": {
    byDefault: true,
    says: "an answer to ACCESS counts the null-data of sets and actions and leaves them out",
  },
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

/**
 * What a head end has to do otherwise for some meters. They belong to a model, or to a single meter, in the
 * configuration; `read --probe` finds those that an unknown meter needs.
 */
export const METER_QUIRKS = {
  "range-without-deviation": "the limits of a range of time must carry no deviation from UTC",
  "range-refused": "rows can't be asked for by a range of time: they are read by entry",
  "entries-refused": "rows can't be asked for by entry either, or wrong ones come: the whole buffer is read",
  "entries-newest-first": "entry 1 of a buffer is the newest row, whatever the sort method says",
  "zero-period-is-an-hour": "a capture period of 0 stands for an hour",
  "lists-refused": "one attribute in a request, although lists are negotiated",
  "selective-access-unnegotiated": "rows can be asked for by range although the meter does not negotiate it",
  "deviation-inverted": "the deviation field has minutes ahead of UTC instead of minutes to UTC",
  "deviation-without-season": "the deviation field leaves the hour of daylight saving out",
  "deviation-wrong": "the deviation field is not to be believed: the time zone decides",
  "standard-time-all-year": "the clock never turns to daylight saving time",
  "proof-missing": "the meter confirms high-level authentication without proving itself",
  "plain-answers": "protected requests may be answered in clear",
  "release-unanswered": "the association is left without a release request",
  "frame-numbers-fixed": "every HDLC frame of the meter has the number 0",
  "wrapper-header-reversed": "the fields of the wrapper's header have their octets in reversed order",
  "small-frames": "HDLC frames over 128 octets of information are refused or lost",
  "slow-client-change": "the meter needs 20 seconds between two clients",
  "rr-unanswered": "after a silence HDLC frames are sent again at once, as the meter does not answer RR",
  "frame-size-counts-header": "the HDLC information length that the meter negotiates counts the whole frame",
  "suite-nibble-wrong": "the security control names another suite of the same key length",
  "broadcast-bit-set": "the security control says broadcast key although the unicast key was used",
  "additional-data-empty": "tags are made without the authentication key as additional data",
  "dedicated-counter-goes-on": "the invocation counter of the global key goes on under a dedicated key",
  "counter-goes-back": "the meter's own invocation counter may go back, as after a reboot",
  "switched-without-parameter": "the load switch is ordered without the parameter 0",
  "clock-only-shifted": "the clock can't be written: it is shifted, by 900 seconds at most",
  "quiet-after-connect": "the meter, or its modem, needs a second of silence after the connection",
} as const satisfies Record<string, string>;

export type MeterQuirk = keyof typeof METER_QUIRKS;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets the keys' literal types.
export const METER_QUIRK_NAMES = Object.keys(METER_QUIRKS) as MeterQuirk[];
