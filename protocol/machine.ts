/** The face of every state machine in protocol/. Time comes in as an argument, octets go out as return values. */
export interface Machine<Command, Event> {
  /** Carries out an order. Encodes first, then steps: an order that is refused (throws) changes nothing. */
  command(command: Command, nowMs: number): void;
  /** Takes octets as they came off the wire, in pieces of any size. Never throws: a fault of the peer is an event. */
  receive(bytes: Uint8Array, nowMs: number): void;
  /** Says that time has passed; does what is due by then. */
  timeout(nowMs: number): void;
  /** The next octets to send, or undefined when there are none. The caller owns them. */
  takeBytes(): Uint8Array | undefined;
  /** The next event, or undefined when there is none. */
  takeEvent(): Event | undefined;
  /** When `timeout` wants to be called next, on the same clock as `nowMs`. */
  deadlineMs(): number | undefined;
}

/** The earlier of two deadlines, either of which may be none. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
