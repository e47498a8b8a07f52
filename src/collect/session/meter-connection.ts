/**
 * A meter as promises: opens a link on a line, associates, asks, takes leave. One request is under way at a time; others
 * wait their turn. Whatever goes wrong is a SessionFailedError; what the meter *answers*, refusals included, is a value.
 */
import type { ActionOutcome } from "../../../protocol/apdu/action.ts";
import type { DataNotification } from "../../../protocol/apdu/data-notification.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import { ClientAssociation } from "../../../protocol/association/client/client.ts";
import type {
  Agreement,
  ClientEvent,
  ClientFailure,
  ReleaseAnswer,
  ServiceOrder,
  ServiceResponse,
} from "../../../protocol/association/client/client-events.ts";
import type { ClientSettings } from "../../../protocol/association/client/client-settings.ts";
import { ClientSession, type SessionCommand, type SessionEvent } from "../../../protocol/association/session.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { DlmsError, type ErrorCode } from "../../../protocol/errors.ts";
import type { Link } from "../../../protocol/link/link.ts";
import { WrapperLink } from "../../../protocol/link/wrapper-link.ts";
import { entryAccess, type RangeOfTime, rangeAccess } from "../../../protocol/profile/selective-access.ts";
import { Queue } from "../../../protocol/queue.ts";
import type { Diagnosis } from "../../../protocol/security/diagnosis.ts";
import { SessionFailedError } from "../causes/session-failure.ts";
import type { AttributeSource } from "./attribute-source.ts";
import type { MeterLine } from "./meter-line.ts";
import { NameResolver, type ShortNameMemory } from "./name-resolver.ts";

type ClientNotice = Extract<ClientEvent, { type: "notification" | "leniency" | "progress" | "discarded" }>;

export interface MeterConnectionSettings {
  readonly link: Link;
  readonly client: ClientSettings;
  /** Time for everything, from opening the link on. */
  readonly budgetMs?: number | undefined;
  /** Most references in one request; it is halved when the meter refuses a list whole. */
  readonly listLimit?: number | undefined;
  /** Where names are kept of a meter with short names. */
  readonly names?: ShortNameMemory;
  /** Hears what the meter says unasked, and what was let pass. Must not throw. */
  readonly onNotice?: ((notice: ClientNotice) => void) | undefined;
  /** Sees before each order that there are invocation counters enough for it; undefined when there are at once. */
  readonly prepare?: (() => Promise<void> | undefined) | undefined;
  /** Finds out why an APDU of the meter did not open; has the keys. */
  readonly diagnose?: ((ciphered: Uint8Array) => Diagnosis) | undefined;
}

/** Which rows of a profile are asked for; entries count from 1 in the order of the buffer, `to` 0 is the last. */
export type ProfileSelection =
  | { readonly type: "whole" }
  | ({ readonly type: "range" } & RangeOfTime)
  | { readonly type: "entries"; readonly from: number; readonly to: number };

type EventOf<T extends SessionEvent["type"]> = Extract<SessionEvent, { readonly type: T }>;

/** An order, and the event that ends it. */
interface Order {
  readonly command: SessionCommand;
  readonly wanted: SessionEvent["type"];
  /** Is given none but the wanted event; in method syntax, so that it may take that one alone. */
  end(event: SessionEvent): void;
  reject(error: unknown): void;
}

const LIST_LIMIT = 16;
const PROFILE_GENERIC = 7;
const BUFFER = 2;
const ASSOCIATION_LN = 15;
const OBJECT_LIST = 2;
const CURRENT_ASSOCIATION = Uint8Array.of(0, 0, 40, 0, 0, 255);
/** Answers to all of a list at once that mean the list, not the objects. */
const LIST_REFUSALS: ReadonlySet<DataAccessResult> = new Set([
  "scope-of-access-violated",
  "other-reason",
  "temporary-failure",
  "data-block-unavailable",
  "long-get-aborted",
]);

export class MeterConnection implements AttributeSource, AsyncDisposable {
  readonly #line: MeterLine;
  readonly #settings: MeterConnectionSettings;
  readonly #session: ClientSession;
  /** For a meter with short names: callers say logical ones all the same. */
  readonly #resolver: NameResolver | undefined;
  /** Orders that wait for their turn. */
  readonly #waiting = new Queue<Order>();
  /** The one that has its turn. */
  #pending: Order | undefined;
  /** Settles with the last order that was given. */
  #last: Promise<unknown> | undefined;
  #failure: SessionFailedError | undefined;
  #listLimit: number;
  #noiseOctets = 0;
  #opened = false;
  /** The meter did not answer the last order: it would not answer a farewell either. */
  #silent = false;

  private constructor(line: MeterLine, settings: MeterConnectionSettings) {
    this.#line = line;
    this.#settings = settings;
    this.#listLimit = settings.listLimit ?? LIST_LIMIT;
    const { link, client, budgetMs, names } = settings;
    const byShortName = client.referencing === "short-name";
    this.#resolver = byShortName ? new NameResolver((order) => this.#service(order), names) : undefined;
    this.#session = new ClientSession({ link, client: new ClientAssociation(client), budgetMs });
  }

