/**
 * Gets into a meter: reads its invocation counter with the public client where it has one, then associates above it
 * (IS 15959 Part 2, and most meters with ciphering). Once a meter has taken our counters they are not read again until
 * something goes wrong: that spares an association with each visit. A counter that the meter refuses is raised once.
 */
import { type Clock, sleep } from "../../../drivers/clock.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import type { Link } from "../../../protocol/link/link.ts";
import { MAX_INVOCATION_COUNTER } from "../../../protocol/security/suites.ts";
import type { CounterLease } from "../../keys/counter-lease.ts";
import { SessionFailedError } from "../causes/session-failure.ts";
import { AccessRefusedError } from "./access-refused.ts";
import { MeterConnection, type MeterConnectionSettings } from "./meter-connection.ts";
import type { MeterLine } from "./meter-line.ts";

/** Counters of one key that are ours to use: given once each, and never below what `raise` has been told. */
export type InvocationCounters = Pick<CounterLease, "next" | "upcoming" | "raise" | "ensure">;

/** What is known of a meter's counter from the visit before. */
export interface CounterMemory {
  /** The meter has taken our counters, and nothing has gone wrong since. */
  countersAccepted?: boolean;
  /** The object in which the counter was found. */
  counterObject?: Uint8Array;
}

/** Where the meter keeps the counter that it will accept next, or has accepted last: both are met by value + 1. */
interface CounterObject {
  /** Logical names of the Data objects (class 1) that may have it, likeliest first. */
  readonly names: () => readonly Uint8Array[];
  readonly counters: InvocationCounters;
  /** Kept from visit to visit. */
  readonly memory: CounterMemory;
  /** Quiet time that the meter needs between two clients. */
  readonly pauseMs?: number | undefined;
}

export interface MeterAccess {
  readonly clientSap: number;
  /** A new link for each session. */
  readonly link: (clientSap: number) => Link;
  /** Settings for each attempt: protection of one association must not serve another. */
  readonly session: () => Omit<MeterConnectionSettings, "link">;
  /** Settings of the public client that reads the counter. */
  readonly publicSession: () => Omit<MeterConnectionSettings, "link">;
  readonly counter?: CounterObject | undefined;
  readonly clock: Clock;
}

const PUBLIC_CLIENT = 16;
const DATA_CLASS = 1;
const VALUE = 2;
const COUNTER_OCTETS = 4;

/** Opens a link and associates. The line stays open whatever happens. Rejects with SessionFailedError. */
export async function connectMeter(line: MeterLine, access: MeterAccess): Promise<MeterConnection> {
  const { counter } = access;
  if (counter === undefined) return attempt(line, access);
  const trusted = counter.memory.countersAccepted === true;
  if (!trusted) {
    await counter.counters.raise(await readFloor(line, access, counter));
    if (counter.pauseMs !== undefined) await sleep(access.clock, counter.pauseMs);
  }
  counter.memory.countersAccepted = false;
  const connection = await attemptTwice(line, access, counter, trusted);
  counter.memory.countersAccepted = true;
  return connection;
}

async function attemptTwice(
  line: MeterLine,
  access: MeterAccess,
  counter: CounterObject,
  trusted: boolean,
): Promise<MeterConnection> {
  const { counters } = counter;
  const upcoming = counters.upcoming;
  try {
    return await attempt(line, access);
  } catch (error) {
    const told = refusedCounter(error);
    // Many meters are silent, or refuse without a reason, when a counter is too low: only the meter's own tells.
    const floor = told === undefined && trusted ? await floorAfter(line, access, counter) : told && told + 1;
    if (told === undefined && (!trusted || (floor !== undefined && floor <= upcoming))) throw provenIn(error);
    if (floor === undefined || !line.open || (told === undefined && floor <= counters.upcoming)) throw error;
    await counters.raise(floor);
    return await attempt(line, access).catch((again: unknown) => {
      throw provenIn(again);
    });
  }
}

/** It was not the counter: the meter's own had been read, and ours was above it. */
function provenIn(error: unknown): unknown {
  return error instanceof SessionFailedError ? error.withProvenCounter() : error;
}

/** What the meter's counter asks for; undefined where that can't be read, for then the first failure is the one to tell. */
async function floorAfter(line: MeterLine, access: MeterAccess, counter: CounterObject): Promise<number | undefined> {
  if (!line.open) return undefined;
  return readFloor(line, access, counter).catch(() => undefined);
}

async function attempt(line: MeterLine, access: MeterAccess): Promise<MeterConnection> {
  const connection = await MeterConnection.open(line, { ...access.session(), link: access.link(access.clientSap) });
  try {
    await connection.associate();
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The lowest counter that the meter may take, from its own. */
async function readFloor(line: MeterLine, access: MeterAccess, counter: CounterObject): Promise<number> {
  const settings = { ...access.publicSession(), link: access.link(PUBLIC_CLIENT) };
  await using connection = await MeterConnection.open(line, settings);
  await connection.associate();
  const { memory } = counter;
  const names = memory.counterObject === undefined ? counter.names() : [memory.counterObject];
  let refusal: AccessRefusedError | undefined;
  for (const name of names) {
    const reference = { attribute: { classId: DATA_CLASS, logicalName: name, attributeId: VALUE } };
    const result = await connection.get(reference);
    if (result.type === "data") {
      memory.counterObject = name;
      return counterOf(result.data) + 1;
    }
    refusal ??= new AccessRefusedError(reference, result.dataAccessResult);
  }
  throw refusal ?? new Error("no counter object is named");
}

/** Counters come as any unsigned number of at least 32 bits, or as four octets. Throws DATA_TYPE_MISMATCH. */
export function counterOf(data: Data): number {
  const value = numberOf(data);
  if (value === undefined) throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { value: data.type, wanted: "counter" });
  if (value < 0 || value >= MAX_INVOCATION_COUNTER) {
    throw new DlmsError("SECURITY_COUNTER_EXHAUSTED", "peer", { invocationCounter: value });
  }
  return value;
}

function numberOf(data: Data): number | undefined {
  switch (data.type) {
    case "double-long-unsigned":
    case "long-unsigned":
    case "unsigned":
      return data.value;
    case "double-long":
      // Some meters send the upper half of the range as a signed number.
      return data.value >>> 0;
    case "long64":
    case "long64-unsigned":
      return Number(data.value);
    case "octet-string":
      if (data.value.length !== COUNTER_OCTETS) return undefined;
      return new DataView(data.value.buffer, data.value.byteOffset).getUint32(0);
    default:
      return undefined;
  }
}

/** The counter that the meter told with its refusal. */
function refusedCounter(error: unknown): number | undefined {
  if (!(error instanceof SessionFailedError) || error.failure.evidence.type !== "exception") return undefined;
  const { serviceError, invocationCounter } = error.failure.evidence.exception;
  return serviceError === "invocation-counter-error" ? invocationCounter : undefined;
}
