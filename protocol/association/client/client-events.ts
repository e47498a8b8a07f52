import type { ActionOutcome } from "../../apdu/action.ts";
import type { ConfirmedServiceError } from "../../apdu/confirmed-service-error.ts";
import type { DataNotification } from "../../apdu/data-notification.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../apdu/descriptors.ts";
import type { ExceptionResponse } from "../../apdu/exception-response.ts";
import type { ActionResult, DataAccessResult } from "../../apdu/result-codes.ts";
import type { Data } from "../../axdr/data.ts";
import type { Aare } from "../../ber/association.ts";
import type { Conformance } from "../../ber/conformance.ts";
import type { DlmsError } from "../../errors.ts";
import type { Quirk } from "../../quirks.ts";
import type { GeneralWarning } from "../../security/general-protection.ts";
import type { SystemTitle } from "../../security/system-title.ts";
import type { AnyLayer } from "../general-use.ts";
import type { Notification } from "../notifications.ts";
import type { VariableReference } from "../variables.ts";
import type { AccessOrder, AccessOutcome } from "./access-order.ts";
import type { ClientLeniency } from "./client-settings.ts";

/** One service, asked of the server. */
export type ServiceOrder =
  | ({ readonly type: "get" } & AttributeReference)
  | { readonly type: "getList"; readonly attributes: readonly AttributeReference[] }
  | ({ readonly type: "set"; readonly value: Data } & AttributeReference)
  | {
      readonly type: "setList";
      readonly attributes: readonly AttributeReference[];
      readonly values: readonly Data[];
    }
  | { readonly type: "action"; readonly method: MethodDescriptor; readonly parameters?: Data }
  /** One parameter for each method; null-data where there is none. */
  | {
      readonly type: "actionList";
      readonly methods: readonly MethodDescriptor[];
      readonly parameters: readonly Data[];
    }
  | ({ readonly type: "access" } & AccessOrder)
  /** By short names; a method that gives something back is read, with its parameter as access. */
  | { readonly type: "read"; readonly variables: readonly VariableReference[] }
  /** One value for each variable; a method that gives nothing back is written. */
  | {
      readonly type: "write";
      readonly variables: readonly VariableReference[];
      readonly values: readonly Data[];
    };

/** What the server answered: refusals of an object are values too. Octets inside are views of octets that are ours. */
export type ServiceResponse =
  | { readonly type: "get"; readonly result: DataResult }
  | { readonly type: "getList"; readonly results: readonly DataResult[] }
  | { readonly type: "set"; readonly result: DataAccessResult }
  | { readonly type: "setList"; readonly results: readonly DataAccessResult[] }
  | { readonly type: "action"; readonly outcome: ActionOutcome }
  | { readonly type: "actionList"; readonly outcomes: readonly ActionOutcome[] }
  | { readonly type: "access"; readonly outcomes: readonly AccessOutcome[] }
  | { readonly type: "read"; readonly results: readonly DataResult[] }
  | { readonly type: "write"; readonly results: readonly DataAccessResult[] };

/** An order that may go without an answer. */
export type UnconfirmedOrder = Extract<
  ServiceOrder,
  { readonly type: "set" | "setList" | "action" | "actionList" | "access" | "write" }
>;

export type ClientCommand =
  | { readonly type: "associate" }
  | ServiceOrder
  /** Wants no answer, and gets none: `sent` says only that the request is on its way. */
  | { readonly type: "sendUnconfirmed"; readonly order: UnconfirmedOrder }
  /** Tells the server that a notification is ours now; does nothing when it wants no confirmation. */
  | { readonly type: "confirmNotification"; readonly notification: DataNotification }
  | { readonly type: "release" }
  /** A part of what is awaited is on its way: the time for it begins anew. */
  | { readonly type: "waitOn" }
  /** The link has gone: whatever was under way fails at stage `link`, and the association is over. */
  | { readonly type: "abort"; readonly error: DlmsError };

/** What an association was made on. */
export interface Agreement {
  /** What was proposed and granted. */
  readonly conformance: Conformance;
  /** 0 when the server sets no limit. */
  readonly serverMaxReceivePduSize: number;
  readonly dlmsVersion: number;
  readonly serverSystemTitle: SystemTitle | undefined;
}

/** Where in a session something failed. */
export type FailureStage = "link" | "association" | "hls" | "request" | "release";

/** What there is to see of a failure, so that its cause can be named later. */
export type FailureEvidence =
  /** An AARE that says no. */
  | {
      readonly type: "refused";
      readonly result: Aare["result"];
      readonly diagnostic: Aare["resultSourceDiagnostic"];
      readonly serviceError?: ConfirmedServiceError;
    }
  /** The server refused our reply to its challenge. */
  | { readonly type: "replyRefused"; readonly result: ActionResult }
  | { readonly type: "exception"; readonly exception: ExceptionResponse }
  | { readonly type: "serviceError"; readonly serviceError: ConfirmedServiceError }
  /** Nothing that answers came; `discarded` counts APDUs that came and did not answer. */
  | { readonly type: "silence"; readonly waitedMs: number; readonly discarded: number }
  /** The octets of the peer were wrong: the error says how. `ciphered` is what could not be opened, as it came. */
  | { readonly type: "fault"; readonly ciphered?: Uint8Array }
  /** The link ended while something was awaited. */
  | { readonly type: "linkEnded"; readonly during: FailureStage };

export interface ClientFailure {
  readonly stage: FailureStage;
  readonly error: DlmsError;
  readonly evidence: FailureEvidence;
  /** Raw octets of an answer whose last block did not come. */
  readonly partial?: Uint8Array;
}

/** How the server took our leave. */
export type ReleaseAnswer = "rlre" | "refused" | "unanswered" | "notAsked";

export type ClientEvent =
  | { readonly type: "associated"; readonly agreement: Agreement }
  | { readonly type: "response"; readonly response: ServiceResponse }
  | { readonly type: "sent" }
  /** One more block of a long answer; octets joined so far. */
  | { readonly type: "progress"; readonly octets: number }
  | { readonly type: "released"; readonly answer: ReleaseAnswer }
  /** The server spoke unasked. `layers` is empty when nothing protected it, `octets` are the APDU as it came. */
  | {
      readonly type: "notification";
      readonly notification: Notification;
      readonly layers: readonly AnyLayer[];
      readonly octets: Uint8Array;
    }
  | { readonly type: "leniency"; readonly name: ClientLeniency | Quirk | GeneralWarning }
  /** An APDU that answers nothing; with its octets where it could not be read. */
  | { readonly type: "discarded"; readonly error: DlmsError; readonly octets?: Uint8Array }
  | { readonly type: "failed"; readonly failure: ClientFailure };
