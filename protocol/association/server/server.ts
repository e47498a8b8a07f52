/**
 * The server's side of one client's association, over whole APDUs (IEC 62056-5-3): opens and closes it, takes protection
 * off and puts it on, runs the HLS exchange, and has GET, SET and ACTION answered by the objects. Knows neither link nor
 * interface classes, except for reply_to_HLS_authentication, which is the association's own.
 */
import { type Apdu, type ApduOf, decodeApdu, encodeApdu } from "../../apdu/apdu.ts";
import type { DataNotification } from "../../apdu/data-notification.ts";
import { invokeIdAndPriority, longInvokeIdAndPriority } from "../../apdu/invoke-id.ts";
import { type ApduName, apduNameOf } from "../../apdu/registry.ts";
import type { Aarq, Rlrq } from "../../ber/association.ts";
import type { ConformanceBit } from "../../ber/conformance.ts";
import { DlmsError } from "../../errors.ts";
import type { Machine } from "../../machine.ts";
import { isCipheredTag } from "../../security/ciphered-apdu.ts";
import { hlsReply, hlsVerify } from "../../security/hls.ts";
import { isCipheredContext } from "../referencing.ts";
import type { ShortNameDirectory } from "../short-name-directory.ts";
import type { AssociationRule, AssociationSecurity } from "./association-rule.ts";
import type { AssociationView, ObjectServer } from "./object-server.ts";
import { answerAccess } from "./server-access.ts";
import { ActionService } from "./server-action.ts";
import { ServerBlocks } from "./server-blocks.ts";
import { type ExceptionBody, exceptionFor, UNEXPECTED_SERVICE, UNKNOWN_SERVICE } from "./server-exceptions.ts";
import { GetService } from "./server-get.ts";
import { hlsCallIn, serverHlsInputs } from "./server-hls.ts";
import {
  type Challenges,
  type Diagnostic,
  initiateResponse,
  type NegotiationContext,
  negotiate,
  preEstablished,
  refusedUndeciphered,
} from "./server-negotiation.ts";
import {
  type Protector,
  protectionOverhead,
  protectReply,
  responseProtector,
  unprotectRequest,
} from "./server-protection.ts";
import { SetService } from "./server-set.ts";
import { ShortNameService } from "./server-short-name.ts";
import { nextServerState, type ServerState, type ServerTransition } from "./server-states.ts";
import { type ServiceContext, ServiceRefusal, serviceContext } from "./service-context.ts";

export type ServerCommand =
  /** The link is gone, and with it the association. */
  | { readonly type: "abort" }
  /** Sends a push within the association, protected by its policy. */
  | { readonly type: "notify"; readonly notification: DataNotification };

export type ServerEvent =
  | { readonly type: "associated"; readonly association: AssociationView }
  | { readonly type: "refused"; readonly diagnostic: Diagnostic; readonly cause?: DlmsError }
  | { readonly type: "authenticationFailed"; readonly error: DlmsError }
  | { readonly type: "ended"; readonly reason: "released" | "aborted" | "inactive" | "replaced" }
  /** The client has what it was told with this number. */
  | { readonly type: "confirmed"; readonly longInvokeIdAndPriority: number }
  /** A request that was answered by an exception or not at all. */
  | { readonly type: "fault"; readonly error: DlmsError };

export interface AssociationServerOptions {
  readonly clientSap: number;
  readonly serverSap: number;
  /** What is demanded of this client at this moment; undefined refuses it. */
  readonly rule: () => AssociationRule | undefined;
  readonly objects: ObjectServer;
  /** The short names of the objects; without them no client may use any. */
  readonly shortNames?: ShortNameDirectory;
  readonly randomOctets: (length: number) => Uint8Array;
  /** An association without requests for this long is closed. */
  readonly inactivityTimeoutMs?: number;
}

interface Association {
  readonly view: AssociationView;
  readonly security: AssociationSecurity | undefined;
  readonly challenges: Challenges | undefined;
}

