import type { AttributeDescriptor, MethodDescriptor } from "../apdu/descriptors.ts";

/** What a short name means. */
export type ShortNamedMember =
  | ({ readonly type: "attribute" } & AttributeDescriptor)
  | ({ readonly type: "method" } & MethodDescriptor);

export interface ShortNamedMethod {
  readonly variableName: number;
  /** Whether it gives something back: then it is invoked by reading it. */
  readonly returns: boolean;
}

/** Short names of one server both ways; which objects there are, and what their classes look like, is told by others. */
export interface ShortNameDirectory {
  /** Undefined for what has no short name. */
  attribute(descriptor: AttributeDescriptor): number | undefined;
  method(descriptor: MethodDescriptor): ShortNamedMethod | undefined;
  member(variableName: number): ShortNamedMember | undefined;
}
