/** The objects of a virtual meter, served to associations with the rights of each. */
import type { ActionOutcome } from "../../../protocol/apdu/action.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../../protocol/apdu/descriptors.ts";
import type { DataAccessResult } from "../../../protocol/apdu/result-codes.ts";
import type { AssociationView, ObjectServer } from "../../../protocol/association/server/object-server.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import { nearestInterfaceClass } from "../../../protocol/cosem/classes/registry.ts";
import { methodById } from "../../../protocol/cosem/interface-class.ts";
import { logicalNameFromOctets, logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { type AccessRight, objectListElementToData } from "../../../protocol/cosem/object-list.ts";
import { ASSOCIATION_BASE_NAME, baseNameToData, ShortNames } from "../../../protocol/cosem/short-names.ts";
import { SECURITY_SETUP_CLASS } from "../../../protocol/security/security-setup.ts";
import type { AccessDescription, ObjectDescription, ProfileDescription } from "../description.ts";
import type { MeterModel, Moment } from "../meter-model.ts";
import type { MeterSecurity } from "../meter-security.ts";
import { AssociationObject, CURRENT_ASSOCIATION } from "./association-object.ts";
import { AssociationSnObject } from "./association-sn-object.ts";
import { DescribedObject } from "./described-object.ts";
import { type MethodHost, methodsOf } from "./methods.ts";
import { type ProfileColumn, ProfileObject } from "./profile-object.ts";
import { RecordedProfile } from "./recorded-profile.ts";
import { SecuritySetupObject } from "./security-setup-object.ts";
import { found, type ObjectRequest, outcome, refused, type VirtualObject } from "./virtual-object.ts";

export interface MeterObjectsOptions {
  readonly model: MeterModel;
  readonly security: MeterSecurity;
  /** The true time, ms since 1970. */
  readonly clock: () => number;
  readonly push?: (logicalName: string) => void;
  /** Every read of a value is refused for now. */
  readonly busy?: boolean;
}

const NO_ACCESS: AccessDescription = { objects: [], write: false };
const READ = 1;
const WRITE = 2;
const PROFILE_CLASS = 7;
const RANGE_AND_ENTRY = [1, 2];
/** The access rights of an Association SN look like those of an Association LN of this version. */
const SHORT_NAME_RIGHTS = 1;

export class MeterObjects implements ObjectServer {
  readonly #options: MeterObjectsOptions;
  readonly #objects = new Map<string, VirtualObject>();
  /** Of a meter that has them. */
  readonly shortNames: ShortNames | undefined;

  constructor(options: MeterObjectsOptions) {
    this.#options = options;
    const { model, push } = options;
    const { description } = model;
    const host = { model, push: push ?? (() => undefined) };
    for (const each of description.objects) {
      this.#add(this.#made(each, host));
    }
    this.#addCounters();
    for (const profile of description.profiles) this.#add(this.#profile(profile));
    if (description.shortNames === undefined) this.#addAssociations(description.associationVersion);
    else this.#addAssociationSn();
    this.shortNames = description.shortNames && this.#named(description.shortNames);
  }

  #made(each: ObjectDescription, host: MethodHost): VirtualObject {
    const { model, security } = this.#options;
    if (each.classId === PROFILE_CLASS) return new RecordedProfile(each, model);
    const described = new DescribedObject(each, model, methodsOf(each, host));
    if (each.classId !== SECURITY_SETUP_CLASS) return described;
    return new SecuritySetupObject(described, security.setup(each.version === 0 ? 0 : 1), () => security.policy);
  }

  /** The present by the meter's own clock. */
  now(): Moment {
    return { atMs: this.#options.clock() + this.#options.model.state.clockOffsetMs };
  }

  /** All objects but associations and invocation counters, which are the meter's own. */
  list(): readonly VirtualObject[] {
    return [...this.#objects.values()].filter((object) => !MADE.some((made) => object instanceof made));
  }

  /** The value of an attribute for a push or a capture; undefined for what the meter does not have. */
  value({ logicalName, attributeId, classId }: Omit<CaptureObject, "dataIndex">, moment: Moment): Data | undefined {
    const object = this.#objects.get(logicalName);
    if (object === undefined || object.classId !== classId) return undefined;
    if (attributeId === 1) return nameData(object);
    return object.value(attributeId, moment);
  }

  get(reference: AttributeReference, association: AssociationView): DataResult {
    const { attributeId } = reference.attribute;
    const object = this.#find(reference.attribute, association);
    if (typeof object === "string") return refused(object);
    if (this.#options.busy === true) return refused("temporary-failure");
    const request = { association, moment: this.now() };
    if (attributeId === 0) return found(this.#wholeObject(object, request));
    if (attributeId === 1) return found(nameData(object));
    if (!object.attributeIds.includes(attributeId)) return refused("object-undefined");
    return object.read(attributeId, reference.access, request);
  }

  set(reference: AttributeReference, value: Data, association: AssociationView): DataAccessResult {
    const { attributeId } = reference.attribute;
    const object = this.#find(reference.attribute, association);
    if (typeof object === "string") return object;
    if (!object.attributeIds.includes(attributeId)) return attributeId === 1 ? "read-write-denied" : "object-undefined";
    if (!this.#accessOf(association).write || reference.access !== undefined) return "read-write-denied";
    return object.write(attributeId, value, { association, moment: this.now() });
  }

  action(method: MethodDescriptor, parameters: Data | undefined, association: AssociationView): ActionOutcome {
    const object = this.#find(method, association);
    if (typeof object === "string") return outcome(object);
    if (!object.methodIds.includes(method.methodId)) return outcome(refusalOf(object, method.methodId));
    if (!this.#accessOf(association).write) return outcome("read-write-denied");
    return object.invoke(method.methodId, parameters, { association, moment: this.now() });
  }

  #add(object: VirtualObject): void {
    this.#objects.set(object.logicalName, object);
  }

  #find(
    { classId, logicalName }: { readonly classId: number; readonly logicalName: Uint8Array },
    association: AssociationView,
  ): VirtualObject | "object-undefined" | "object-class-inconsistent" | "read-write-denied" {
    const object = this.#objects.get(logicalNameFromOctets(logicalName));
    if (object === undefined) return "object-undefined";
    if (object.classId !== classId) return "object-class-inconsistent";
    return this.#sees(association, object) ? object : "read-write-denied";
  }

  #sees(association: AssociationView, object: VirtualObject): boolean {
    const { objects } = this.#accessOf(association);
    return objects === "all" || object.logicalName === CURRENT_ASSOCIATION || objects.includes(object.logicalName);
  }

  #accessOf({ clientSap }: AssociationView): AccessDescription {
    const { associations } = this.#options.model.description;
    return associations.find((each) => each.clientSap === clientSap)?.access ?? NO_ACCESS;
  }

  #wholeObject(object: VirtualObject, request: ObjectRequest): Data {
    const values = object.attributeIds.map((id): Data => {
      const result = object.read(id, undefined, request);
      return result.type === "data" ? result.data : { type: "null-data" };
    });
    return { type: "structure", value: [nameData(object), ...values] };
  }

  #addCounters(): void {
    const { model, security } = this.#options;
    for (const { name, invocationCounter } of model.description.associations) {
      if (invocationCounter !== undefined) this.#add(new CounterObject(invocationCounter, name, security));
    }
  }

  #profile(description: ProfileDescription): ProfileObject {
    const { model } = this.#options;
    const columns = description.columns.map((text): ProfileColumn => {
      const [logicalName = "", attribute = "2"] = text.split("/");
      const object = this.#objects.get(logicalName);
      if (object === undefined) throw new RangeError(`profile ${description.logicalName}: no object ${logicalName}`);
      const attributeId = Number(attribute);
      return {
        captures: { classId: object.classId, logicalName, attributeId, dataIndex: 0 },
        value: (moment) => object.value(attributeId, moment) ?? { type: "null-data" },
      };
    });
    const { compression = "none", selection } = model.description;
    return new ProfileObject({ description, columns, model, compression, ...(selection && { selection }) });
  }

  #addAssociations(version: number): void {
    const { security } = this.#options;
    const objectList = (association: AssociationView) => this.#objectList(association, version);
    const common = { version, security, objectList };
    this.#add(new AssociationObject({ ...common, logicalName: CURRENT_ASSOCIATION }));
    for (const description of security.associations) {
      this.#add(new AssociationObject({ ...common, description, logicalName: description.logicalName }));
    }
  }

  #addAssociationSn(): void {
    this.#add(
      new AssociationSnObject({
        security: this.#options.security,
        objectList: (association) => shortNamesOf(this.#visibleNames(association)).toObjectList(),
        accessRights: (association) => this.#accessRights(association),
      }),
    );
  }

  #named(baseNames: Readonly<Record<string, number>>): ShortNames {
    return shortNamesOf(
      [...this.#objects.values()].flatMap((object) => {
        const baseName = isAssociation(object) ? ASSOCIATION_BASE_NAME : baseNames[object.logicalName];
        return baseName === undefined ? [] : [{ object, baseName }];
      }),
    );
  }

  #visibleNames(association: AssociationView): readonly Named[] {
    return (this.shortNames?.objects ?? []).flatMap(({ baseName, logicalName }) => {
      const object = this.#objects.get(logicalName);
      return object !== undefined && this.#sees(association, object) ? [{ object, baseName }] : [];
    });
  }

  #accessRights(association: AssociationView): Data {
    const value = this.#visibleNames(association).map(({ object, baseName }): Data => {
      const rights = this.#elementOf(object, association, SHORT_NAME_RIGHTS);
      const lists = rights.type === "structure" && rights.value[3]?.type === "structure" ? rights.value[3].value : [];
      return { type: "structure", value: [baseNameToData(baseName), ...lists] };
    });
    return { type: "array", value };
  }

  #objectList(association: AssociationView, version: number): Data {
    const visible = [...this.#objects.values()].filter((object) => this.#sees(association, object));
    return { type: "array", value: visible.map((object) => this.#elementOf(object, association, version)) };
  }

  #elementOf(object: VirtualObject, association: AssociationView, associationVersion: number): Data {
    const { write } = this.#accessOf(association);
    const { classId, version, logicalName } = object;
    const attributes = [1, ...object.attributeIds].map((id) => attributeRight(object, id, write));
    const methods = object.methodIds.map((id) => right(id, write ? READ : 0));
    return objectListElementToData({ classId, version, logicalName, attributes, methods }, associationVersion);
  }
}

