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
  OPTION_FLAG_INVALID: "the flag of an OPTIONAL or DEFAULT field is neither 00 nor 01",
  ELEMENT_MISSING: "a mandatory element of an ACSE APDU is missing",
  ELEMENT_REPEATED: "an element of an ACSE APDU comes twice",
  APDU_UNKNOWN_TAG: "the APDU or choice tag is not known here",
  FRAME_INVALID: "the octets are not a frame of this link layer",
  FRAME_CHECK_WRONG: "a check sequence does not fit the octets of the frame",
  FRAME_INCOMPLETE: "the octets stopped in the middle of a frame or of a segmented APDU",
  FRAME_UNKNOWN: "the frame is whole but of a kind that no table knows",
  FRAME_UNEXPECTED: "the frame does not fit the state of the link",
  FRAME_DUPLICATE: "the frame has been received before",
  FRAME_NOT_FOR_US: "the frame is addressed to another station or comes from one",
  SEGMENT_MISSING: "a segment of an APDU is missing",
  READOUT_INVALID: "the text is not a message of IEC 62056-21",
  LINK_NO_ANSWER: "the peer gives no usable answer after all retries",
  LINK_REFUSED: "the peer refuses to open the link",
  LINK_MODE_NOT_OFFERED: "the meter's identification does not offer HDLC",
  LINK_REJECTED: "the peer rejected a frame; the link must be opened anew",
  LINK_SEQUENCE: "the peer acknowledges frames that were never sent",
  LINK_STATE: "the order does not fit the state of the link",
  SECURITY_KEY_LENGTH: "the key has not the length that its role or the security suite asks for",
  SECURITY_KEY_MISSING: "a key that this protection needs has not been given",
  SECURITY_TITLE_INVALID: "a system title has eight octets",
  SECURITY_TITLE_UNKNOWN: "the sender's system title is neither in the APDU nor known from the association",
  SECURITY_TITLE_MISMATCH: "the APDU names another system title than the association's",
  SECURITY_TITLE_REFLECTED: "the APDU carries our own system title: it is one of ours, sent back",
  SECURITY_SUITE_MISMATCH: "the APDU was protected under another security suite than the association's",
  SECURITY_COMPRESSION_UNSUPPORTED: "the APDU is compressed (V.44), which is not supported",
  SECURITY_TAG_MISSING: "the content ends before its authentication tag does",
  SECURITY_TAG_MISMATCH: "the authentication tag does not fit: a key, the system title or the octets are wrong",
  SECURITY_PLAINTEXT_IMPLAUSIBLE: "deciphered without a tag to what is no APDU: the key or the system title is wrong",
  SECURITY_SERVICE_MISMATCH: "the deciphered APDU is of another service than the ciphered one's tag says",
  SECURITY_COUNTER_REPLAYED: "the invocation counter was used before",
  SECURITY_COUNTER_UNKNOWN: "where the sender's invocation counter stands is not known yet",
  SECURITY_COUNTER_EXHAUSTED: "no invocation counter is left for this key",
  SECURITY_COUNTER_UNRESERVED: "no invocation counter is reserved, and none can be for now",
  SECURITY_COUNTER_IMPLAUSIBLE: "the meter asks for an invocation counter so high that it would use the key up",
  SECURITY_WEAKER_THAN_REQUIRED: "the protection is weaker than the association requires",
  SECURITY_NOT_CIPHERED: "the APDU is not a ciphered one",
  SECURITY_NO_CIPHERED_FORM: "this APDU has no ciphered tag of its own: use the general form",
  SECURITY_ENVELOPE_INVALID: "the octets are no sealed key of a form that is known here",
  SECURITY_SEALING_KEY_UNKNOWN: "the key was sealed under another sealing key than those given",
  SECURITY_ENVELOPE_DAMAGED: "the sealed key is damaged, or was moved from another meter, role or version",
  SECURITY_SUITE_WITHOUT_PUBLIC_KEYS: "security suite 0 has no public keys",
  SECURITY_PUBLIC_KEY_INVALID: "the octets are no public key on the curve of the suite",
  SECURITY_PRIVATE_KEY_INVALID: "this is no private key on the curve of the suite",
  SECURITY_TRANSACTION_MISMATCH: "the answer belongs to another transaction than the request",
  SECURITY_SIGNATURE_MISMATCH: "the signature does not fit the octets and the signer's public key",
  SECURITY_KEY_INFO_UNKNOWN: "the APDU names its key in a way that is not known here",
  SECURITY_KEY_UNWRAP_FAILED: "the wrapped key fails its integrity check: the master key or the octets are wrong",
  CERTIFICATE_INVALID: "the octets are no X.509 certificate or request of the kind that DLMS uses",
  CERTIFICATE_ISSUER_UNKNOWN: "no authority that is trusted has issued the certificate, directly or through others",
  CERTIFICATE_SIGNATURE_WRONG: "the signature on the certificate or request does not fit its issuer's key",
  CERTIFICATE_OUT_OF_DATE: "the certificate is not valid at this time",
  CERTIFICATE_USAGE_WRONG: "the certificate is for another use of its key",
  CERTIFICATE_TITLE_MISMATCH: "the certificate names another system title than the peer's",
  HLS_CHALLENGE_LENGTH: "a challenge has not the length that the authentication mechanism asks for",
  HLS_CHALLENGE_ECHOED: "the peer sent our own challenge back as its own",
  HLS_REPLY_MISMATCH: "the reply to the challenge is wrong: the peer does not know the secret, or we do not",
  HLS_INPUT_MISSING: "the authentication mechanism needs an input that has not been given",
  HLS_NO_CHALLENGE: "the authentication mechanism has no challenge to reply to",
  PROFILE_ROW_WIDTH: "a row has not as many elements as the profile has capture objects",
  PROFILE_ROW_TYPE: "a row of a profile is neither a structure nor an array",
  OBIS_INVALID: "the text is not an OBIS code",
  SERVICE_UNEXPECTED: "the APDU or order does not fit the state of the association",
  SERVICE_NOT_NEGOTIATED: "the service is not one that the association has agreed on",
  SERVICE_UNANSWERED: "no answer came within the time allowed",
  SERVICE_REFUSED: "the peer answered that it does not process the APDU",
  BLOCK_NUMBER_INVALID: "a block has not the number that must follow",
  RESULT_COUNT_WRONG: "the answer has not as many results as were asked for",
  PDU_TOO_LONG: "the APDU is longer than the peer takes, and no block transfer can carry it",
  ASSOCIATION_REFUSED: "the peer refused the association",
  ASSOCIATION_INVALID: "the answer to the association request lacks what it must hold",
  LINK_ENDED: "the link ended",
  SESSION_BUDGET_SPENT: "the session took longer than it may",
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

/** What was thrown, if it is a DlmsError; anything else is a fault of ours and thrown on. */
export function dlmsErrorOf(error: unknown): DlmsError {
  if (error instanceof DlmsError) return error;
  throw error;
}
