import { nextState, type StepOf } from "../link.ts";

/** UA has come and the link has not ended: information may be exchanged, whoever has the turn. */
const OPEN = {
  informationSent: "awaiting",
  pollSent: "polling",
  pauseBegun: "pausing",
  turnKept: "ready",
  discSent: "disconnecting",
  ended: "disconnected",
  failed: "failed",
} as const;

/**
 * Everything that may change the client's link state is in this table (normal response mode, IEC 62056-46, 6.4.4).
 *
 * - connecting: SNRM sent · resetting: DISC sent, SNRM follows · ready: we have the turn, nothing to do
 * - awaiting: information sent, the server has the turn · polling: RR sent, the server has the turn
 * - pausing: we have the turn and wait before asking again · disconnecting: DISC sent
 */
const TRANSITIONS = {
  disconnected: { snrmSent: "connecting", resetSent: "resetting" },
  connecting: {
    snrmSent: "connecting",
    resetSent: "resetting",
    uaReceived: "ready",
    discSent: "disconnecting",
    ended: "disconnected",
    failed: "failed",
  },
  resetting: { snrmSent: "connecting", discSent: "disconnecting", ended: "disconnected", failed: "failed" },
  ready: OPEN,
  awaiting: OPEN,
  polling: OPEN,
  pausing: OPEN,
  disconnecting: { discSent: "disconnecting", ended: "disconnected" },
  failed: { snrmSent: "connecting", resetSent: "resetting" },
} as const satisfies Record<string, Record<string, string>>;

export type HdlcClientState = keyof typeof TRANSITIONS;
export type HdlcClientStep = StepOf<typeof TRANSITIONS>;

/** The state after a step. Throws LINK_STATE for a step that the state does not allow. */
export function nextClientState(state: HdlcClientState, step: HdlcClientStep): HdlcClientState {
  return nextState(TRANSITIONS, state, step);
}

/** Whether information may be exchanged. */
export function isOpen(state: HdlcClientState): boolean {
  return TRANSITIONS[state] === OPEN;
}

/** Whether the server has been given the turn on an open link. */
export function isServersTurn(state: HdlcClientState): boolean {
  return state === "awaiting" || state === "polling";
}
