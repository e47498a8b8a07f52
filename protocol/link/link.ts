import { DlmsError } from "../errors.ts";
import type { Machine } from "../machine.ts";

/** What the layer above orders from a link: open it, carry an APDU, close it. */
export type LinkCommand =
  | { readonly type: "open" }
  /**
   * Sends one APDU. A client's SAPs are its settings; a server answers whoever asked last. `sourceSap` and
   * `destinationSap` say otherwise for this APDU: a push, or an answer to an earlier client on a shared channel.
   * `unnumbered` sends it without acknowledgement and without an open link (HDLC: UI frames); wrappers ignore it.
   */
  | {
      readonly type: "send";
      readonly apdu: Uint8Array;
      readonly sourceSap?: number;
      readonly destinationSap?: number;
      readonly unnumbered?: boolean;
    }
  | { readonly type: "close" }
  /** The channel below has ended; the link is closed by the peer unless it was closed before. */
  | { readonly type: "channelEnded" };

/**
 * Why a link is closed: `peer` by a DISC, DM, a new SNRM or the end of the stream, `local` by our own order, `inactive`
 * because a server has heard nothing for its inactivity time.
 */
export type LinkCloseReason = "local" | "peer" | "inactive";

export type LinkEvent =
  /** The link is ready for APDUs; a wrapper is at once, HDLC after UA. */
  | { readonly type: "opened" }
  /** One whole APDU, joined from segments, without LLC. The octets belong to the receiver. */
  | { readonly type: "apdu"; readonly apdu: Uint8Array; readonly sourceSap: number; readonly destinationSap: number }
  /** One more part of an APDU has gone over, in either direction, and others are to follow. */
  | { readonly type: "progress" }
  | { readonly type: "closed"; readonly reason: LinkCloseReason }
  /** Octets that were not a frame for us: noise, a wrong check sequence, another address. The link goes on. */
  | { readonly type: "discarded"; readonly octets: Uint8Array; readonly error: DlmsError }
  /** The link can't go on (no answer after all retries, FRMR, a frame over the limit). Nothing but `open` may follow. */
  | { readonly type: "failed"; readonly error: DlmsError };

/** One side of a link layer: it carries APDUs as octets and knows nothing of what they mean. */
export type Link = Machine<LinkCommand, LinkEvent>;

/** What a machine of a link tells of octets that came unasked. */
export type LinkUnit = Extract<LinkEvent, { type: "apdu" | "discarded" }>;

/** The steps that a table of states has. */
export type StepOf<Table> = { [State in keyof Table]: keyof Table[State] }[keyof Table];

/** The state after a step. Throws LINK_STATE for a step that the table does not have. */
export function nextState<State extends string, Step extends string>(
  table: { readonly [From in State]: { readonly [By in Step]?: State } },
  state: State,
  step: Step,
): State {
  const next = table[state][step];
  if (next === undefined) throw new DlmsError("LINK_STATE", "caller", { state, step });
  return next;
}
