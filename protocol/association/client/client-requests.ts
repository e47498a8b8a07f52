/** The request of a client that is under way, and the invoke-ids that tell one request from another. */
import type { Apdu } from "../../apdu/apdu.ts";
import { invokeIdAndPriorityOctet } from "../../apdu/invoke-id.ts";
import type { ApduName } from "../../apdu/registry.ts";
import type { Conformance } from "../../ber/conformance.ts";
import { type ExchangeStep, type ServiceExchange, unexpected } from "../exchanges/service-exchange.ts";
import { invokeIdOf } from "./client-answers.ts";
import type { ServiceOrder, UnconfirmedOrder } from "./client-events.ts";
import type { ClientLeniency } from "./client-settings.ts";
import { exchangeFor, requireAgreed, transferBit, unconfirmedRequest } from "./orders.ts";

const INVOKE_IDS = 16;
/** What may be asked twice; their answers carry invoke-ids, so that a late one is told from the next. */
const REPEATABLE: ReadonlySet<ServiceOrder["type"]> = new Set(["get", "getList"]);

/** A request that has not been sent yet. */
export interface PreparedRequest {
  readonly apdu: Apdu;
  /** To be called once it has been sent: from then on it is the one that is under way. */
  readonly sent: () => void;
}

export class ClientRequests {
  readonly #highPriority: boolean;
  readonly #note: (leniency: ClientLeniency) => void;
  #invokeId = 0;
  #exchange: ServiceExchange | undefined;
  /** The request under way as long as it may be made anew. */
  #repeatable: Apdu | undefined;
  #repetitions = 0;

  constructor(highPriority: boolean, note: (leniency: ClientLeniency) => void) {
    this.#highPriority = highPriority;
    this.#note = note;
  }

  /** The APDU that answers what is under way. */
  get awaited(): ApduName | undefined {
    return this.#exchange?.responseName;
  }

  /**
   * Requests that are longer than `ownBlocks` octets go in blocks of their service, where the association has them.
   * Throws SERVICE_NOT_NEGOTIATED.
   */
  prepare(order: ServiceOrder, agreed: Conformance, ownBlocks: number): PreparedRequest {
    requireAgreed(order, agreed);
    const invokeId = (this.#invokeId + 1) % INVOKE_IDS;
    const blocks = transferBit(order);
    const exchange = exchangeFor(order, {
      invokeIdAndPriority: this.#octet(invokeId, true),
      maxPduLength: blocks !== undefined && agreed.has(blocks) ? ownBlocks : Number.POSITIVE_INFINITY,
      note: this.#note,
    });
    const apdu = exchange.first();
    const sent = () => {
      this.#invokeId = invokeId;
      this.#exchange = exchange;
      this.#repeatable = REPEATABLE.has(order.type) ? apdu : undefined;
      this.#repetitions = 0;
    };
    return { apdu, sent };
  }

  /** As `prepare`, for what gets no answer. */
  prepareUnconfirmed(order: UnconfirmedOrder, agreed: Conformance): PreparedRequest {
    requireAgreed(order, agreed, "unconfirmed");
    const invokeId = (this.#invokeId + 1) % INVOKE_IDS;
    const sent = () => {
      this.#invokeId = invokeId;
    };
    return { apdu: unconfirmedRequest(order, this.#octet(invokeId, false)), sent };
  }

  /** Begins to count, for the reply to a challenge. */
  firstOctet(): number {
    this.#invokeId = 1;
    return this.#octet(this.#invokeId, true);
  }

  /** Whether an answer carries the invoke-id of the latest request; undefined when it carries none. */
  isEchoed(answer: Apdu): boolean | undefined {
    const invokeId = invokeIdOf(answer);
    return invokeId === undefined ? undefined : invokeId === this.#invokeId;
  }

  /** The request under way, to be made anew; undefined when nothing may be repeated (any more). */
  again(maxRepetitions: number): Apdu | undefined {
    if (this.#repetitions >= maxRepetitions) return undefined;
    this.#repetitions++;
    return this.#repeatable;
  }

  /** Throws when the answer is wrong. */
  take(answer: Apdu): ExchangeStep {
    if (this.#exchange === undefined) throw unexpected(answer.apdu);
    // Blocks follow one another: asked anew, the server would begin anew.
    this.#repeatable = undefined;
    return this.#exchange.take(answer);
  }

  /** Octets of an answer that did not come to its end. */
  partial(): Uint8Array | undefined {
    return this.#exchange?.partial();
  }

  end(): void {
    this.#exchange = undefined;
  }

  #octet(invokeId: number, confirmed: boolean): number {
    return invokeIdAndPriorityOctet({ invokeId, confirmed, highPriority: this.#highPriority });
  }
}
