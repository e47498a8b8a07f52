import type { AttributeDescriptor, MethodDescriptor } from "../apdu/descriptors.ts";
import type { ShortNamedMember, ShortNamedMethod } from "../apdu/short-name.ts";

/** Short names of one server both ways; which objects there are, and what their classes look like, is told by others. */
export interface ShortNameDirectory {
  /** Undefined for what has no short name. */
  attribute(descriptor: AttributeDescriptor): number | undefined;
  method(descriptor: MethodDescriptor): ShortNamedMethod | undefined;
  member(variableName: number): ShortNamedMember | undefined;
}
