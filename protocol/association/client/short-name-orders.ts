/**
 * Orders by logical name, put into short names: what is asked with Get, Set and Action becomes Read and Write. A method
 * that gives something back is read, any other is written.
 */
import type { ActionOutcome } from "../../apdu/action.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../apdu/descriptors.ts";
import { actionResultFor, type DataAccessResult } from "../../apdu/result-codes.ts";
import type { Data } from "../../axdr/data.ts";
import { DlmsError } from "../../errors.ts";
import type { ShortNameDirectory } from "../short-name-directory.ts";
import type { VariableReference } from "../variables.ts";
import type { ServiceOrder, ServiceResponse } from "./client-events.ts";

/** What to ask by short names, one after the other, and what the answers say together. */
export interface ShortNameOrders {
  /** Empty when nothing that is wanted has a short name: the server's own list says that it is not there. */
  readonly orders: readonly ServiceOrder[];
  /** The response to the order by logical name, from as many responses as there are orders. */
  readonly responseOf: (responses: readonly ServiceResponse[]) => ServiceResponse;
}

const NO_SUCH_OBJECT = "object-undefined";
const NOT_THERE: DataResult = { type: "data-access-result", dataAccessResult: NO_SUCH_OBJECT };
const NO_SUCH_METHOD: ActionOutcome = { result: NO_SUCH_OBJECT };
/** What invokes a method without parameter. */
const NO_PARAMETER: Data = { type: "integer", value: 0 };
/** Has no meaning where a method is invoked. */
const NO_SELECTOR = 0;

/** Throws SERVICE_UNEXPECTED for an order that is by short name already. */
export function inShortNames(order: ServiceOrder, names: ShortNameDirectory): ShortNameOrders {
  switch (order.type) {
    case "get":
      return mapped(reading([order], names), ([result = NOT_THERE]) => ({ type: "get", result }));
    case "getList":
      return mapped(reading(order.attributes, names), (results) => ({ type: "getList", results }));
    case "set":
      return mapped(writing([order], [order.value], names), ([result = NO_SUCH_OBJECT]) => ({ type: "set", result }));
    case "setList":
      return mapped(writing(order.attributes, order.values, names), (results) => ({ type: "setList", results }));
    case "action":
      return mapped(invoking([order.method], [order.parameters], names), ([outcome = NO_SUCH_METHOD]) => ({
        type: "action",
        outcome,
      }));
    case "actionList":
      return mapped(invoking(order.methods, order.parameters, names), (outcomes) => ({ type: "actionList", outcomes }));
    default:
      throw new DlmsError("SERVICE_UNEXPECTED", "caller", { order: order.type });
  }
}

interface Plan<T> {
  readonly orders: readonly ServiceOrder[];
  readonly resultsOf: (responses: readonly ServiceResponse[]) => readonly T[];
}

function mapped<T>(
  { orders, resultsOf }: Plan<T>,
  response: (results: readonly T[]) => ServiceResponse,
): ShortNameOrders {
  return { orders, responseOf: (responses) => response(resultsOf(responses)) };
}

function reading(references: readonly AttributeReference[], names: ShortNameDirectory): Plan<DataResult> {
  const variables = references.map((reference) => variableOf(reference, names));
  const known = variables.filter((variable) => variable !== undefined);
  return {
    orders: known.length === 0 ? [] : [{ type: "read", variables: known }],
    resultsOf: ([response]) => spread(variables, readIn(response), NOT_THERE),
  };
}

function writing(
  references: readonly AttributeReference[],
  values: readonly Data[],
  names: ShortNameDirectory,
): Plan<DataAccessResult> {
  if (values.length !== references.length) {
    throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { count: references.length, other: values.length });
  }
  const variables = references.map((reference) => variableOf(reference, names));
  const known = variables.filter((variable) => variable !== undefined);
  const order = { type: "write", variables: known, values: values.filter((_, index) => variables[index]) } as const;
  return {
    orders: known.length === 0 ? [] : [order],
    resultsOf: ([response]) => spread(variables, writtenIn(response), NO_SUCH_OBJECT),
  };
}

function invoking(
  methods: readonly MethodDescriptor[],
  parameters: readonly (Data | undefined)[],
  names: ShortNameDirectory,
): Plan<ActionOutcome> {
  const orders = methods.map((method, index) => invocation(method, parameters[index], names));
  return {
    orders: orders.filter((order) => order !== undefined),
    resultsOf: (responses) => spread(orders, responses.map(outcomeIn), NO_SUCH_METHOD),
  };
}

function invocation(
  method: MethodDescriptor,
  parameters: Data | undefined,
  names: ShortNameDirectory,
): ServiceOrder | undefined {
  const named = names.method(method);
  if (named === undefined) return undefined;
  const { variableName, returns } = named;
  if (!returns) return { type: "write", variables: [{ variableName }], values: [parameters ?? NO_PARAMETER] };
  const access = parameters && { selector: NO_SELECTOR, parameters };
  return { type: "read", variables: [{ variableName, ...(access && { access }) }] };
}

function variableOf(
  { attribute, access }: AttributeReference,
  names: ShortNameDirectory,
): VariableReference | undefined {
  const variableName = names.attribute(attribute);
  return variableName === undefined ? undefined : { variableName, ...(access && { access }) };
}

/** One result for each place: the next of `results` where something was asked, `missing` elsewhere. */
function spread<T>(asked: readonly unknown[], results: readonly T[], missing: T): readonly T[] {
  const left = results.values();
  return asked.map((each) => (each === undefined ? missing : (left.next().value ?? missing)));
}

function readIn(response: ServiceResponse | undefined): readonly DataResult[] {
  if (response === undefined) return [];
  if (response.type === "read") return response.results;
  throw new DlmsError("SERVICE_UNEXPECTED", "caller", { response: response.type });
}

function writtenIn(response: ServiceResponse | undefined): readonly DataAccessResult[] {
  if (response === undefined) return [];
  if (response.type === "write") return response.results;
  throw new DlmsError("SERVICE_UNEXPECTED", "caller", { response: response.type });
}

function outcomeIn(response: ServiceResponse): ActionOutcome {
  if (response.type === "write") return { result: actionResultFor(response.results[0] ?? "other-reason") };
  const [result] = readIn(response);
  if (result?.type === "data") return { result: "success", returnParameters: result };
  return { result: result === undefined ? "other-reason" : actionResultFor(result.dataAccessResult) };
}
