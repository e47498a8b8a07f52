/**
 * What an interface class of the Blue Book is made of. A class is a table (see classes/); reading, writing, serving and
 * documenting an object all interpret the same table. Every version of a class is a table of its own.
 */
import type { Data } from "../axdr/data.ts";
import { DlmsError } from "../errors.ts";
import type { ValueOf, ValueType } from "./value-type.ts";

export interface Attribute {
  readonly id: number;
  readonly type: ValueType<unknown>;
  /** Does not change while the meter's firmware and configuration stay. */
  readonly static?: true;
  /** What a management client may usually do; the object list of an association is what counts. */
  readonly access?: "write" | "read-write";
}

export interface Method {
  readonly id: number;
  /** The parameter; without one, meters want integer 0. */
  readonly parameter?: ValueType<unknown>;
  readonly result?: ValueType<unknown>;
}

export interface InterfaceClass {
  readonly classId: number;
  readonly version: number;
  readonly name: string;
  /** By the Blue Book's name in camelCase. */
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly methods: Readonly<Record<string, Method | number>>;
  /** Short-name offset of method 1; attribute n is at 8·(n-1), method n at this plus 8·(n-1). */
  readonly methodOffset?: number;
}

export type AttributeName<C extends InterfaceClass> = keyof C["attributes"] & string;
export type AttributeValue<C extends InterfaceClass, N extends AttributeName<C>> = ValueOf<C["attributes"][N]["type"]>;

/** Declares a class. Throws DATA_OUT_OF_RANGE when two attributes or two methods have one number. */
export function interfaceClass<const C extends InterfaceClass>(declaration: C): C {
  wantUnique(
    declaration,
    Object.values(declaration.attributes).map((attribute) => attribute.id),
  );
  wantUnique(declaration, Object.values(declaration.methods).map(methodId));
  return declaration;
}

function wantUnique({ classId, version }: InterfaceClass, ids: readonly number[]): void {
  if (new Set(ids).size === ids.length) return;
  throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { classId, version, ids: ids.join(",") });
}

/** The attribute with that number and its name, or undefined. */
export function attributeById(cosemClass: InterfaceClass, id: number): (Attribute & { name: string }) | undefined {
  for (const [name, attribute] of Object.entries(cosemClass.attributes)) {
    if (attribute.id === id) return { name, ...attribute };
  }
  return undefined;
}

/** The method with that number and its name, or undefined. */
export function methodById(cosemClass: InterfaceClass, id: number): (Method & { name: string }) | undefined {
  for (const [name, method] of Object.entries(cosemClass.methods)) {
    if (methodId(method) === id) return typeof method === "number" ? { name, id } : { name, ...method };
  }
  return undefined;
}

function methodId(method: Method | number): number {
  return typeof method === "number" ? method : method.id;
}

/** An attribute's value in the type that its class declares. Throws DATA_TYPE_MISMATCH, DATA_OUT_OF_RANGE. */
export function parseAttribute<C extends InterfaceClass, N extends AttributeName<C>>(
  cosemClass: C,
  name: N,
  data: Data,
): AttributeValue<C, N> {
  const attribute = cosemClass.attributes[name];
  if (attribute === undefined) throw new DlmsError("DATA_OUT_OF_RANGE", "caller", { attribute: name });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table's type says what parse returns.
  return attribute.type.parse(data) as AttributeValue<C, N>;
}
