import type { AssociationServer } from "../../../protocol/association/server/server.ts";
import type { Link } from "../../../protocol/link/link.ts";
import type { Machine } from "../../../protocol/machine.ts";

/** What is done to what passes; nothing is changed where a hook is absent, and undefined is passed on to nobody. */
export interface LinkHooks {
  /** Octets of the client before the link hears them, and those of the meter before they are sent. */
  readonly received?: (octets: Uint8Array, nowMs: number) => Uint8Array | undefined;
  readonly sent?: (octets: Uint8Array) => Uint8Array | undefined;
  /** A request before the server hears it. */
  readonly request?: (apdu: Uint8Array, clientSap: number) => Uint8Array | undefined;
  readonly answer?: (apdu: Uint8Array) => Uint8Array | undefined;
  /** Answers in place of the server where it has an answer. */
  readonly instead?: (apdu: Uint8Array) => Uint8Array | undefined;
}

/** The server side of a link and an association for each client SAP, as one machine over octets. */
export class ServedLink implements Machine<{ readonly type: "channelEnded" }, never> {
  readonly #link: Link;
  readonly #serverFor: (clientSap: number) => AssociationServer;
  readonly #servers = new Map<number, AssociationServer>();
  readonly #hooks: LinkHooks;

  constructor(link: Link, serverFor: (clientSap: number) => AssociationServer, hooks: LinkHooks = {}) {
    this.#link = link;
    this.#serverFor = serverFor;
    this.#hooks = hooks;
    link.command({ type: "open" }, 0);
  }

  command(command: { readonly type: "channelEnded" }, nowMs: number): void {
    this.#link.command(command, nowMs);
    this.#serve(nowMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    const { received = unchanged } = this.#hooks;
    const octets = received(bytes, nowMs);
    if (octets !== undefined) this.#link.receive(octets, nowMs);
    this.#serve(nowMs);
  }

  timeout(nowMs: number): void {
    this.#link.timeout(nowMs);
    this.#serve(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    const { sent = unchanged } = this.#hooks;
    for (let octets = this.#link.takeBytes(); octets !== undefined; octets = this.#link.takeBytes()) {
      const changed = sent(octets);
      if (changed !== undefined) return changed;
    }
    return undefined;
  }

  takeEvent(): undefined {
    return undefined;
  }

  deadlineMs(): number | undefined {
    return this.#link.deadlineMs();
  }

  #serve(nowMs: number): void {
    for (let event = this.#link.takeEvent(); event !== undefined; event = this.#link.takeEvent()) {
      if (event.type === "closed") for (const each of this.#servers.values()) each.command({ type: "abort" }, nowMs);
      if (event.type === "apdu") this.#answer(event.apdu, event.sourceSap, nowMs);
    }
  }

  #answer(apdu: Uint8Array, clientSap: number, nowMs: number): void {
    const { request = unchanged, answer = unchanged, instead } = this.#hooks;
    const asked = request(apdu, clientSap);
    if (asked === undefined) return;
    const server = this.#servers.get(clientSap) ?? this.#serverFor(clientSap);
    this.#servers.set(clientSap, server);
    const other = instead?.(asked);
    if (other !== undefined) this.#link.command({ type: "send", apdu: other }, nowMs);
    else server.receive(asked, nowMs);
    for (let octets = server.takeBytes(); octets !== undefined; octets = server.takeBytes()) {
      const changed = answer(octets);
      if (changed !== undefined) this.#link.command({ type: "send", apdu: changed }, nowMs);
    }
    while (server.takeEvent() !== undefined);
  }
}

function unchanged(octets: Uint8Array): Uint8Array {
  return octets;
}
