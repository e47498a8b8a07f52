/** Every length, count and depth that a peer controls is bounded here; exceeding one is a typed error. */
export const LIMITS = {
  /** Octets of one APDU, after all blocks and segments are joined. */
  apduLength: 4 * 1024 * 1024,
  /** Octets of one octet-string, visible-string, utf8-string or bit-string. */
  stringLength: 1024 * 1024,
  /** Elements of one array or structure. */
  elementCount: 500_000,
  /** Elements of all arrays and structures of one value together. */
  totalElementCount: 4_000_000,
  /** Elements that one octet of a compact array may stand for: null-data takes none, and arrays of it are free to send. */
  compactElementsPerOctet: 64,
  /** Nesting of arrays and structures. */
  depth: 16,
  /** Elements of a SEQUENCE OF in an APDU: attribute lists, access specifications, results. */
  listCount: 4096,
  /** Octets of a BER-encoded ACSE APDU. */
  acseLength: 64 * 1024,
  /** Ciphered APDUs inside one another. */
  protectionDepth: 4,
  /** Combinations of keys and titles that a diagnosis tries. */
  diagnosisAttempts: 4096,
  /** Octets of a certificate or certificate request. */
  certificateLength: 64 * 1024,
  /** Characters of a name out of a certificate that an error shows; X.509 allows a common name no more. */
  shownName: 64,
  /** Certificates from an end entity's to a trusted one, both counted. */
  certificateChain: 6,
  /** Certificates that one security setup keeps. */
  storedCertificates: 64,
  /** Octets of a password or HLS secret. */
  hlsSecretLength: 1024,
  /** Other system titles than the association's whose counters one protection object follows. */
  followedTitles: 64,
  /** Milliseconds that a session may take when nobody says less. */
  sessionMs: 4 * 3_600_000,
  /** Octets after which a run of noise is told, though it has not ended. */
  noiseRun: 1024,
  /** Frames sent whose echo may still come. */
  echoedFrames: 16,
  /** Stations that may have an APDU of unnumbered frames half sent at the same time. */
  halfSenders: 16,
  /** Logical names whose meanings are remembered; names come from meters, and may be any. */
  rememberedNames: 4096,
  /** APDUs that wait in a link for their turn. */
  linkQueue: 64,
  /** Octets of one APDU joined from unnumbered frames, or bare on a line, which any station may send unasked. */
  unnumberedLength: 256 * 1024,
  /** Octets of an identification line of IEC 62056-21. */
  identificationLength: 64,
  /** Octets of a readout of IEC 62056-21, load profiles included. */
  readoutLength: 512 * 1024,
  /** Octets of a P1 telegram; those of the field have up to 5,000. */
  p1TelegramLength: 16 * 1024,
  /** Blocks of one value, whatever their length. */
  blockCount: 100_000,
  /** How often one turn of a general block transfer is repeated without progress. */
  generalBlockRepetitions: 3,
  /** APDUs that may come while an answer is awaited without being one. */
  discardedApdus: 1000,
  /** Rows of one profile buffer that are put aside because they do not fit the layout, before the layout is doubted. */
  rejectedRows: 1024,
  /** Clients whose associations one server follows on one link. */
  clientsPerLink: 16,
} as const;
