import { ClientAssociation } from "../../../protocol/association/client/client.ts";
import type {
  ClientCommand,
  ClientEvent,
  ServiceOrder,
  ServiceResponse,
} from "../../../protocol/association/client/client-events.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import type { AssociationServer } from "../../../protocol/association/server/server.ts";
import { ClientSession, type SessionCommand, type SessionEvent } from "../../../protocol/association/session.ts";
import type { DlmsError } from "../../../protocol/errors.ts";
import type { Link } from "../../../protocol/link/link.ts";
import type { Machine } from "../../../protocol/machine.ts";

/** Steps of one run; a pair that needs more talks in circles. */
const STEP_LIMIT = 200_000;

/** A client and a server machine over whole APDUs: what one says, the other hears at once. */
export class ApduPair {
  readonly client: ClientAssociation;
  readonly server: Machine<never, unknown>;
  readonly requests: Uint8Array[] = [];
  nowMs = 0;

  constructor(settings: ClientSettings, server: Machine<never, unknown>) {
    this.client = new ClientAssociation(settings);
    this.server = server;
  }

  /** Orders and runs until nothing moves any more; then time jumps to the next deadline while something is awaited. */
  run(command: ClientCommand): ClientEvent[] {
    this.client.command(command, this.nowMs);
    const events: ClientEvent[] = [];
    for (let steps = 0; steps < STEP_LIMIT; steps++) {
      if (this.#move()) continue;
      for (let event = this.client.takeEvent(); event; event = this.client.takeEvent()) events.push(event);
      const deadlineMs = this.client.deadlineMs();
      if (deadlineMs === undefined) return events;
      this.nowMs = deadlineMs;
      this.client.timeout(deadlineMs);
    }
    throw new Error("the pair talks in circles");
  }

  /** The answer to a request; throws when there is none. */
  ask(order: ServiceOrder): ServiceResponse {
    const events = this.run(order);
    const last = events.at(-1);
    if (last?.type !== "response") throw new Error(`no response but ${describe(last)}`);
    return last.response;
  }

  #move(): boolean {
    let moved = false;
    for (let bytes = this.client.takeBytes(); bytes; bytes = this.client.takeBytes()) {
      this.requests.push(bytes);
      this.server.receive(Uint8Array.from(bytes), this.nowMs);
      moved = true;
    }
    for (let bytes = this.server.takeBytes(); bytes; bytes = this.server.takeBytes()) {
      this.client.receive(Uint8Array.from(bytes), this.nowMs);
      moved = true;
    }
    while (this.server.takeEvent() !== undefined);
    return moved;
  }
}

/** What the wire between two sessions does to octets. */
export interface Wire {
  readonly latencyMs: number;
  /** Longest piece that is delivered at once. */
  readonly pieceLength: number;
  /** Time between the pieces of what was sent at once. */
  readonly gapMs?: number;
  /** Draws from 0 to 1; a piece that draws below `loss` is lost or damaged. */
  readonly random: () => number;
  readonly loss: number;
}

export const CLEAN_WIRE: Wire = { latencyMs: 10, pieceLength: 4096, random: () => 1, loss: 0 };

interface Delivery {
  readonly atMs: number;
  readonly to: "client" | "server";
  readonly bytes: Uint8Array;
}

/** A client session and a server (link and association) over a wire with latency, cuts and loss, in virtual time. */
export class SessionPair {
  readonly session: ClientSession;
  readonly events: SessionEvent[] = [];
  nowMs = 0;
  readonly #serverLink: Link;
  readonly #server: AssociationServer;
  readonly #wire: Wire;
  #deliveries: Delivery[] = [];

  constructor(
    client: { readonly link: Link; readonly settings: ClientSettings; readonly budgetMs?: number },
    server: { readonly link: Link; readonly association: AssociationServer },
    wire: Wire = CLEAN_WIRE,
  ) {
    const { link, settings, budgetMs } = client;
    this.session = new ClientSession({
      link,
      client: new ClientAssociation(settings),
      ...(budgetMs !== undefined && { budgetMs }),
    });
    this.#serverLink = server.link;
    this.#server = server.association;
    this.#wire = wire;
    server.link.command({ type: "open" }, 0);
  }

