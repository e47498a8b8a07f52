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

/** Rejects with what kept the meter from being told. */
export async function carryOut<State>(kind: OrderKind<State>, { visit, clock }: OrderVisits): Promise<OrderResult> {
  const given: { before?: State } = {};
  try {
    return await visit(async (connection) => {
      const before = await kind.look(connection);
      if (kind.judge(before).state === "done") return resultOf(kind, { state: "unchanged" }, before, before);
      given.before = before;
      const refusal = await kind.give(connection, before);
      if (refusal !== undefined) {
        const after = await kind.look(connection);
        return resultOf(kind, { state: "refused", evidence: refusal }, before, after);
      }
      const after = await lookUntilDone(kind, connection, clock);
      return resultOf(kind, kind.judge(after), before, after);
    });
  } catch (error) {
    const { before } = given;
    if (before === undefined) throw error;
    return await lookAgain(kind, { visit, clock, before, lost: messageOf(error) });
  }
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

/** The meter may have heard the order: only another association tells. */
async function lookAgain<State>(
  kind: OrderKind<State>,
  { visit, clock, before, lost }: OrderVisits & { readonly before: State; readonly lost: string },
): Promise<OrderResult> {
  const evidence = `the connection was lost after the order: ${lost}`;
  try {
    const after = await visit((connection) => lookUntilDone(kind, connection, clock));
    const judged = kind.judge(after);
    return resultOf(kind, { ...judged, evidence: [judged.evidence ?? [], evidence].flat().join("; ") }, before, after);
  } catch {
    return { state: "unknown", before: kind.shown(before), after: null, evidence };
  }
}

function resultOf<State>(
  kind: OrderKind<State>,
  { state, evidence }: { readonly state: OrderResult["state"]; readonly evidence?: string | undefined },
  before: State,
  after: State,
): OrderResult {
  return { state, before: kind.shown(before), after: kind.shown(after), evidence: evidence ?? null };
}
