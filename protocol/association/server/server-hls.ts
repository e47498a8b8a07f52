/** The server's side of the HLS exchange: the client's reply in either referencing, and how it is answered. */
import type { Apdu } from "../../apdu/apdu.ts";
import type { VariableAccessSpecification } from "../../apdu/short-name.ts";
import type { Data } from "../../axdr/data.ts";
import { sameOctets } from "../../bytes/octets.ts";
import type { HlsInputs } from "../../security/hls.ts";
import { ASSOCIATION_LN, CURRENT_ASSOCIATION, REPLY_TO_HLS, REPLY_TO_HLS_NAME } from "../authentication.ts";
import { type VariableReference, variableOf } from "../variables.ts";
import type { AssociationRule } from "./association-rule.ts";
import type { AssociationView } from "./object-server.ts";
import type { Challenges } from "./server-negotiation.ts";

/** What a client replied to our challenge, and the APDU that takes or refuses it. */
export interface HlsCall {
  readonly value: Uint8Array;
  /** With our own reply, or without when the client's is wrong. */
  readonly answer: (reply: Uint8Array | undefined) => Apdu;
}

/** f(server's challenge), when the request is the HLS reply to this association. */
export function hlsCallIn(request: Apdu, rule: AssociationRule): HlsCall | undefined {
  switch (request.apdu) {
    case "action-request":
      return byLogicalName(request, rule);
    case "read-request":
      return byShortName(request.body.variables, (variable) => variable.access?.parameters);
    // Some clients write the method; what it gives back they want as if they had read it.
    case "write-request": {
      const [value] = request.body.values;
      return byShortName(request.body.variables, () => value);
    }
    default:
      return undefined;
  }
}

function byShortName(
  variables: readonly VariableAccessSpecification[],
  parameterOf: (variable: VariableReference) => Data | undefined,
): HlsCall | undefined {
  const [variable, more] = variables.map(variableOf);
  if (more !== undefined || variable?.variableName !== REPLY_TO_HLS_NAME) return undefined;
  return octetsIn(parameterOf(variable), (reply) => {
    const refused = { type: "data-access-error", dataAccessResult: "other-reason" } as const;
    const result = reply === undefined ? refused : ({ type: "data", data: octetString(reply) } as const);
    return { apdu: "read-response", body: { results: [result] } };
  });
}

function byLogicalName(request: Extract<Apdu, { apdu: "action-request" }>, rule: AssociationRule): HlsCall | undefined {
  if (request.body.type !== "normal") return undefined;
  const { method, parameters, invokeIdAndPriority } = request.body;
  if (method.classId !== ASSOCIATION_LN || method.methodId !== REPLY_TO_HLS) return undefined;
  const named = sameOctets(method.logicalName, CURRENT_ASSOCIATION) || sameOctets(method.logicalName, rule.logicalName);
  if (!named) return undefined;
  return octetsIn(parameters, (reply) => ({
    apdu: "action-response",
    body: {
      type: "normal",
      invokeIdAndPriority,
      outcome:
        reply === undefined
          ? { result: "other-reason" }
          : { result: "success", returnParameters: { type: "data", data: octetString(reply) } },
    },
  }));
}

function octetsIn(parameters: Data | undefined, answer: HlsCall["answer"]): HlsCall | undefined {
  return parameters?.type === "octet-string" ? { value: parameters.value, answer } : undefined;
}

function octetString(value: Uint8Array): Data {
  return { type: "octet-string", value };
}

/** What the formulas of the HLS mechanisms need, from the server's side. */
export function serverHlsInputs(view: AssociationView, challenges: Challenges): HlsInputs {
  const { secret, ecbPadding, formula, security, signingKey } = view.rule;
  const clientSigningKey = view.clientSigningKey ?? view.rule.clientSigningKey;
  const protection = security?.protection;
  const ownSystemTitle = protection?.ownSystemTitle ?? view.rule.systemTitle;
  return {
    ownChallenge: challenges.server,
    peerChallenge: challenges.client,
    ...(secret && { secret }),
    ...(ecbPadding && { ecbPadding }),
    ...(formula && { formula }),
    ...(protection && { protection }),
    ...(ownSystemTitle && { ownSystemTitle }),
    ...(view.clientSystemTitle && { peerSystemTitle: view.clientSystemTitle }),
    ...(signingKey && { ownSigningKey: signingKey }),
    ...(clientSigningKey && { peerSigningKey: clientSigningKey }),
  };
}
