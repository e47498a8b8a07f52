/** Pushes that come in datagrams: each holds whole frames; only a transfer in blocks goes over several. */
import type { TcpAddress } from "../../../drivers/tcp/address.ts";
import type { LinkEvent } from "../../../protocol/link/link.ts";
import { decodeWrapper, WRAPPER_HEADER_LENGTH } from "../../../protocol/link/wrapper.ts";
import type { PushIntake } from "./push-intake.ts";
import { answerInWrapper, PushLine } from "./push-line.ts";
import { type PushOutcome, PushReader, type PushUnit } from "./push-reader.ts";

export interface PushDatagramsOptions {
  readonly intake: PushIntake;
  readonly send: (octets: Uint8Array, peer: TcpAddress) => void;
  /** Datagrams that were dropped because the store takes too little. */
  readonly onDropped: (count: number) => void;
  /** A datagram that we stumbled over. */
  readonly onFault: (peer: TcpAddress, error: unknown) => void;
}

/** Peers in the middle of a transfer in blocks. */
const TRANSFERS = 1000;
/** Octets that may wait, with what each datagram costs beside; above that one is dropped: nobody can be asked to wait. */
const WAITING_OCTETS = 128 * 1024 * 1024;
const DATAGRAM_COST = 512;
/** Pushes that have been read and are not durable yet: they take far more room than the octets that they came in. */
const ON_THE_WAY = 1500;

/** A turn of the event loop takes 32 datagrams from a socket at most: more than half of them is a storm. */
const STORM_A_TURN = 16;
/** How long datagrams are looked at in one turn: what else goes on, as polls, has its turn in between. */
const TURN_MS = 1;

interface Peer extends TcpAddress {
  readonly answer: Opened["answer"];
}

interface Transfer {
  readonly reader: PushReader;
  readonly peer: TcpAddress;
}

export class PushDatagrams {
  readonly #options: PushDatagramsOptions;
  readonly #transfers = new Map<string, Transfer>();
  /** Taken from the socket and not looked at yet. */
  #queued: { readonly octets: Uint8Array; readonly peer: TcpAddress }[] = [];
  /** Of datagrams that are not looked at, or whose pushes are not durable yet. */
  #octets = 0;
  #onTheWay = 0;
  #arrivedThisTurn = 0;
  #turn: NodeJS.Immediate | undefined;

  constructor(options: PushDatagramsOptions) {
    this.#options = options;
  }

  /** Datagrams that have not been looked at yet. */
  get queued(): number {
    return this.#queued.length;
  }

  /** Takes one datagram; the octets belong to it. It is looked at when the socket has nothing more to give. */
  receive(octets: Uint8Array, peer: TcpAddress): void {
    const cost = octets.length + DATAGRAM_COST;
    if (this.#octets + cost > WAITING_OCTETS) {
      this.#options.onDropped(1);
      return;
    }
    this.#octets += cost;
    this.#queued.push({ octets, peer });
    this.#arrivedThisTurn += 1;
    this.#turn ??= setImmediate(() => this.#work());
  }

