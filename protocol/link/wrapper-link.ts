import { DlmsError } from "../errors.ts";
import { Queue } from "../queue.ts";
import type { Link, LinkCommand, LinkEvent } from "./link.ts";
import { encodeWrapper, type WrapperByteOrder, WrapperParser, type WrapperPorts, type WrapperUnit } from "./wrapper.ts";

/** A PDU that has not gone on for this long is given up: mobile networks pause for many seconds within one. */
const STALL_TIMEOUT_MS = 30_000;

interface WrapperHabits {
  readonly stallTimeoutMs?: number;
  /** Of the header's fields; `standard` when left out. */
  readonly byteOrder?: WrapperByteOrder;
  /** Each `receive` is one datagram: what it leaves unfinished does not go on in the next. */
  readonly datagrams?: boolean;
}

export type WrapperLinkSettings =
  | (WrapperHabits & { readonly role: "client"; readonly clientSap: number; readonly serverSap: number })
  /** A server takes its SAPs from what comes; until something has, `send` needs both of them. */
  | (WrapperHabits & { readonly role: "server" });

/**
 * The wrapper as a link, both sides. There is no acknowledgement and no repetition: TCP has both. wPorts of what comes are
 * handed on and never refused, because meters swap them wrongly or answer with fixed ones.
 */
export class WrapperLink implements Link {
  readonly #stallTimeoutMs: number;
  readonly #byteOrder: WrapperByteOrder;
  readonly #parser: WrapperParser;
  readonly #events = new Queue<LinkEvent>();
  readonly #output = new Queue<Uint8Array>();
  /** Who we are and whom we talk to, from our point of view. */
  #ports: WrapperPorts | undefined;
  readonly #follows: boolean;
  readonly #datagrams: boolean;
  #open = false;
  #stalledAtMs: number | undefined;

  constructor(settings: WrapperLinkSettings) {
    this.#stallTimeoutMs = settings.stallTimeoutMs ?? STALL_TIMEOUT_MS;
    this.#byteOrder = settings.byteOrder ?? "standard";
    this.#datagrams = settings.datagrams ?? false;
    this.#follows = settings.role === "server";
    if (settings.role === "client") {
      this.#ports = { sourceWPort: settings.clientSap, destinationWPort: settings.serverSap };
    }
    this.#parser = new WrapperParser((ports) => this.#plausible(ports), this.#byteOrder);
  }

  /** Octets that have come and are no whole PDU yet, or never will be. */
  get heldOctets(): number {
    return this.#parser.held;
  }

  command(command: LinkCommand, _nowMs: number): void {
    switch (command.type) {
      case "open":
        if (this.#open) throw new DlmsError("LINK_STATE", "caller", { order: "open", state: "open" });
        this.#open = true;
        this.#events.push({ type: "opened" });
        return;
      case "send":
        this.#send(command);
        return;
      case "close":
        this.#end("local");
        return;
      case "channelEnded":
        this.#end("peer");
        return;
    }
  }

  /** Works before `open` as well: a meter that called us may talk first. */
  receive(bytes: Uint8Array, nowMs: number): void {
    this.#parser.receive(bytes);
    if (this.#datagrams) this.#parser.flush();
    this.#drain();
    this.#stalledAtMs = undefined;
    if (!this.#parser.pending) return;
    this.#stalledAtMs = nowMs + this.#stallTimeoutMs;
    if (this.#parser.inPdu) this.#events.push({ type: "progress" });
  }

  timeout(nowMs: number): void {
    if (this.#stalledAtMs === undefined || nowMs < this.#stalledAtMs) return;
    this.#giveUpHeld();
  }

  takeBytes(): Uint8Array | undefined {
    return this.#output.take();
  }

  takeEvent(): LinkEvent | undefined {
    return this.#events.take();
  }

  deadlineMs(): number | undefined {
    return this.#stalledAtMs;
  }

  #send(order: Extract<LinkCommand, { type: "send" }>): void {
    if (!this.#open) throw new DlmsError("LINK_STATE", "caller", { order: "send", state: "closed" });
    const sourceWPort = order.sourceSap ?? this.#ports?.sourceWPort;
    const destinationWPort = order.destinationSap ?? this.#ports?.destinationWPort;
    if (sourceWPort === undefined || destinationWPort === undefined) {
      throw new DlmsError("LINK_STATE", "caller", { order: "send", state: "nobody has asked and no SAP is given" });
    }
    this.#output.push(encodeWrapper({ sourceWPort, destinationWPort, apdu: order.apdu }, this.#byteOrder));
  }

  #end(reason: "local" | "peer"): void {
    this.#giveUpHeld();
    if (!this.#open) return;
    this.#open = false;
    this.#events.push({ type: "closed", reason });
  }

  #giveUpHeld(): void {
    this.#parser.flush();
    this.#drain();
    this.#stalledAtMs = undefined;
  }

  #drain(): void {
    for (let unit = this.#parser.takeUnit(); unit; unit = this.#parser.takeUnit()) this.#take(unit);
  }

  #take(unit: WrapperUnit): void {
    if (unit.type === "discarded") {
      this.#events.push(unit);
      return;
    }
    if (this.#follows) this.#ports = { sourceWPort: unit.destinationWPort, destinationWPort: unit.sourceWPort };
    this.#events.push({
      type: "apdu",
      apdu: unit.apdu,
      sourceSap: unit.sourceWPort,
      destinationSap: unit.destinationWPort,
    });
  }

  /** While hunting after noise: the ports of our own dialogue, in either order. */
  #plausible(ports: WrapperPorts): boolean {
    const own = this.#ports;
    if (own === undefined) return true;
    const swapped = ports.sourceWPort === own.destinationWPort && ports.destinationWPort === own.sourceWPort;
    return swapped || (ports.sourceWPort === own.sourceWPort && ports.destinationWPort === own.destinationWPort);
  }
}