  /** Opens the link. The line may have had other sessions before; it stays open when this one ends. */
  static async open(line: MeterLine, settings: MeterConnectionSettings): Promise<MeterConnection> {
    const connection = new MeterConnection(line, settings);
    line.seat(connection.#session, {
      event: (event) => connection.#hear(event),
      ended: () => connection.#lineEnded(),
    });
    await connection.#order({ type: "open" }, "opened", () => undefined);
    connection.#opened = true;
    return connection;
  }

  /** What the association was made on; undefined while there is none. */
  get agreement(): Agreement | undefined {
    return this.#session.client.agreement;
  }

  /** How many references the meter takes in one request, as far as is known by now. */
  get listLimit(): number {
    return this.#listLimit;
  }

  associate(): Promise<Agreement> {
    return this.#order({ type: "associate" }, "associated", ({ agreement }) => agreement);
  }

  async get(reference: AttributeReference): Promise<DataResult> {
    const { attribute, access } = reference;
    return expectResponse(await this.#ask({ type: "get", attribute, access }), "get").result;
  }

  /** In as few requests as the meter takes; one by one where it takes no lists. */
  async getList(references: readonly AttributeReference[]): Promise<readonly DataResult[]> {
    const results: DataResult[] = [];
    while (results.length < references.length) {
      const lists = this.agreement?.conformance.has("multiple-references") === true;
      const limit = lists ? this.#listLimit : 1;
      const part = references.slice(results.length, results.length + limit);
      results.push(...(await this.#getPart(part)));
    }
    return results;
  }

  async set(reference: AttributeReference, value: Data): Promise<DataAccessResult> {
    const { attribute, access } = reference;
    return expectResponse(await this.#ask({ type: "set", attribute, access, value }), "set").result;
  }

  async action(method: MethodDescriptor, parameters?: Data): Promise<ActionOutcome> {
    const order = { type: "action", method, ...(parameters !== undefined && { parameters }) } as const;
    return expectResponse(await this.#ask(order), "action").outcome;
  }

  /** Tells the meter that a notification is kept, for good; does nothing when it wants no confirmation. */
  confirm(notification: DataNotification): void {
    if (this.#line.open) this.#line.command({ type: "confirmNotification", notification });
  }

  /** The buffer of a profile, or the meter's reason. A failure carries what had come of it as `failure.partial`. */
  readProfile(logicalName: Uint8Array, selection: ProfileSelection): Promise<DataResult> {
    const attribute = { classId: PROFILE_GENERIC, logicalName, attributeId: BUFFER };
    switch (selection.type) {
      case "whole":
        return this.get({ attribute });
      case "range":
        return this.get({ attribute, access: rangeAccess(selection) });
      case "entries":
        return this.get({ attribute, access: entryAccess(selection.from, selection.to) });
    }
  }

  /** What the present association says that there is. */
  readObjectList(): Promise<DataResult> {
    const attribute = { classId: ASSOCIATION_LN, logicalName: CURRENT_ASSOCIATION, attributeId: OBJECT_LIST };
    return this.get({ attribute });
  }

  /** Takes leave of the association; the link stays open. */
  release(): Promise<ReleaseAnswer> {
    return this.#order({ type: "release" }, "released", ({ answer }) => answer);
  }

  /** Ends association and link, whatever their state; the line stays open. Never rejects. */
  async close(): Promise<void> {
    if (this.#pending !== undefined) await this.#last?.catch(() => undefined);
    if (!this.#line.open || (this.#session.state !== "open" && this.#session.state !== "opening")) return;
    if (this.#session.client.state === "associated" && !this.#silent) await this.release().catch(() => undefined);
    await this.#order({ type: "close" }, "closed", () => undefined).catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #getPart(part: readonly AttributeReference[]): Promise<readonly DataResult[]> {
    const [only] = part;
    if (part.length === 1 && only !== undefined) return [await this.get(only)];
    try {
      const { results } = expectResponse(await this.#ask({ type: "getList", attributes: part }), "getList");
      if (!results.every(refusesList)) return results;
    } catch (error) {
      if (!isListFailure(error)) throw error;
    }
    const middle = Math.ceil(part.length / 2);
    const results = [...(await this.#getPart(part.slice(0, middle))), ...(await this.#getPart(part.slice(middle)))];
    // Shorter lists bring something, so it was the length that the meter refused.
    if (!results.every(refusesList)) this.#listLimit = Math.min(this.#listLimit, middle);
    return results;
  }

  #ask(order: ServiceOrder): Promise<ServiceResponse> {
    return this.#resolver?.ask(order) ?? this.#service(order);
  }

  #service(order: ServiceOrder): Promise<ServiceResponse> {
    return this.#order(order, "response", ({ response }) => response);
  }

  /** Waits its turn, then orders and waits for the event that ends the order; resolves to what that event has. */
  #order<T extends SessionEvent["type"], R>(
    command: SessionCommand,
    wanted: T,
    resultOf: (event: EventOf<T>) => R,
  ): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    this.#waiting.push({ command, wanted, end: (event: EventOf<T>) => resolve(resultOf(event)), reject });
    this.#last = promise;
    this.#proceed();
    return promise;
  }

  /** Begins the next order, unless one has its turn. */
  #proceed(): void {
    if (this.#pending !== undefined) return;
    const order = this.#waiting.take();
    this.#pending = order;
    if (order === undefined) return;
    const prepared = this.#settings.prepare?.();
    if (prepared === undefined) this.#begin(order);
    else {
      prepared.then(
        () => this.#begin(order),
        (error: unknown) => this.#reject(error, order),
      );
    }
  }

  #begin(order: Order): void {
    // It may have ended while it was being prepared.
    if (this.#pending !== order) return;
    if (this.#failure !== undefined || !this.#line.open) {
      this.#reject(this.#failure ?? this.#failed(lineFailure()));
      return;
    }
    this.#silent = false;
    try {
      this.#line.command(order.command);
    } catch (error) {
      this.#reject(error);
    }
  }

  #resolve(event: SessionEvent, order: Order): void {
    this.#pending = undefined;
    order.end(event);
    this.#proceed();
  }

  #reject(error: unknown, order = this.#pending): void {
    if (order === undefined || order !== this.#pending) return;
    this.#pending = undefined;
    order.reject(error);
    this.#proceed();
  }

  #hear(event: SessionEvent): void {
    switch (event.type) {
      case "notification":
      case "leniency":
      case "progress":
      case "discarded":
        this.#settings.onNotice?.(event);
        return;
      case "noise":
        this.#noiseOctets += event.octets;
        return;
      case "failed":
        this.#fail(event.failure);
        return;
      default:
        if (this.#pending?.wanted === event.type) this.#resolve(event, this.#pending);
    }
  }

  /** A link that fails takes the session with it: later orders fail with the same. */
  #fail(failure: ClientFailure): void {
    const error = this.#failed(failure);
    this.#silent = failure.evidence.type === "silence";
    if (failure.stage === "link") this.#failure ??= error;
    this.#reject(error);
  }

  #lineEnded(): void {
    if (this.#pending !== undefined) this.#fail(lineFailure());
  }

  #failed(failure: ClientFailure): SessionFailedError {
    const { client, diagnose, link } = this.#settings;
    const heldOctets = link instanceof WrapperLink ? link.heldOctets : 0;
    const ciphered = failure.evidence.type === "fault" ? failure.evidence.ciphered : undefined;
    const diagnosis = ciphered && diagnose?.(ciphered);
    const circumstances = {
      channel: this.#line.name,
      mechanism: client.authentication.mechanism,
      ciphered: client.ciphering !== undefined,
      noiseOctets: this.#noiseOctets + heldOctets,
      receivedOctets: this.#line.receivedOctets,
      onlyOthersAnswer: !this.#opened && this.#line.onlyOthersAnswer,
      ...(diagnosis && { diagnosis }),
    };
    return new SessionFailedError(failure, circumstances, this.#line.cause);
  }
}

function lineFailure(): ClientFailure {
  return {
    stage: "link",
    error: new DlmsError("LINK_ENDED", "peer", { by: "channel" }),
    evidence: { type: "linkEnded", during: "link" },
  };
}

function refusesList(result: DataResult): boolean {
  return result.type === "data-access-result" && LIST_REFUSALS.has(result.dataAccessResult);
}

/** What a server's answer to a list may be wrong in while its answers to single requests are right. */
const LIST_FAULTS: ReadonlySet<ErrorCode> = new Set([
  "RESULT_COUNT_WRONG",
  "APDU_UNKNOWN_TAG",
  "DATA_TRUNCATED",
  "DATA_TRAILING",
]);

/** The meter did not take the list as such; the association goes on. */
function isListFailure(error: unknown): boolean {
  if (error instanceof DlmsError) return error.code === "PDU_TOO_LONG";
  if (!(error instanceof SessionFailedError) || error.stage !== "request") return false;
  const { evidence, error: fault } = error.failure;
  return evidence.type === "exception" || evidence.type === "serviceError" || LIST_FAULTS.has(fault.code);
}

function expectResponse<T extends ServiceResponse["type"]>(
  response: ServiceResponse,
  type: T,
): ServiceResponse & { type: T } {
  if (!isResponse(response, type)) {
    throw new DlmsError("SERVICE_UNEXPECTED", "caller", { response: response.type, wanted: type });
  }
  return response;
}

function isResponse<T extends ServiceResponse["type"]>(
  response: ServiceResponse,
  type: T,
): response is ServiceResponse & { type: T } {
  return response.type === type;
}