/** What an association must have agreed on before a request is served. */
const SERVICE_BITS: Readonly<Partial<Record<ApduName, ConformanceBit>>> = {
  "get-request": "get",
  "set-request": "set",
  "action-request": "action",
  "access-request": "access",
  "read-request": "read",
  "write-request": "write",
  "unconfirmed-write-request": "unconfirmed-write",
};
/** Clients count the octets of protection as part of the PDU or beside it. */
const PROTECTION_ALLOWANCE = 64;

export class AssociationServer implements Machine<ServerCommand, ServerEvent> {
  readonly #options: AssociationServerOptions;
  readonly #blocks = new ServerBlocks();
  readonly #events: ServerEvent[] = [];
  readonly #get = new GetService();
  readonly #set = new SetService();
  readonly #action = new ActionService();
  readonly #shortName: ShortNameService | undefined;
  #state: ServerState = "idle";
  #association: Association | undefined;
  #lastRequestMs = 0;

  constructor(options: AssociationServerOptions) {
    this.#options = options;
    this.#shortName = options.shortNames && new ShortNameService(options.shortNames);
  }

  get state(): ServerState {
    return this.#state;
  }

  command(command: ServerCommand, _nowMs: number): void {
    if (command.type === "abort") {
      this.#end("aborted");
      return;
    }
    const association = this.#association ?? this.#establish();
    if (association === undefined || this.#state !== "associated") {
      throw new DlmsError("SERVICE_UNEXPECTED", "caller", { order: command.type, state: this.#state });
    }
    const apdu = encodeApdu({ apdu: "data-notification", body: command.notification });
    // A data-notification has no ciphered tag of its own.
    const protector = association.security && responseProtector(association.security);
    this.#blocks.push(protectReply(apdu, protector && { ...protector, form: "general" }));
  }

  /** Takes one whole APDU. */
  receive(bytes: Uint8Array, nowMs: number): void {
    this.#lastRequestMs = nowMs;
    try {
      const request = this.#blocks.open(bytes);
      if (request !== undefined) this.#handle(request, nowMs);
    } catch (error) {
      this.#answerFault(error);
    }
  }

  timeout(nowMs: number): void {
    const deadlineMs = this.deadlineMs();
    if (deadlineMs !== undefined && nowMs >= deadlineMs) this.#end("inactive");
  }

  takeBytes(): Uint8Array | undefined {
    return this.#blocks.takeBytes();
  }

  takeEvent(): ServerEvent | undefined {
    return this.#events.shift();
  }

  deadlineMs(): number | undefined {
    const { inactivityTimeoutMs } = this.#options;
    if (this.#state === "idle" || inactivityTimeoutMs === undefined) return undefined;
    return this.#lastRequestMs + inactivityTimeoutMs;
  }

  #step(transition: ServerTransition): void {
    this.#state = nextServerState(this.#state, transition);
  }

  #handle(octets: Uint8Array, nowMs: number): void {
    const tag = octets[0] ?? 0;
    const name = apduNameOf(tag);
    if (name === "aarq" || name === "rlrq") {
      const apdu = decodeApdu(octets);
      if (apdu.apdu === "aarq") this.#associate(apdu.body);
      else if (apdu.apdu === "rlrq") this.#release(apdu.body);
      return;
    }
    if (name === undefined && !isCipheredTag(tag)) {
      this.#refuse(UNKNOWN_SERVICE, new DlmsError("APDU_UNKNOWN_TAG", "peer", { offset: 0, tag }));
      return;
    }
    const association = this.#association ?? this.#establish();
    if (association === undefined) {
      this.#refuse(UNEXPECTED_SERVICE, new DlmsError("SERVICE_UNEXPECTED", "peer", { tag, state: this.#state }));
      return;
    }
    const limit = association.view.maxReceivePduSize + PROTECTION_ALLOWANCE;
    if (octets.length > limit && !this.#blocks.inBlocks)
      throw new DlmsError("LENGTH_OVER_LIMIT", "peer", { length: octets.length, limit });
    const { apdu, protector, signed, settle } = unprotectRequest(octets, association.security);
    if (!signed && association.security?.signedRequests === true) {
      throw new DlmsError("SECURITY_WEAKER_THAN_REQUIRED", "peer", { protection: "unsigned", required: "signed" });
    }
    const request = decodeApdu(apdu);
    settle();
    this.#serve(request, association, { protector, nowMs });
  }

  #associate(aarq: Aarq): void {
    if (this.#state !== "idle") this.#end("replaced");
    const negotiation = this.#negotiate(aarq, this.#context());
    if (negotiation === undefined) return;
    this.#blocks.answer(encodeApdu({ apdu: "aare", body: negotiation.aare }));
    if (negotiation.type === "refused") {
      const { diagnostic, cause } = negotiation;
      this.#step("refused");
      this.#events.push({ type: "refused", diagnostic, ...(cause && { cause }) });
      return;
    }
    const { view, challenges } = negotiation;
    this.#association = { view, security: securityOf(view), challenges };
    this.#blocks.agree(view);
    this.#step(challenges === undefined ? "accepted" : "hlsDemanded");
    if (challenges === undefined) this.#events.push({ type: "associated", association: view });
  }

  #context(): NegotiationContext {
    const { clientSap, serverSap, randomOctets, rule } = this.#options;
    return { clientSap, serverSap, rule: rule(), hasShortNames: this.#shortName !== undefined, randomOctets };
  }

  /** The association of a client that needs not ask for it. */
  #establish(): Association | undefined {
    const view = this.#state === "idle" ? preEstablished(this.#context()) : undefined;
    if (view === undefined) return undefined;
    this.#step("preEstablished");
    this.#association = { view, security: securityOf(view), challenges: undefined };
    this.#blocks.agree(view);
    this.#events.push({ type: "associated", association: view });
    return this.#association;
  }

  #negotiate(aarq: Aarq, context: NegotiationContext): ReturnType<typeof negotiate> | undefined {
    try {
      return negotiate(aarq, context);
    } catch (error) {
      const { rule } = context;
      if (!(error instanceof DlmsError) || rule === undefined) throw error;
      if (rule.decipherFailure === "aare") return refusedUndeciphered(aarq, rule, error);
      throw error;
    }
  }

