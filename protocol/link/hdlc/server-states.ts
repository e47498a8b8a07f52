import { nextState, type StepOf } from "../link.ts";

/**
 * Everything that may change the server's link state is in this table (IEC 62056-46, 6.4.4).
 *
 * - disconnected: normal disconnected mode · listening: connected, the client has the turn · processing: the turn is ours
 *   and the layer above has the request · rejecting: FRMR sent, nothing but SNRM and DISC helps
 */
const TRANSITIONS = {
  disconnected: { connected: "listening" },
  listening: { connected: "listening", requestTaken: "processing", rejected: "rejecting", ended: "disconnected" },
  processing: {
    connected: "listening",
    requestTaken: "processing",
    turnReturned: "listening",
    rejected: "rejecting",
    ended: "disconnected",
  },
  rejecting: { connected: "listening", rejected: "rejecting", ended: "disconnected" },
} as const satisfies Record<string, Record<string, string>>;

export type HdlcServerState = keyof typeof TRANSITIONS;
export type HdlcServerStep = StepOf<typeof TRANSITIONS>;

/** The state after a step. Throws LINK_STATE for a step that the state does not allow. */
export function nextServerState(state: HdlcServerState, step: HdlcServerStep): HdlcServerState {
  return nextState(TRANSITIONS, state, step);
}
