import type { SelectiveAccess } from "../apdu/descriptors.ts";
import type { VariableAccessSpecification } from "../apdu/short-name.ts";

/** An attribute or method by its short name; `access` selects a part of it, or hands over a method's parameter. */
export interface VariableReference {
  /** 0..65535. */
  readonly variableName: number;
  readonly access?: SelectiveAccess | undefined;
}

export function specificationOf({ variableName, access }: VariableReference): VariableAccessSpecification {
  if (access === undefined) return { type: "variable-name", variableName };
  return { type: "parameterized-access", variableName, selector: access.selector, parameter: access.parameters };
}

/** What a specification names; undefined for one that carries or asks for a block. */
export function variableOf(specification: VariableAccessSpecification): VariableReference | undefined {
  switch (specification.type) {
    case "variable-name":
      return { variableName: specification.variableName };
    case "parameterized-access": {
      const { variableName, selector, parameter } = specification;
      return { variableName, access: { selector, parameters: parameter } };
    }
    default:
      return undefined;
  }
}
