/**
 * A client's session over one channel: link and association as one machine over octets, within a budget of time. What
 * ends the link ends the association; whatever was under way then fails.
 */

import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Link, LinkCloseReason, LinkEvent } from "../link/link.ts";
import { earlier, type Machine } from "../machine.ts";
import { Queue } from "../queue.ts";
import type { ClientAssociation } from "./client/client.ts";
import type { ClientCommand, ClientEvent } from "./client/client-events.ts";

/** Everything that may change the session's state is in this table. */
const TRANSITIONS = {
  closed: { openOrdered: "opening" },
  opening: { linkOpened: "open", closeOrdered: "closing", linkClosed: "closed", linkFailed: "failed" },
  open: { closeOrdered: "closing", linkClosed: "closed", linkFailed: "failed" },
  closing: { linkClosed: "closed", linkFailed: "closed" },
  failed: { openOrdered: "opening" },
} as const satisfies Record<string, Record<string, string>>;

export type SessionState = keyof typeof TRANSITIONS;
export type SessionTransition = { [S in SessionState]: keyof (typeof TRANSITIONS)[S] }[SessionState];

export type SessionCommand =
  | { readonly type: "open" }
  | Exclude<ClientCommand, { readonly type: "abort" | "waitOn" }>
  | { readonly type: "close" }
  /** The channel below has ended. */
  | { readonly type: "channelEnded" };

export type SessionEvent =
  | ClientEvent
  /** The link is ready: an association may be opened. */
  | { readonly type: "opened" }
  | { readonly type: "closed"; readonly reason: LinkCloseReason }
  /** Octets that were no frame for us. */
  | { readonly type: "noise"; readonly octets: number; readonly error: DlmsError };

export interface SessionSettings {
  readonly link: Link;
  readonly client: ClientAssociation;
  /** From `open` on; when it is spent, the session ends whatever is under way. */
  readonly budgetMs?: number | undefined;
  /** How long the link may take to close; then it counts as closed. */
  readonly closeTimeoutMs?: number;
}

const CLOSE_TIMEOUT_MS = 5000;

export class ClientSession implements Machine<SessionCommand, SessionEvent> {
  readonly #link: Link;
  readonly #client: ClientAssociation;
  readonly #budgetMs: number;
  readonly #closeTimeoutMs: number;
  readonly #events = new Queue<SessionEvent>();
  #state: SessionState = "closed";
  /** When the budget is spent, or closing has taken long enough. */
  #endMs: number | undefined;

  constructor(settings: SessionSettings) {
    this.#link = settings.link;
    this.#client = settings.client;
    this.#budgetMs = settings.budgetMs ?? LIMITS.sessionMs;
    this.#closeTimeoutMs = settings.closeTimeoutMs ?? CLOSE_TIMEOUT_MS;
  }

  get state(): SessionState {
    return this.#state;
  }

  get client(): Pick<ClientAssociation, "state" | "agreement"> {
    return this.#client;
  }

