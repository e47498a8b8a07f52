import type { AssociationServer } from "../../../protocol/association/server/server.ts";
import type { Link } from "../../../protocol/link/link.ts";
import type { Machine } from "../../../protocol/machine.ts";

/** The server side of a link and an association for each client SAP, as one machine over octets. */
export class ServedLink implements Machine<{ readonly type: "channelEnded" }, never> {
  readonly #link: Link;
  readonly #serverFor: (clientSap: number) => AssociationServer;
  readonly #servers = new Map<number, AssociationServer>();
  /** Answers in place of the server where it has an answer: for meters that deviate. */
  readonly #deviation: (apdu: Uint8Array) => Uint8Array | undefined;

  constructor(
    link: Link,
    serverFor: (clientSap: number) => AssociationServer,
    deviation: (apdu: Uint8Array) => Uint8Array | undefined = () => undefined,
  ) {
    this.#link = link;
    this.#serverFor = serverFor;
    this.#deviation = deviation;
    link.command({ type: "open" }, 0);
  }

  command(command: { readonly type: "channelEnded" }, nowMs: number): void {
    this.#link.command(command, nowMs);
    this.#serve(nowMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#link.receive(bytes, nowMs);
    this.#serve(nowMs);
  }

  timeout(nowMs: number): void {
    this.#link.timeout(nowMs);
    this.#serve(nowMs);
  }

  takeBytes(): Uint8Array | undefined {
    return this.#link.takeBytes();
  }

  takeEvent(): undefined {
    return undefined;
  }

  deadlineMs(): number | undefined {
    return this.#link.deadlineMs();
  }

  #serve(nowMs: number): void {
    for (let event = this.#link.takeEvent(); event !== undefined; event = this.#link.takeEvent()) {
      if (event.type === "closed")
        for (const server of this.#servers.values()) server.command({ type: "abort" }, nowMs);
      if (event.type !== "apdu") continue;
      const server = this.#servers.get(event.sourceSap) ?? this.#serverFor(event.sourceSap);
      this.#servers.set(event.sourceSap, server);
      const answer = this.#deviation(event.apdu);
      if (answer !== undefined) this.#link.command({ type: "send", apdu: answer }, nowMs);
      else server.receive(event.apdu, nowMs);
      for (let apdu = server.takeBytes(); apdu !== undefined; apdu = server.takeBytes()) {
        this.#link.command({ type: "send", apdu }, nowMs);
      }
      while (server.takeEvent() !== undefined);
    }
  }
}
