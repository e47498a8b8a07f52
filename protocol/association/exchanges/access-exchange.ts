/** ACCESS from the client's side: gets, sets and methods in one request and one answer (IEC 62056-5-3, ACCESS service). */
import type { AccessResult, AccessSpecification } from "../../apdu/access.ts";
import type { Apdu, ApduOf } from "../../apdu/apdu.ts";
import type { DataResult } from "../../apdu/descriptors.ts";
import { invokeIdAndPriority, longInvokeIdAndPriorityField } from "../../apdu/invoke-id.ts";
import type { DataAccessResult } from "../../apdu/result-codes.ts";
import type { Data } from "../../axdr/data.ts";
import type { AccessItem, AccessOrder, AccessOutcome } from "../client/access-order.ts";
import {
  type ExchangeContext,
  type ExchangeStep,
  ignored,
  resultsFor,
  type ServiceExchange,
  unexpected,
} from "./service-exchange.ts";

const NOTHING: Data = { type: "null-data" };

export class AccessExchange implements ServiceExchange {
  readonly responseName = "access-response";
  readonly #order: AccessOrder;
  readonly #context: ExchangeContext;

  constructor(order: AccessOrder, context: ExchangeContext) {
    this.#order = order;
    this.#context = context;
  }

  first(): ApduOf<"access-request"> {
    const { items, breakOnError = false } = this.#order;
    const { invokeId, confirmed, highPriority } = invokeIdAndPriority(this.#context.invokeIdAndPriority);
    const flags = { longInvokeId: invokeId, confirmed, highPriority, breakOnError, selfDescriptive: false };
    return {
      apdu: "access-request",
      body: {
        longInvokeIdAndPriority: longInvokeIdAndPriorityField(flags),
        dateTime: undefined,
        specifications: items.map(specificationOf),
        data: items.map(dataOf),
      },
    };
  }

  take(answer: Apdu): ExchangeStep {
    if (answer.apdu !== "access-response") return ignored(answer.apdu);
    const { items } = this.#order;
    const data = resultsFor(answer.body.data, items.length);
    const outcomes = resultsFor(answer.body.results, items.length).map((result, index) =>
      outcomeOf(items[index], result, data[index] ?? NOTHING),
    );
    return { type: "done", response: { type: "access", outcomes } };
  }

  partial(): undefined {
    return undefined;
  }
}

function specificationOf(item: AccessItem): AccessSpecification {
  if (item.type === "action") return { type: "action", method: item.method };
  const { type, attribute, access } = item;
  if (access === undefined) return { type, attribute };
  return { type: type === "get" ? "get-with-selection" : "set-with-selection", attribute, access };
}

function dataOf(item: AccessItem): Data {
  if (item.type === "set") return item.value;
  return item.type === "action" ? (item.parameters ?? NOTHING) : NOTHING;
}

function outcomeOf(item: AccessItem | undefined, answer: AccessResult, data: Data): AccessOutcome {
  if (item?.type !== answer.type) throw unexpected(`result of a ${answer.type}`);
  switch (answer.type) {
    case "get":
      return { type: "get", result: answer.result === "success" ? { type: "data", data } : refused(answer.result) };
    case "set":
      return answer;
    case "action": {
      const { type, result } = answer;
      if (result !== "success" || data.type === "null-data") return { type, outcome: { result } };
      return { type, outcome: { result, returnParameters: { type: "data", data } } };
    }
  }
}

function refused(dataAccessResult: DataAccessResult): DataResult {
  return { type: "data-access-result", dataAccessResult };
}
