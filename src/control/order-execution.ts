/**
 * An order to one meter, in one association: what it shows is read, the order is given, and what it shows since is read
 * until that is what was ordered or the time for it is over. An order that was cut short is not given again: the next
 * association only looks what has become of it.
 */
import type { z } from "zod";
import { type Clock, sleep } from "../../drivers/clock.ts";
import type { orderResult } from "../api/answers/orders.ts";
import type { MeterConnection } from "../collect/session/meter-connection.ts";
import { messageOf } from "../observe/message-of.ts";

export type OrderResult = z.output<typeof orderResult>;

/** What an order needs of an association. */
export type OrderConnection = Pick<MeterConnection, "get" | "getList" | "set" | "action">;

/** What the meter shows, held against the order. */
export interface Judgement {
  readonly state: "done" | "ready" | "differs";
  readonly evidence?: string | undefined;
}

/** One kind of order: what is looked at, how it is given, and what tells that it is done. */
export interface OrderKind<State> {
  /** Throws AccessRefusedError where the meter does not show it. */
  readonly look: (connection: OrderConnection) => Promise<State>;
  /** The meter's reason where it refuses. */
  readonly give: (connection: OrderConnection, before: State) => Promise<string | undefined>;
  readonly judge: (state: State) => Judgement;
  /** What was looked at, for people and for the log. */
  readonly shown: (state: State) => unknown;
  /** How long the meter may take after it has taken the order. */
  readonly patienceMs: number;
}

export interface OrderVisits {
  readonly visit: <T>(work: (connection: OrderConnection) => Promise<T>) => Promise<T>;
  readonly clock: Clock;
}

const FIRST_PAUSE_MS = 500;

/** How far an order is that the meter may have heard. */
interface Given<State> {
  before?: State;
  lost?: string;
}

/** Rejects with what kept the meter from being told. */
export async function carryOut<State>(kind: OrderKind<State>, { visit, clock }: OrderVisits): Promise<OrderResult> {
  const given: Given<State> = {};
  // Whoever makes the visit may call it once more on another association: the order is given on the first only.
  const work = (connection: OrderConnection) =>
    given.before === undefined ? give(kind, given, connection, clock) : see(kind, given.before, connection, clock);
  try {
    return withLoss(await visit(work), given);
  } catch (error) {
    if (given.before === undefined) throw error;
    given.lost ??= messageOf(error);
  }
  try {
    return withLoss(await visit(work), given);
  } catch {
    return withLoss({ state: "unknown", before: kind.shown(given.before), after: null, evidence: null }, given);
  }
}

async function give<State>(
  kind: OrderKind<State>,
  given: Given<State>,
  connection: OrderConnection,
  clock: Clock,
): Promise<OrderResult> {
  const before = await kind.look(connection);
  if (kind.judge(before).state === "done") return resultOf(kind, { state: "unchanged" }, before, before);
  given.before = before;
  try {
    const refusal = await kind.give(connection, before);
    if (refusal === undefined) return await see(kind, before, connection, clock);
    return resultOf(kind, { state: "refused", evidence: refusal }, before, await kind.look(connection));
  } catch (error) {
    given.lost = messageOf(error);
    throw error;
  }
}

/** What the order has come to, once that is what was ordered or the time for it is over. */
async function see<State>(
  kind: OrderKind<State>,
  before: State,
  connection: OrderConnection,
  clock: Clock,
): Promise<OrderResult> {
  const after = await lookUntilDone(kind, connection, clock);
  return resultOf(kind, kind.judge(after), before, after);
}

async function lookUntilDone<State>(kind: OrderKind<State>, connection: OrderConnection, clock: Clock): Promise<State> {
  const untilMs = clock.elapsed() + kind.patienceMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    const state = await kind.look(connection);
    const leftMs = untilMs - clock.elapsed();
    if (kind.judge(state).state !== "differs" || leftMs <= 0) return state;
    await sleep(clock, Math.min(pauseMs, leftMs));
  }
}

function withLoss(result: OrderResult, { lost }: Given<unknown>): OrderResult {
  if (lost === undefined) return result;
  const evidence = [result.evidence ?? [], `the connection was lost after the order: ${lost}`].flat().join("; ");
  return { ...result, evidence };
}

function resultOf<State>(
  kind: OrderKind<State>,
  { state, evidence }: { readonly state: OrderResult["state"]; readonly evidence?: string | undefined },
  before: State,
  after: State,
): OrderResult {
  return { state, before: kind.shown(before), after: kind.shown(after), evidence: evidence ?? null };
}