  /** Orders and runs until the session tells one of the wanted events, or a failure. */
  run(command: SessionCommand, wanted: SessionEvent["type"]): SessionEvent {
    this.session.command(command, this.nowMs);
    for (let steps = 0; steps < STEP_LIMIT; steps++) {
      this.#move();
      for (let event = this.session.takeEvent(); event; event = this.session.takeEvent()) {
        this.events.push(event);
        if (event.type === wanted || event.type === "failed") return event;
      }
      if (!this.#jump()) throw new Error(`nothing moves any more, no ${wanted}`);
    }
    throw new Error("the pair talks in circles");
  }

  ask(order: ServiceOrder): ServiceResponse {
    const event = this.run(order, "response");
    if (event.type !== "response") throw new Error(`no response but ${describe(event)}`);
    return event.response;
  }

  /** Lets time pass, whatever happens. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let steps = 0; steps < STEP_LIMIT; steps++) {
      this.#move();
      const next = this.#nextMs();
      if (next === undefined || next > untilMs) break;
      this.#jump();
    }
    this.nowMs = untilMs;
    this.#move();
    for (let event = this.session.takeEvent(); event; event = this.session.takeEvent()) this.events.push(event);
  }

  #move(): void {
    for (let bytes = this.session.takeBytes(); bytes; bytes = this.session.takeBytes()) this.#post("server", bytes);
    for (;;) {
      const event = this.#serverLink.takeEvent();
      if (event?.type === "apdu") this.#server.receive(event.apdu, this.nowMs);
      if (event?.type === "closed") this.#server.command({ type: "abort" }, this.nowMs);
      for (let apdu = this.#server.takeBytes(); apdu; apdu = this.#server.takeBytes()) {
        this.#serverLink.command({ type: "send", apdu }, this.nowMs);
      }
      while (this.#server.takeEvent() !== undefined);
      if (event === undefined) break;
    }
    for (let bytes = this.#serverLink.takeBytes(); bytes; bytes = this.#serverLink.takeBytes()) {
      this.#post("client", bytes);
    }
  }

  #post(to: "client" | "server", bytes: Uint8Array): void {
    const { pieceLength, gapMs = 0, latencyMs, random, loss } = this.#wire;
    const lost = random() < loss;
    const damaged = lost && random() < 0.5;
    if (lost && !damaged) return;
    const sent = Uint8Array.from(bytes);
    if (damaged) sent[Math.floor(random() * sent.length)] = Math.floor(random() * 256);
    let atMs = this.nowMs + latencyMs;
    for (let offset = 0; offset < sent.length; offset += pieceLength) {
      this.#deliveries.push({ atMs, to, bytes: sent.subarray(offset, offset + pieceLength) });
      atMs += gapMs;
    }
  }

  #nextMs(): number | undefined {
    const times = [
      ...this.#deliveries.map(({ atMs }) => atMs),
      this.session.deadlineMs(),
      this.#serverLink.deadlineMs(),
    ];
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.max(this.nowMs, Math.min(...known));
  }

  #jump(): boolean {
    const next = this.#nextMs();
    if (next === undefined) return false;
    this.nowMs = next;
    const due = this.#deliveries.filter((delivery) => delivery.atMs <= next);
    this.#deliveries = this.#deliveries.filter((delivery) => delivery.atMs > next);
    for (const { to, bytes } of due) {
      if (to === "client") this.session.receive(bytes, next);
      else this.#serverLink.receive(bytes, next);
    }
    if ((this.session.deadlineMs() ?? Number.POSITIVE_INFINITY) <= next) this.session.timeout(next);
    if ((this.#serverLink.deadlineMs() ?? Number.POSITIVE_INFINITY) <= next) this.#serverLink.timeout(next);
    return true;
  }
}

function describe(event: SessionEvent | undefined): string {
  if (event?.type !== "failed") return event?.type ?? "nothing";
  return errorText(event.failure.error);
}

function errorText(error: DlmsError): string {
  return error.message;
}
