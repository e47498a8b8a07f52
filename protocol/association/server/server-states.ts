import { DlmsError } from "../../errors.ts";

/** Everything that may change the server's association state is in this table. */
const TRANSITIONS = {
  idle: {
    accepted: "associated",
    preEstablished: "associated",
    hlsDemanded: "authenticating",
    refused: "idle",
    ended: "idle",
  },
  authenticating: { hlsConfirmed: "associated", hlsFailed: "idle", ended: "idle" },
  associated: { ended: "idle" },
} as const satisfies Record<string, Record<string, string>>;

export type ServerState = keyof typeof TRANSITIONS;
export type ServerTransition = { [S in ServerState]: keyof (typeof TRANSITIONS)[S] }[ServerState];

/** The state that follows; throws SERVICE_UNEXPECTED when the table does not know the transition. */
export function nextServerState(state: ServerState, transition: ServerTransition): ServerState {
  const row: Readonly<Record<string, ServerState>> = TRANSITIONS[state];
  const next = row[transition];
  if (next === undefined) throw new DlmsError("SERVICE_UNEXPECTED", "peer", { state, transition });
  return next;
}
