import type { AccessResult, AccessSpecification } from "../../apdu/access.ts";
import type { ApduOf } from "../../apdu/apdu.ts";
import type { AttributeReference, DataResult } from "../../apdu/descriptors.ts";
import { longInvokeIdAndPriority } from "../../apdu/invoke-id.ts";
import type { Data } from "../../axdr/data.ts";
import { invokeMethod, readAttribute, writeAttribute } from "./object-access.ts";
import { type ServiceContext, ServiceRefusal } from "./service-context.ts";

type Request = ApduOf<"access-request">["body"];

interface Done {
  readonly data: Data;
  readonly result: AccessResult;
}

const NOTHING: Data = { type: "null-data" };

/**
 * Carries out an ACCESS request, one thing after the other. After a failure the rest is left undone where the client wants
 * that; what is left undone has other-reason as its result.
 */
export function answerAccess(request: Request, context: ServiceContext): ApduOf<"access-response"> {
  const { specifications, data, longInvokeIdAndPriority: field } = request;
  const { breakOnError } = longInvokeIdAndPriority(field);
  const done: Done[] = [];
  for (const [index, specification] of specifications.entries()) {
    const broken = breakOnError && done.some(({ result }) => result.result !== "success");
    done.push(broken ? undone(specification) : carryOut(specification, data[index], context));
  }
  const response: ApduOf<"access-response"> = {
    apdu: "access-response",
    body: {
      longInvokeIdAndPriority: field,
      dateTime: undefined,
      specifications: undefined,
      data: done.map((each) => each.data),
      results: done.map((each) => each.result),
    },
  };
  // The service has no blocks of its own.
  if (!context.fits(response)) throw new ServiceRefusal("pdu-too-long");
  return response;
}

function carryOut(specification: AccessSpecification, value: Data | undefined, context: ServiceContext): Done {
  switch (specification.type) {
    case "get":
    case "get-with-selection":
      return read(readAttribute(referenceIn(specification), context));
    case "set":
    case "set-with-selection":
      if (value === undefined) return undone(specification);
      return {
        data: NOTHING,
        result: { type: "set", result: writeAttribute(referenceIn(specification), value, context) },
      };
    case "action": {
      const parameters = value?.type === "null-data" ? undefined : value;
      const { result, returnParameters } = invokeMethod(specification.method, parameters, context);
      const returned = returnParameters?.type === "data" ? returnParameters.data : NOTHING;
      return { data: returned, result: { type: "action", result } };
    }
  }
}

function read(result: DataResult): Done {
  if (result.type === "data") return { data: result.data, result: { type: "get", result: "success" } };
  return { data: NOTHING, result: { type: "get", result: result.dataAccessResult } };
}

function referenceIn(specification: Exclude<AccessSpecification, { type: "action" }>): AttributeReference {
  const { attribute } = specification;
  return "access" in specification ? { attribute, access: specification.access } : { attribute, access: undefined };
}

function undone({ type }: AccessSpecification): Done {
  const kind = type === "action" ? type : type.startsWith("get") ? "get" : "set";
  return { data: NOTHING, result: { type: kind, result: "other-reason" } };
}
