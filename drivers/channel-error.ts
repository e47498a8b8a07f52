/** Every way in which a channel can fail to open or end before its time. Codes are never reused. */
export const CHANNEL_ERROR_CODES = {
  CHANNEL_NAME_UNKNOWN: "the host name has no address",
  CHANNEL_REFUSED: "the host answers, but nothing listens on the port (or it takes no further connection)",
  CHANNEL_NO_ANSWER: "nothing answered within the time allowed for connecting",
  CHANNEL_UNREACHABLE: "no route leads to the host",
  CHANNEL_LOCAL_LIMIT: "this machine has no free socket, port or file handle",
  CHANNEL_RESET: "the peer broke the connection off",
  CHANNEL_WRITE_OVERFLOW: "the peer takes no octets and the queue to it is full",
  CHANNEL_ABORTED: "the caller gave up",
  CHANNEL_NOT_CALLED: "the peer opens the connection itself, and has none open",
  CHANNEL_PORT_MISSING: "there is no such serial port: it is unplugged, or its path is wrong",
  CHANNEL_PORT_LOCKED: "another program has the serial port",
  CHANNEL_PORT_FORBIDDEN: "this user may not open the serial port",
  CHANNEL_UNPLUGGED: "the serial port went away while it was in use",
  CHANNEL_FAILED: "the system reports a failure of the channel",
  RECORDING_INVALID: "the recording does not have the form of one",
  RECORDING_DEVIATION: "the octets sent differ from those recorded",
} as const;

export type ChannelErrorCode = keyof typeof CHANNEL_ERROR_CODES;

/** The exception of the drivers: shaped like DlmsError, but about transports, not about what they carry. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  readonly code: ChannelErrorCode;
  /** Addresses, lines and counts; never octets of a secret. */
  readonly at: Readonly<Record<string, number | string>>;

  constructor(code: ChannelErrorCode, at: Readonly<Record<string, number | string>> = {}, options?: ErrorOptions) {
    const location = Object.entries(at).map(([key, value]) => `${key}=${value}`);
    super([`${code}: ${CHANNEL_ERROR_CODES[code]}`, ...location].join(" "), options);
    this.code = code;
    this.at = at;
  }
}

/** What the system's error codes mean to us; everything else is CHANNEL_FAILED. */
const SYSTEM_CODES: Readonly<Record<string, ChannelErrorCode>> = {
  ECONNREFUSED: "CHANNEL_REFUSED",
  ETIMEDOUT: "CHANNEL_NO_ANSWER",
  ERR_SOCKET_CONNECTION_TIMEOUT: "CHANNEL_NO_ANSWER",
  EHOSTUNREACH: "CHANNEL_UNREACHABLE",
  ENETUNREACH: "CHANNEL_UNREACHABLE",
  EHOSTDOWN: "CHANNEL_UNREACHABLE",
  ENETDOWN: "CHANNEL_UNREACHABLE",
  EACCES: "CHANNEL_UNREACHABLE",
  EPERM: "CHANNEL_UNREACHABLE",
  ENOTFOUND: "CHANNEL_NAME_UNKNOWN",
  EAI_AGAIN: "CHANNEL_NAME_UNKNOWN",
  EAI_NONAME: "CHANNEL_NAME_UNKNOWN",
  EMFILE: "CHANNEL_LOCAL_LIMIT",
  ENFILE: "CHANNEL_LOCAL_LIMIT",
  ENOBUFS: "CHANNEL_LOCAL_LIMIT",
  EADDRNOTAVAIL: "CHANNEL_LOCAL_LIMIT",
  EADDRINUSE: "CHANNEL_LOCAL_LIMIT",
  ECONNRESET: "CHANNEL_RESET",
  EPIPE: "CHANNEL_RESET",
  ECONNABORTED: "CHANNEL_RESET",
};

/** The system's code of an error; empty where it has none. */
export function systemCodeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Names a system error; a ChannelError stays what it is. */
export function channelErrorOf(error: unknown, at: Readonly<Record<string, number | string>>): ChannelError {
  if (error instanceof ChannelError) return error;
  const systemCode = systemCodeOf(error);
  const code = SYSTEM_CODES[systemCode] ?? "CHANNEL_FAILED";
  return new ChannelError(code, systemCode === "" ? at : { ...at, system: systemCode }, { cause: error });
}
