import { DlmsError } from "../errors.ts";

/** Everything that may change the server's association state is in this table. */
const TRANSITIONS = {
  idle: { accepted: "associated", hlsDemanded: "authenticating", refused: "idle", ended: "idle" },
  authenticating: { hlsConfirmed: "associated", hlsFailed: "idle", ended: "idle" },
  associated: { ended: "idle" },
} as const satisfies Record<string, Record<string, string>>;

export type ServerState = keyof typeof TRANSITIONS;
export type ServerTransition = { [S in ServerState]: keyof (typeof TRANSITIONS)[S] }[ServerState];

/** Everything that may change the state of a long transfer is in this table; a new request of another kind ends it. */
const TRANSFERS = {
  none: { sendingStarted: "sending", receivingStarted: "receiving", ended: "none" },
  sending: { blockSent: "sending", ended: "none" },
  receiving: { blockReceived: "receiving", sendingStarted: "sending", ended: "none" },
} as const satisfies Record<string, Record<string, string>>;

export type TransferState = keyof typeof TRANSFERS;
export type TransferTransition = { [S in TransferState]: keyof (typeof TRANSFERS)[S] }[TransferState];

/** The state that follows; throws SERVICE_UNEXPECTED when the table does not know the transition. */
export function nextServerState(state: ServerState, transition: ServerTransition): ServerState {
  return lookUp<ServerState>(TRANSITIONS[state], state, transition);
}

export function nextTransferState(state: TransferState, transition: TransferTransition): TransferState {
  return lookUp<TransferState>(TRANSFERS[state], state, transition);
}

function lookUp<S extends string>(row: Readonly<Record<string, S>>, state: S, transition: string): S {
  const next = row[transition];
  if (next === undefined) throw new DlmsError("SERVICE_UNEXPECTED", "peer", { state, transition });
  return next;
}