/** A Data object that shows the last counter which a client has used. */
class CounterObject implements VirtualObject {
  readonly classId = 1;
  readonly version = 0;
  readonly logicalName: string;
  readonly attributeIds = [2];
  readonly writableIds: readonly number[] = [];
  readonly methodIds: readonly number[] = [];
  readonly #association: string;
  readonly #security: MeterSecurity;

  constructor(logicalName: string, association: string, security: MeterSecurity) {
    this.logicalName = logicalName;
    this.#association = association;
    this.#security = security;
  }

  value(): Data {
    return { type: "double-long-unsigned", value: this.#security.clientCounter(this.#association) };
  }

  read(_attributeId: number, access: unknown): DataResult {
    return access === undefined ? found(this.value()) : refused("scope-of-access-violated");
  }

  write(): DataAccessResult {
    return "read-write-denied";
  }

  invoke(): ActionOutcome {
    return outcome("object-undefined");
  }
}

/** Objects that follow from others and are in no description. */
const MADE = [AssociationObject, AssociationSnObject, CounterObject] as const;

interface Named {
  readonly object: VirtualObject;
  readonly baseName: number;
}

function shortNamesOf(named: readonly Named[]): ShortNames {
  return new ShortNames(
    named.map(({ object: { classId, version, logicalName }, baseName }) => ({
      baseName,
      classId,
      version,
      logicalName,
    })),
  );
}

function isAssociation({ logicalName }: VirtualObject): boolean {
  return logicalName === CURRENT_ASSOCIATION;
}

/** A method that the class has and this meter does not is not the same as one that the class does not have. */
function refusalOf({ classId, version }: VirtualObject, methodId: number): "object-unavailable" | "object-undefined" {
  const known = nearestInterfaceClass(classId, version);
  return known !== undefined && methodById(known, methodId) !== undefined ? "object-unavailable" : "object-undefined";
}

function nameData({ logicalName }: VirtualObject): Data {
  return { type: "octet-string", value: logicalNameToOctets(logicalName) };
}

function attributeRight(object: VirtualObject, id: number, write: boolean): AccessRight {
  const writable = write && object.writableIds.includes(id);
  const secret = object.classId === 15 && id === 7;
  const mode = (secret ? 0 : READ) + (writable ? WRITE : 0);
  const selectors = object.classId === PROFILE_CLASS && id === 2 ? RANGE_AND_ENTRY : [];
  return { ...right(id, mode), selectors };
}

function right(id: number, mode: number): AccessRight {
  return {
    id,
    mode,
    read: (mode & READ) !== 0,
    write: (mode & WRITE) !== 0,
    invoke: mode !== 0,
    request: [],
    response: [],
    selectors: [],
  };
}
