/** A push as it is kept, and on its way there. */
import type { OtherValue } from "../../profiles/batch.ts";
import type { SeenEvents } from "../../profiles/seen-events.ts";
import type { PushCounter } from "./push-counters.ts";

export const PUSH_TRANSPORTS = ["tcp", "udp", "serial"] as const;
export const PUSH_PROTECTIONS = ["none", "authenticated", "encrypted", "authenticated-encrypted"] as const;
/** How the meter of a push is found. */
export const PUSH_CLUES = ["system-title", "identity", "address"] as const;
export const PUSH_OUTCOMES = ["stored", "partial", "rejected"] as const;

/** `stored`: all values have a place; `partial`: some were set aside; `rejected`: none was taken. */
export type PushOutcomeName = (typeof PUSH_OUTCOMES)[number];

export interface ReceivedPush {
  readonly receivedAt: Date;
  /** Address of whoever sent it. */
  readonly peer: string;
  readonly transport: (typeof PUSH_TRANSPORTS)[number];
  /** The meter's uuid; undefined while nobody knows the sender. */
  readonly meterId: string | undefined;
  /** How the meter was found. */
  readonly attributedBy: (typeof PUSH_CLUES)[number] | undefined;
  /** What the push says of its sender, the most telling first. */
  readonly senderNames: readonly string[];
  readonly systemTitle: Uint8Array | undefined;
  /** The same for each time that a push which wants to be confirmed is sent; undefined for others. */
  readonly repeatKey: Uint8Array | undefined;
  /** Its invocation counter, where a tag vouches for that. */
  readonly counter: (PushCounter & { readonly isStrict: boolean }) | undefined;
  /** Dotted logical name. */
  readonly pushSetup: string | undefined;
  /** When the meter held the values; undefined for what could not be read. */
  readonly readAt: Date | undefined;
  /** Undefined for what could not be read. */
  readonly protection: (typeof PUSH_PROTECTIONS)[number] | undefined;
  /** Whether an authentication tag vouches for sender and content; undefined for what could not be read. */
  readonly verified: boolean | undefined;
  /** What was let pass. */
  readonly marks: readonly string[];
  readonly outcome: PushOutcomeName;
  /** Why it was not stored whole. */
  readonly reason: string | undefined;
  /** As they came off the wire. */
  readonly octets: Uint8Array;
  readonly values: readonly PushedValue[];
  /** What it says has happened. */
  readonly seen: SeenEvents;
  /** Rows that it makes at most: what a queue counts. */
  readonly rowCount: number;
}

export interface PushedValue {
  /** `class:logical name:attribute`, or the place in the body for what has no name. */
  readonly captureObject: string;
  /** An exact decimal as text, text, octets in hex (`0x…`), a boolean, or nested of these. */
  readonly value: OtherValue;
  readonly isNumber: boolean;
  /** UCUM unit, or undefined. */
  readonly unit: string | undefined;
}

/** What became of a push: replayed is one that came before, of a meter that refuses those. */
export type PushFate = "kept" | "replayed";

/** A push on its way into the history. */
export interface QueuedPush {
  readonly push: ReceivedPush;
  readonly rowCount: number;
  /** Its key in the history; undefined until it is first written. Whoever writes it again writes the same row. */
  key: bigint | undefined;
  /** Whether it has been handed to the spool as it was then. */
  isSpooled: boolean;
  fate: PushFate;
}

export function queuedPush(push: ReceivedPush, key: bigint | undefined): QueuedPush {
  return { push, rowCount: push.rowCount, key, isSpooled: false, fate: "kept" };
}