  /** The system has little room for datagrams: while they come in numbers, they are only taken. */
  #work(): void {
    const storm = this.#arrivedThisTurn >= STORM_A_TURN;
    this.#arrivedThisTurn = 0;
    if (!storm) this.#readSome();
    const goesOn = this.#queued.length > 0 && this.#onTheWay < ON_THE_WAY;
    this.#turn = goesOn ? setImmediate(() => this.#work()) : undefined;
  }

  #readSome(): void {
    const endMs = performance.now() + TURN_MS;
    let count = 0;
    for (const { octets, peer } of this.#queued) {
      if (this.#onTheWay >= ON_THE_WAY || (count > 0 && performance.now() >= endMs)) break;
      this.#read(octets, peer);
      count += 1;
    }
    this.#queued.splice(0, count);
  }

  #read(octets: Uint8Array, peer: TcpAddress): void {
    const kept = this.#keptOf(octets, peer);
    const { length } = octets;
    this.#onTheWay += kept.length;
    // Octets of a push are those of its datagram, and in memory for as long as that.
    void Promise.all(kept).finally(() => {
      this.#octets -= length + DATAGRAM_COST;
      this.#onTheWay -= kept.length;
      if (this.#queued.length > 0) this.#turn ??= setImmediate(() => this.#work());
    });
  }

  /** What a datagram holds, on its way to the store. One that we stumble over must not take the others with it. */
  #keptOf(octets: Uint8Array, peer: TcpAddress): readonly Promise<void>[] {
    const { intake, onFault } = this.#options;
    const key = `${peer.host} ${peer.port}`;
    try {
      const reader = this.#transfers.get(key)?.reader ?? new PushReader(intake.openersAt(peer.host));
      this.#transfers.delete(key);
      const { events, answer } = openDatagram(octets);
      const kept = events.flatMap((event) => this.#take(event, reader, { ...peer, answer }));
      if (reader.pending) this.#remember(key, { reader, peer });
      return kept;
    } catch (error) {
      onFault(peer, error);
      return [];
    }
  }

  /** Gives up the transfers that have not ended. */
  end(): void {
    clearImmediate(this.#turn);
    for (const { octets, peer } of this.#queued.splice(0)) this.#read(octets, peer);
    for (const transfer of this.#transfers.values()) this.#giveUp(transfer);
    this.#transfers.clear();
  }

  #take(event: LinkEvent, reader: PushReader, peer: Peer): Promise<void>[] {
    if (event.type === "apdu") return reader.receive(event).map((outcome) => this.#keep(outcome, peer, event));
    if (event.type !== "discarded" && event.type !== "failed") return [];
    const octets = event.type === "discarded" ? event.octets : new Uint8Array(0);
    const { error } = event;
    return [this.#keep({ type: "rejected", error, systemTitle: undefined, claimed: undefined, octets }, peer)];
  }

  #keep(outcome: PushOutcome, { host, port, answer }: Peer, unit?: PushUnit): Promise<void> {
    const { intake, send, onFault } = this.#options;
    const confirm = (apdu: Uint8Array | undefined) => {
      if (apdu === undefined || unit === undefined) return;
      const octets = answer(apdu, unit);
      if (octets !== undefined) send(octets, { host, port });
    };
    const kept = intake.keep(outcome, { host, port, transport: "udp" });
    return kept.then(confirm).catch((error: unknown) => onFault({ host, port }, error));
  }

  #remember(key: string, transfer: Transfer): void {
    const [oldest] = this.#transfers;
    if (oldest !== undefined && this.#transfers.size >= TRANSFERS) {
      this.#transfers.delete(oldest[0]);
      this.#giveUp(oldest[1]);
    }
    this.#transfers.set(key, transfer);
  }

  #giveUp({ reader, peer }: Transfer): void {
    for (const outcome of reader.end()) void this.#keep(outcome, { ...peer, answer: () => undefined });
  }
}

interface Opened {
  readonly events: readonly LinkEvent[];
  /** As of a line. */
  readonly answer: PushLine["answer"];
}

/** What a datagram holds: nearly always one PDU of the wrapper, else whatever a line may hold. */
function openDatagram(octets: Uint8Array): Opened {
  if (isOnePdu(octets)) {
    const { apdu, sourceWPort, destinationWPort } = decodeWrapper(octets);
    const event: LinkEvent = { type: "apdu", apdu, sourceSap: sourceWPort, destinationSap: destinationWPort };
    return { events: [event], answer: answerInWrapper };
  }
  const line = new PushLine();
  line.receive(octets, 0);
  line.command({ type: "channelEnded" }, 0);
  const events: LinkEvent[] = [];
  for (let event = line.takeEvent(); event !== undefined; event = line.takeEvent()) events.push(event);
  return { events, answer: (apdu, unit) => line.answer(apdu, unit) };
}

function isOnePdu(octets: Uint8Array): boolean {
  const [high, low] = octets;
  const length = (octets[6] ?? 0) * 0x100 + (octets[7] ?? 0);
  return high === 0 && low === 1 && length > 0 && octets.length === WRAPPER_HEADER_LENGTH + length;
}
