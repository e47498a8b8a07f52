import { DlmsError, type Fault } from "../../errors.ts";

/** Everything that may change the client's association state is in this table. */
const TRANSITIONS = {
  idle: { aarqSent: "associating", preEstablished: "associated", aborted: "idle" },
  associating: {
    aareAccepted: "associated",
    aareHlsPending: "authenticating",
    aareRefused: "idle",
    openedAgain: "associating",
    unanswered: "idle",
    aborted: "idle",
  },
  authenticating: {
    replySent: "authenticating",
    hlsConfirmed: "associated",
    hlsFailed: "idle",
    openedAgain: "associating",
    unanswered: "idle",
    aborted: "idle",
  },
  associated: {
    requestSent: "requesting",
    unconfirmedSent: "associated",
    confirmationSent: "associated",
    rlrqSent: "releasing",
    leftSilently: "idle",
    aborted: "idle",
  },
  requesting: {
    blockSent: "requesting",
    confirmationSent: "requesting",
    answered: "associated",
    failed: "associated",
    answerLost: "idle",
    aborted: "idle",
  },
  releasing: { rlreReceived: "idle", refused: "idle", unanswered: "idle", aborted: "idle" },
} as const satisfies Record<string, Record<string, string>>;

export type ClientState = keyof typeof TRANSITIONS;
export type ClientTransition = { [S in ClientState]: keyof (typeof TRANSITIONS)[S] }[ClientState];

/** The transitions by which a client leaves an association, and how the server answered then. */
export const LEAVING = {
  rlreReceived: "rlre",
  refused: "refused",
  unanswered: "unanswered",
  leftSilently: "notAsked",
} as const satisfies Partial<Record<ClientTransition, string>>;

export type LeavingTransition = keyof typeof LEAVING;

/** The state that follows; throws SERVICE_UNEXPECTED when the table does not know the transition. */
export function nextClientState(state: ClientState, transition: ClientTransition, fault: Fault): ClientState {
  const row: Readonly<Record<string, ClientState>> = TRANSITIONS[state];
  const next = row[transition];
  if (next === undefined) throw new DlmsError("SERVICE_UNEXPECTED", fault, { state, transition });
  return next;
}