  #release(rlrq: Rlrq): void {
    const security = this.#association?.security;
    const { userInformation } = rlrq;
    let answer: Uint8Array | undefined;
    if (userInformation !== undefined && this.#association !== undefined) {
      const { protector, settle } = unprotectRequest(userInformation, security);
      settle();
      answer = protectReply(initiateResponse(this.#association.view), protector);
    }
    const body = { reason: "normal", ...(answer && { userInformation: answer }) } as const;
    this.#blocks.answer(encodeApdu({ apdu: "rlre", body }));
    this.#end("released");
  }

  #serve(
    request: Apdu,
    association: Association,
    { protector, nowMs }: { readonly protector: Protector | undefined; readonly nowMs: number },
  ): void {
    if (this.#state === "authenticating") {
      this.#authenticate(request, association, protector);
      return;
    }
    const maxLength = this.#blocks.answerLimit(request.apdu, association.view) - protectionOverhead(protector);
    const context = serviceContext(association.view, this.#options.objects, { maxLength, nowMs });
    const response = this.#respond(request, context);
    if (response !== undefined) this.#blocks.answer(protectReply(encodeApdu(response), protector));
  }

  #respond(request: Apdu, context: ServiceContext): Apdu | undefined {
    const { conformance } = context.view;
    const service = SERVICE_BITS[request.apdu];
    if (service !== undefined && !conformance.has(service)) throw new ServiceRefusal("service-not-supported");
    switch (request.apdu) {
      case "get-request":
        this.#set.abort();
        this.#action.abort();
        return this.#get.answer(request.body, context);
      case "set-request": {
        this.#get.abort();
        this.#action.abort();
        return ifConfirmed(request.body, this.#set.answer(request.body, context));
      }
      case "action-request": {
        this.#get.abort();
        this.#set.abort();
        return ifConfirmed(request.body, this.#action.answer(request.body, context));
      }
      case "access-request":
        this.#endTransfers();
        return ifConfirmed(request.body, answerAccess(request.body, context));
      case "read-request":
        return this.#named().read(request.body.variables, context);
      case "write-request":
        return this.#named().write(request.body, context);
      case "unconfirmed-write-request":
        this.#named().write(request.body, context);
        return undefined;
      case "data-notification-confirm":
        this.#events.push({ type: "confirmed", longInvokeIdAndPriority: request.body.longInvokeIdAndPriority });
        return undefined;
      default:
        throw new ServiceRefusal("service-not-supported");
    }
  }

  #named(): ShortNameService {
    if (this.#shortName === undefined) throw new ServiceRefusal("service-not-supported");
    return this.#shortName;
  }

  /** Pass 3 and 4 of HLS; nothing else is served before they have succeeded. */
  #authenticate(request: Apdu, association: Association, protector: Protector | undefined): void {
    const { challenges, view } = association;
    const call = hlsCallIn(request, view.rule);
    if (call === undefined || challenges === undefined) {
      this.#refuse(UNEXPECTED_SERVICE, new DlmsError("SERVICE_UNEXPECTED", "peer", { state: this.#state }));
      return;
    }
    const { mechanism } = view.rule;
    const inputs = serverHlsInputs(view, challenges);
    const answer = (reply?: Uint8Array) => this.#blocks.answer(protectReply(encodeApdu(call.answer(reply)), protector));
    try {
      hlsVerify(mechanism, call.value, inputs);
      answer(hlsReply(mechanism, inputs));
    } catch (error) {
      if (!(error instanceof DlmsError)) throw error;
      answer();
      this.#step("hlsFailed");
      this.#association = undefined;
      this.#events.push({ type: "authenticationFailed", error });
      return;
    }
    const confirmed = { ...view, pending: false };
    this.#association = { ...association, view: confirmed };
    this.#step("hlsConfirmed");
    this.#events.push({ type: "associated", association: confirmed });
  }

  #answerFault(error: unknown): void {
    if (error instanceof ServiceRefusal) {
      const { serviceError } = error;
      this.#refuse(
        { stateError: "service-not-allowed", serviceError },
        new DlmsError("SERVICE_NOT_NEGOTIATED", "peer", { serviceError }),
      );
      return;
    }
    if (!(error instanceof DlmsError)) throw error;
    const silent = this.#options.rule()?.decipherFailure === "silence" && error.code.startsWith("SECURITY");
    const lowest = this.#options.rule()?.security?.protection.lowestAcceptable("global");
    this.#refuse(silent ? undefined : exceptionFor(error, lowest), error);
  }

  #refuse(exception: ExceptionBody | undefined, error: DlmsError): void {
    if (exception !== undefined) this.#blocks.answer(encodeApdu({ apdu: "exception-response", body: exception }));
    this.#events.push({ type: "fault", error });
  }

  #endTransfers(): void {
    this.#get.abort();
    this.#set.abort();
    this.#action.abort();
    this.#shortName?.abort();
  }

  #end(reason: Extract<ServerEvent, { type: "ended" }>["reason"]): void {
    this.#endTransfers();
    const had = this.#association !== undefined;
    this.#association?.security?.protection.useDedicatedKey(undefined);
    this.#association = undefined;
    this.#blocks.agree(undefined);
    this.#step("ended");
    if (had) this.#events.push({ type: "ended", reason });
  }
}

function securityOf({ applicationContext, rule }: AssociationView): AssociationSecurity | undefined {
  return isCipheredContext(applicationContext) ? rule.security : undefined;
}

/** What is not confirmed gets no response. */
function ifConfirmed(
  body: ApduOf<"set-request" | "action-request" | "access-request">["body"],
  response: Apdu,
): Apdu | undefined {
  const { confirmed } =
    "invokeIdAndPriority" in body
      ? invokeIdAndPriority(body.invokeIdAndPriority)
      : longInvokeIdAndPriority(body.longInvokeIdAndPriority);
  return confirmed ? response : undefined;
}