  command(command: SessionCommand, nowMs: number): void {
    switch (command.type) {
      case "open":
        this.#open(nowMs);
        break;
      case "close":
        this.#close(nowMs);
        break;
      case "channelEnded":
        this.#link.command(command, nowMs);
        break;
      default:
        if (this.#state !== "open") {
          throw new DlmsError("LINK_STATE", "caller", { order: command.type, state: this.#state });
        }
        this.#client.command(command, nowMs);
    }
    this.#exchange(nowMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#link.receive(bytes, nowMs);
    this.#exchange(nowMs);
  }

  timeout(nowMs: number): void {
    if (this.#endMs !== undefined && nowMs >= this.#endMs) this.#spend(nowMs);
    this.#link.timeout(nowMs);
    this.#exchange(nowMs);
    this.#client.timeout(nowMs);
    this.#exchange(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#link.takeBytes();
  }

  takeEvent(): SessionEvent | undefined {
    return this.#events.take();
  }

  deadlineMs(): number | undefined {
    return earlier(this.#endMs, earlier(this.#link.deadlineMs(), this.#client.deadlineMs()));
  }

  #open(nowMs: number): void {
    const next = nextSessionState(this.#state, "openOrdered");
    this.#link.command({ type: "open" }, nowMs);
    this.#state = next;
    this.#endMs = nowMs + this.#budgetMs;
  }

  /** Closing what is closed is no fault. */
  #close(nowMs: number): void {
    if (this.#state !== "open" && this.#state !== "opening") return;
    this.#step("closeOrdered");
    this.#endMs = nowMs + this.#closeTimeoutMs;
    if (this.#client.state !== "idle") {
      this.#client.command({ type: "abort", error: new DlmsError("LINK_ENDED", "caller", { by: "local" }) }, nowMs);
    }
    this.#link.command({ type: "close" }, nowMs);
  }

  #spend(nowMs: number): void {
    this.#endMs = undefined;
    // The peer does not answer our farewell: to the link that is the end of its channel.
    if (this.#state === "closing") this.#link.command({ type: "channelEnded" }, nowMs);
    if (this.#state !== "open" && this.#state !== "opening") return;
    this.#fail(new DlmsError("SESSION_BUDGET_SPENT", "peer", { budgetMs: this.#budgetMs }), nowMs);
    this.#close(nowMs);
  }

  /** Moves APDUs and events between the two machines until nothing is left to move. */
  #exchange(nowMs: number): void {
    for (;;) {
      this.#sendAll(nowMs);
      this.#collect();
      const event = this.#link.takeEvent();
      if (event === undefined) return;
      this.#take(event, nowMs);
    }
  }

  #sendAll(nowMs: number): void {
    for (let apdu = this.#client.takeBytes(); apdu !== undefined; apdu = this.#client.takeBytes()) {
      try {
        this.#link.command({ type: "send", apdu }, nowMs);
      } catch (error) {
        if (!(error instanceof DlmsError)) throw error;
        this.#client.command({ type: "abort", error }, nowMs);
      }
    }
  }

  #collect(): void {
    for (let event = this.#client.takeEvent(); event !== undefined; event = this.#client.takeEvent()) {
      this.#events.push(event);
    }
  }

  #take(event: LinkEvent, nowMs: number): void {
    switch (event.type) {
      case "opened":
        if (this.#follow("linkOpened")) this.#events.push(event);
        return;
      case "apdu":
        this.#client.receive(event.apdu, nowMs);
        return;
      case "progress":
        this.#client.command({ type: "waitOn" }, nowMs);
        return;
      case "discarded":
        this.#events.push({ type: "noise", octets: event.octets.length, error: event.error });
        return;
      case "closed":
        this.#ended(event.reason, nowMs);
        return;
      case "failed":
        this.#fail(event.error, nowMs);
        this.#follow("linkFailed");
        this.#endMs = undefined;
    }
  }

  #ended(reason: LinkCloseReason, nowMs: number): void {
    if (this.#state === "open" || this.#state === "opening") {
      this.#fail(new DlmsError("LINK_ENDED", "peer", { by: reason }), nowMs);
    }
    this.#endMs = undefined;
    if (this.#follow("linkClosed")) this.#events.push({ type: "closed", reason });
  }

  /** Whatever is under way fails; while the link opens that is the link itself. */
  #fail(error: DlmsError, nowMs: number): void {
    const idle = this.#state === "opening" || this.#client.deadlineMs() === undefined;
    this.#client.command({ type: "abort", error }, nowMs);
    this.#collect();
    if (!idle) return;
    this.#events.push({
      type: "failed",
      failure: { stage: "link", error, evidence: { type: "linkEnded", during: "link" } },
    });
  }

  #step(transition: SessionTransition): void {
    this.#state = nextSessionState(this.#state, transition);
  }

  /** What the link reports is followed where the table knows it: a link that ends twice is no fault of ours. */
  #follow(transition: SessionTransition): boolean {
    const next = followingState(this.#state, transition);
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }
}

/** The state that follows; throws LINK_STATE when the table does not know the transition. */
function nextSessionState(state: SessionState, transition: SessionTransition): SessionState {
  const next = followingState(state, transition);
  if (next === undefined) throw new DlmsError("LINK_STATE", "caller", { order: transition, state });
  return next;
}

function followingState(state: SessionState, transition: SessionTransition): SessionState | undefined {
  const row: Readonly<Record<string, SessionState>> = TRANSITIONS[state];
  return row[transition];
}
