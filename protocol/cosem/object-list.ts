/** Elements of an association's object_list: which objects a server has, and what may be done with them. */
import type { Data } from "../axdr/data.ts";
import { requireInteger, typeMismatch } from "./integers.ts";
import { logicalNameFromOctets, logicalNameToOctets } from "./obis.ts";

/** What an association allows for one attribute or method, whatever the version of the association object. */
export interface AccessRight {
  readonly id: number;
  /** The access mode as sent: an enumeration up to version 2 of Association LN, a mask from version 3 on. */
  readonly mode: number;
  readonly read: boolean;
  readonly write: boolean;
  /** For methods: whether it may be invoked. */
  readonly invoke: boolean;
  /** Which protection the request and the response must have. */
  readonly request: readonly Protection[];
  readonly response: readonly Protection[];
  /** Selective access selectors of an attribute. */
  readonly selectors: readonly number[];
}

export type Protection = "authenticated" | "encrypted" | "signed";

export interface ObjectListElement {
  readonly classId: number;
  readonly version: number;
  readonly logicalName: string;
  readonly attributes: readonly AccessRight[];
  readonly methods: readonly AccessRight[];
}

/** Access modes are masks from this version of Association LN on. */
const MASKED_SINCE = 3;
const ASSOCIATION_LN = 15;
const CURRENT_ASSOCIATION = "0.0.40.0.0.255";

/** Attribute access modes up to version 2, by number: no, read, write, both, and the same authenticated. */
const ATTRIBUTE_MODES = [
  { read: false, write: false, authenticated: false },
  { read: true, write: false, authenticated: false },
  { read: false, write: true, authenticated: false },
  { read: true, write: true, authenticated: false },
  { read: true, write: false, authenticated: true },
  { read: false, write: true, authenticated: true },
  { read: true, write: true, authenticated: true },
] as const;

/** Bits of the masks of version 3. */
const MASK_BITS = {
  readOrInvoke: 0x01,
  write: 0x02,
  request: { authenticated: 0x04, encrypted: 0x08, signed: 0x10 },
  response: { authenticated: 0x20, encrypted: 0x40, signed: 0x80 },
} as const;
const PROTECTIONS = ["authenticated", "encrypted", "signed"] as const;

/**
 * Reads an object_list. The version of the association decides how access modes are read: it is found in the list
 * itself unless given. Elements without access rights (selective access by class) have none. Throws DATA_TYPE_MISMATCH.
 */
export function objectListFromData(data: Data, associationVersion?: number): ObjectListElement[] {
  if (data.type !== "array") throw typeMismatch("object list", data);
  const version = associationVersion ?? associationVersionOf(data.value) ?? 0;
  return data.value.map((element) => objectListElementFromData(element, version));
}

function associationVersionOf(elements: readonly Data[]): number | undefined {
  for (const element of elements) {
    const { classId, version, logicalName } = headOf(element);
    if (classId === ASSOCIATION_LN && logicalName === CURRENT_ASSOCIATION) return version;
  }
  return undefined;
}

/** Throws DATA_TYPE_MISMATCH. */
export function objectListElementFromData(data: Data, associationVersion: number): ObjectListElement {
  const head = headOf(data);
  const rights = data.type === "structure" ? data.value[3] : undefined;
  if (rights === undefined) return { ...head, attributes: [], methods: [] };
  if (rights.type !== "structure") throw typeMismatch("access rights", rights);
  const [attributes, methods] = rights.value;
  return {
    ...head,
    attributes: rightsOf(attributes, (fields) => attributeRight(fields, associationVersion)),
    methods: rightsOf(methods, (fields) => methodRight(fields, associationVersion)),
  };
}

function headOf(data: Data): { classId: number; version: number; logicalName: string } {
  const [classId, version, logicalName] = data.type === "structure" ? data.value : [];
  if (logicalName?.type !== "octet-string") throw typeMismatch("object list element", data);
  return {
    classId: requireInteger(classId),
    version: requireInteger(version),
    logicalName: logicalNameFromOctets(logicalName.value),
  };
}

function rightsOf(data: Data | undefined, read: (fields: readonly Data[]) => AccessRight): AccessRight[] {
  if (data === undefined || data.type === "null-data") return [];
  if (data.type !== "array") throw typeMismatch("access rights", data);
  return data.value.map((element) => {
    if (element.type !== "structure") throw typeMismatch("access right", element);
    return read(element.value);
  });
}

function attributeRight(fields: readonly Data[], version: number): AccessRight {
  const id = signed(requireInteger(fields[0]));
  const mode = requireInteger(fields[1]);
  const selectors = selectorsOf(fields[2]);
  if (version >= MASKED_SINCE) return { ...maskedRight(id, mode, selectors), invoke: false };
  const { read, write, authenticated } = ATTRIBUTE_MODES[mode] ?? ATTRIBUTE_MODES[0];
  const protection = authenticated ? (["authenticated"] as const) : [];
  return { id, mode, read, write, invoke: false, request: protection, response: protection, selectors };
}

function methodRight(fields: readonly Data[], version: number): AccessRight {
  const id = signed(requireInteger(fields[0]));
  const access = fields[1];
  const mode = access?.type === "boolean" ? Number(access.value) : requireInteger(access);
  if (version >= MASKED_SINCE) {
    const right = maskedRight(id, mode, []);
    return { ...right, invoke: right.read, read: false, write: false };
  }
  const protection = mode === 2 ? (["authenticated"] as const) : [];
  return {
    id,
    mode,
    read: false,
    write: false,
    invoke: mode > 0,
    request: protection,
    response: protection,
    selectors: [],
  };
}

function maskedRight(id: number, mode: number, selectors: readonly number[]): AccessRight {
  return {
    id,
    mode,
    read: (mode & MASK_BITS.readOrInvoke) !== 0,
    write: (mode & MASK_BITS.write) !== 0,
    invoke: false,
    request: PROTECTIONS.filter((each) => (mode & MASK_BITS.request[each]) !== 0),
    response: PROTECTIONS.filter((each) => (mode & MASK_BITS.response[each]) !== 0),
    selectors,
  };
}

function selectorsOf(data: Data | undefined): readonly number[] {
  return data?.type === "array" ? data.value.map((each) => requireInteger(each)) : [];
}

/** Attribute and method numbers are signed: makers use the negative ones. */
function signed(id: number): number {
  return id > 127 ? id - 256 : id;
}

/** Writes an element as an association of that version would; modes are taken as they stand. */
export function objectListElementToData(element: ObjectListElement, associationVersion: number): Data {
  const attributes: Data[] = element.attributes.map(({ id, mode, selectors }) =>
    structure([{ type: "integer", value: id }, { type: "enum", value: mode }, selectorsToData(selectors)]),
  );
  const methods: Data[] = element.methods.map(({ id, mode }) =>
    structure([
      { type: "integer", value: id },
      associationVersion === 0 ? { type: "boolean", value: mode > 0 } : { type: "enum", value: mode },
    ]),
  );
  return structure([
    { type: "long-unsigned", value: element.classId },
    { type: "unsigned", value: element.version },
    { type: "octet-string", value: logicalNameToOctets(element.logicalName) },
    structure([
      { type: "array", value: attributes },
      { type: "array", value: methods },
    ]),
  ]);
}

function selectorsToData(selectors: readonly number[]): Data {
  if (selectors.length === 0) return { type: "null-data" };
  return { type: "array", value: selectors.map((value): Data => ({ type: "integer", value })) };
}

function structure(value: readonly Data[]): Data {
  return { type: "structure", value };
}
