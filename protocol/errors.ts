/** Every way in which octets, an order or a peer can be wrong. Codes are never reused; each has one sentence. */
export const ERROR_CODES = {
  DATA_TRUNCATED: "the octets end before the value does",
  DATA_TRAILING: "octets remain after the value has ended",
  DATA_UNKNOWN_TAG: "the data type tag is not one of the standard's",
  DATA_TYPE_MISMATCH: "the value has another type than the object model or the schema says",
  DATA_OUT_OF_RANGE: "the value does not fit its type",
  LENGTH_OVER_LIMIT: "a length or count exceeds the negotiated limit",
  LENGTH_INVALID: "a length field has a form that the encoding does not allow",
  DEPTH_OVER_LIMIT: "structures are nested deeper than the limit",
  APDU_UNKNOWN_TAG: "the APDU or choice tag is not known here",
  FRAME_INVALID: "the octets are not a frame of this link layer",
  FRAME_CHECK_WRONG: "a check sequence does not fit the octets of the frame",
  FRAME_INCOMPLETE: "the octets stopped in the middle of a frame or of a segmented APDU",
  LINK_STATE: "the order does not fit the state of the link",
  HEX_INVALID: "the text is not a sequence of hexadecimal octets",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Who broke the rule: our own caller (a programming or configuration fault) or the peer (what came off the wire). */
export type Fault = "caller" | "peer";

/** Positions, counts and names that locate a fault. Never key octets, passwords or plaintext. */
export type FaultLocation = Readonly<Record<string, number | string | boolean>>;

/** The one exception of the protocol rooms. What a meter *answered* (a data-access-result) is a value, never this. */
export class DlmsError extends Error {
  override readonly name = "DlmsError";
  readonly code: ErrorCode;
  readonly fault: Fault;
  readonly at: FaultLocation;

  constructor(code: ErrorCode, fault: Fault, at: FaultLocation = {}, options?: ErrorOptions) {
    const location = Object.entries(at).map(([key, value]) => `${key}=${value}`);
    super([`${code}: ${ERROR_CODES[code]}`, ...location].join(" "), options);
    this.code = code;
    this.fault = fault;
    this.at = at;
  }
}
