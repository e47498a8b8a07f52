/**
 * Carries a push setup out on a meter that is on the line: reads what it has, writes what differs, reads each back. What
 * fails is undone from the last write to the first, so that the meter is always in a state that has a name.
 */
import type { ActionOutcome } from "../../../protocol/apdu/action.ts";
import type { AttributeReference, DataResult, MethodDescriptor } from "../../../protocol/apdu/descriptors.ts";
import { type Data, dataFromBytes, dataToBytes } from "../../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { inTypesOf, readable, saysTheSame } from "../../../protocol/cosem/plain-value.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import type { SetupChange } from "../../store/push/push-setup-history.ts";
import type { SetupState, TestPush } from "./setup-state.ts";
import { nameOfWish, type Wish } from "./setup-wishes.ts";

export interface SetupConnection {
  get(reference: AttributeReference): Promise<DataResult>;
  set(reference: AttributeReference, value: Data): Promise<string>;
  action(method: MethodDescriptor, parameters?: Data): Promise<ActionOutcome>;
}

/** A difference between what is and what is to be, and what came of it. */
export interface Difference {
  readonly wish: Wish;
  readonly before: Data;
  readonly after: Data;
  /** Whether the meter holds `after`; undefined when nobody knows. */
  held: boolean | undefined;
}

export interface Execution {
  readonly state: SetupState;
  readonly differences: readonly Difference[];
  readonly evidence: string | undefined;
}

const SUCCESS = "success";

export interface SetupManner {
  readonly dryRun: boolean;
  /** Takes what is found, and what came of it. */
  readonly differences: Difference[];
  /** Called when all differences are known and none is written. */
  readonly beforeWrite?: (differences: readonly Difference[]) => Promise<void>;
}

/** Attributes that a push setup has from a version of its class on, the latest version first. */
const SINCE = [
  [2, 11],
  [1, 9],
] as const;

/** The version of the meter's push setup, by what it has; at most 2. Throws what the connection throws. */
export async function setupVersion(connection: SetupConnection, logicalName: string): Promise<number> {
  for (const [version, attributeId] of SINCE) {
    const result = await connection.get(reference({ classId: 40, logicalName, attributeId }));
    if (result.type === "data") return version;
  }
  return 0;
}

/** Throws what the connection throws; `differences` then says how far it came. */
export async function executeSetup(
  connection: SetupConnection,
  wishes: readonly Wish[],
  { dryRun, differences, beforeWrite }: SetupManner,
): Promise<Execution> {
  for (const wish of wishes) {
    const result = await connection.get(reference(wish));
    if (result.type !== "data") {
      return {
        state: "refused",
        differences,
        evidence: `${nameOfWish(wish)} can't be read: ${result.dataAccessResult}`,
      };
    }
    const after = inTypesOf(result.data, wish.value(result.data));
    if (!saysTheSame(result.data, after)) differences.push({ wish, before: result.data, after, held: false });
  }
  if (differences.length === 0) return { state: "in-order", differences, evidence: undefined };
  if (dryRun) return { state: "differs", differences, evidence: undefined };
  await beforeWrite?.(differences);
  for (const difference of differences) {
    // Nobody knows, should the line be cut now.
    difference.held = undefined;
    const refusal = await write(connection, difference, difference.after);
    difference.held = refusal === undefined;
    if (refusal === undefined) continue;
    const evidence = `${nameOfWish(difference.wish)}: ${refusal}`;
    const wasFirst = differences[0] === difference && (await holds(connection, difference, difference.before));
    if (wasFirst) return { state: "refused", differences, evidence };
    return { state: await undo(connection, differences), differences, evidence };
  }
  return { state: "applied", differences, evidence: undefined };
}

/** Puts back what was, last write first. */
export async function undo(connection: SetupConnection, differences: readonly Difference[]): Promise<SetupState> {
  let state: SetupState = "restored";
  for (const difference of differences.toReversed()) {
    if (await holds(connection, difference, difference.before)) {
      difference.held = false;
      continue;
    }
    const refusal = await write(connection, difference, difference.before);
    difference.held = refusal !== undefined;
    if (refusal !== undefined) state = "mixed";
  }
  return state;
}

/** Orders one push; the schedule and the alarms of the meter are not touched. */
export async function orderPush(connection: SetupConnection, logicalName: string): Promise<TestPush | "ordered"> {
  const method = { classId: 40, logicalName: logicalNameToOctets(logicalName), methodId: 1 };
  const ordered = await negotiated(() => connection.action(method, { type: "integer", value: 0 }), undefined);
  return ordered?.result === SUCCESS ? "ordered" : "refused";
}

/** For the record and for people. */
export function changeOf({ wish, before, after, held }: Difference): SetupChange {
  const octetsBefore = toHex(dataToBytes(before));
  return {
    attribute: nameOfWish(wish),
    before: readable(before),
    after: readable(after),
    held: held ?? null,
    octetsBefore,
  };
}

/** What a recorded change needs to be put back; undefined for one without octets. */
export function differenceOf({ attribute, octetsBefore, held }: SetupChange): Difference | undefined {
  if (octetsBefore === undefined) return undefined;
  const before = dataFromBytes(fromHex(octetsBefore));
  const [classId = "", logicalName = "", attributeId = ""] = attribute.split(":");
  const wish = { classId: Number(classId), logicalName, attributeId: Number(attributeId), value: () => before };
  return { wish, before, after: before, held: held ?? undefined };
}

function reference({ classId, logicalName, attributeId }: Omit<Wish, "value">): AttributeReference {
  return { attribute: { classId, logicalName: logicalNameToOctets(logicalName), attributeId } };
}

/** Why the value is not held; undefined when it is. */
async function write(connection: SetupConnection, { wish }: Difference, value: Data): Promise<string | undefined> {
  const result = await negotiated(() => connection.set(reference(wish), value), NOT_AGREED);
  if (result !== SUCCESS) return `the meter refuses it: ${result}`;
  const back = await connection.get(reference(wish));
  if (back.type !== "data") return `it can't be read back: ${back.dataAccessResult}`;
  return saysTheSame(back.data, value)
    ? undefined
    : `the meter took it and holds ${JSON.stringify(readable(back.data))}`;
}

const NOT_AGREED = "the association has not agreed on writing";

/** What the association has not agreed on is not sent, and the association goes on. */
export async function negotiated<T, Otherwise>(ask: () => Promise<T>, otherwise: Otherwise): Promise<T | Otherwise> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DlmsError && error.code === "SERVICE_NOT_NEGOTIATED") return otherwise;
    throw error;
  }
}

async function holds(connection: SetupConnection, { wish }: Difference, value: Data): Promise<boolean> {
  const result = await connection.get(reference(wish));
  return result.type === "data" && saysTheSame(result.data, value);
}
