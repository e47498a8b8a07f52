/**
 * A server's side of one channel: a link, and an association for each client that talks over it, as one machine over
 * octets. What ends the link ends the associations.
 */
import type { DataNotification } from "../../apdu/data-notification.ts";
import { DlmsError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { Link, LinkCloseReason, LinkEvent } from "../../link/link.ts";
import { earlier, type Machine } from "../../machine.ts";
import type { AssociationServer, ServerEvent } from "./server.ts";

export type ServerSessionCommand =
  | { readonly type: "open" }
  | { readonly type: "close" }
  /** The channel below has ended. */
  | { readonly type: "channelEnded" };

export type ServerSessionEvent =
  | (ServerEvent & { readonly clientSap: number })
  | { readonly type: "opened" }
  | { readonly type: "closed"; readonly reason: LinkCloseReason }
  | { readonly type: "failed"; readonly error: DlmsError }
  /** Octets that were no frame for us, or an answer that the link could not take. */
  | { readonly type: "noise"; readonly octets: number; readonly error: DlmsError };

export interface ServerSessionSettings {
  readonly link: Link;
  /** The logical device that answers; requests to others get no answer. */
  readonly serverSap: number;
  /** Makes the association of a client that talks for the first time. */
  readonly associationServer: (clientSap: number) => AssociationServer;
  /** What is said to an associated client before its request is answered. */
  readonly unasked?: (clientSap: number) => DataNotification | undefined;
}

type ReceivedApdu = Extract<LinkEvent, { type: "apdu" }>;

export class ServerSession implements Machine<ServerSessionCommand, ServerSessionEvent> {
  readonly #settings: ServerSessionSettings;
  readonly #associations = new Map<number, AssociationServer>();
  readonly #events: ServerSessionEvent[] = [];

  constructor(settings: ServerSessionSettings) {
    this.#settings = settings;
  }

  command(command: ServerSessionCommand, nowMs: number): void {
    this.#settings.link.command(command, nowMs);
    this.#exchange(nowMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#settings.link.receive(bytes, nowMs);
    this.#exchange(nowMs);
  }

  timeout(nowMs: number): void {
    this.#settings.link.timeout(nowMs);
    for (const [clientSap, server] of this.#associations) {
      server.timeout(nowMs);
      this.#collect(clientSap, server);
    }
    this.#exchange(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#settings.link.takeBytes();
  }

  takeEvent(): ServerSessionEvent | undefined {
    return this.#events.shift();
  }

  deadlineMs(): number | undefined {
    let deadlineMs = this.#settings.link.deadlineMs();
    for (const server of this.#associations.values()) deadlineMs = earlier(deadlineMs, server.deadlineMs());
    return deadlineMs;
  }

  #exchange(nowMs: number): void {
    const { link } = this.#settings;
    for (let event = link.takeEvent(); event !== undefined; event = link.takeEvent()) this.#take(event, nowMs);
  }

  #take(event: LinkEvent, nowMs: number): void {
    switch (event.type) {
      case "apdu":
        this.#serve(event, nowMs);
        return;
      case "discarded":
        this.#events.push({ type: "noise", octets: event.octets.length, error: event.error });
        return;
      case "opened":
        this.#events.push(event);
        return;
      case "progress":
        return;
      case "closed":
      case "failed":
        this.#abort(nowMs);
        this.#events.push(event);
        return;
    }
  }

  #serve({ apdu, sourceSap, destinationSap }: ReceivedApdu, nowMs: number): void {
    if (destinationSap !== this.#settings.serverSap) {
      this.#noise(apdu, new DlmsError("FRAME_NOT_FOR_US", "peer", { destinationSap }));
      return;
    }
    const server = this.#associationOf(sourceSap);
    if (server === undefined) {
      const limit = LIMITS.clientsPerLink;
      this.#noise(apdu, new DlmsError("LENGTH_OVER_LIMIT", "peer", { clients: this.#associations.size, limit }));
      return;
    }
    const notification = server.state === "associated" ? this.#settings.unasked?.(sourceSap) : undefined;
    if (notification !== undefined) server.command({ type: "notify", notification }, nowMs);
    this.#sendAll(server, sourceSap, nowMs);
    server.receive(apdu, nowMs);
    this.#collect(sourceSap, server);
    this.#sendAll(server, sourceSap, nowMs);
  }

  #sendAll(server: AssociationServer, clientSap: number, nowMs: number): void {
    for (let octets = server.takeBytes(); octets !== undefined; octets = server.takeBytes()) {
      this.#send(octets, clientSap, nowMs);
    }
  }

  #associationOf(clientSap: number): AssociationServer | undefined {
    const known = this.#associations.get(clientSap);
    if (known !== undefined || this.#associations.size >= LIMITS.clientsPerLink) return known;
    const server = this.#settings.associationServer(clientSap);
    this.#associations.set(clientSap, server);
    return server;
  }

  #send(apdu: Uint8Array, clientSap: number, nowMs: number): void {
    const { link, serverSap } = this.#settings;
    try {
      link.command({ type: "send", apdu, sourceSap: serverSap, destinationSap: clientSap }, nowMs);
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      this.#noise(apdu, error);
    }
  }

  #abort(nowMs: number): void {
    for (const [clientSap, server] of this.#associations) {
      server.command({ type: "abort" }, nowMs);
      this.#collect(clientSap, server);
    }
    this.#associations.clear();
  }

  #collect(clientSap: number, server: AssociationServer): void {
    for (let event = server.takeEvent(); event !== undefined; event = server.takeEvent()) {
      this.#events.push({ ...event, clientSap });
    }
  }

  #noise(octets: Uint8Array, error: DlmsError): void {
    this.#events.push({ type: "noise", octets: octets.length, error });
  }
}
