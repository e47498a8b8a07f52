/** A meter's clock is set: in the style in which the clock itself shows its time, or by a shift where it wants that. */
import { DATE_TIME_LENGTH, type Data } from "../../protocol/axdr/data.ts";
import { clockStampLike } from "../../protocol/cosem/clock-style.ts";
import { type ClockPolicy, decodeDateTime, formatDateTime, resolveDateTime } from "../../protocol/cosem/date-time.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { attributeOf, readValue } from "../collect/read/layout-reader.ts";
import { CLOCK_TIME } from "../collect/read/meter-clock.ts";
import { clockOf } from "../collect/read/meter-reader.ts";
import type { MeterTarget } from "../collect/session/meter-target.ts";
import { negotiated } from "../push/setups/setup-execution.ts";
import type { Judgement, OrderConnection, OrderKind } from "./order-execution.ts";

interface ClockState {
  readonly stamp: Uint8Array;
  readonly policy: ClockPolicy;
  /** Beyond what the way to the meter explains; undefined where the clock names no instant. */
  readonly aheadMs: number | undefined;
  /** How long the meter took to answer. */
  readonly wayMs: number;
}

const SHIFT_TIME = 6;
/** The most that the standard lets the clock be shifted by. */
const LONGEST_SHIFT_S = 900;
const SECOND_MS = 1000;
/** Meters show whole seconds. */
const EXACT_MS = 2 * SECOND_MS;

export function clockOrder(target: MeterTarget, nowMs: () => number): OrderKind<ClockState> {
  const shifts = target.quirks.has("clock-only-shifted");
  return {
    look: (connection) => look(connection, target, nowMs),
    give: async (connection, before) => {
      const result = await (shifts ? shift(connection, before) : set(connection, before, nowMs));
      return result === "success"
        ? undefined
        : `${result}; it was ${shifts ? "shifted" : "given a time in its own style"}`;
    },
    judge,
    shown: ({ stamp, aheadMs }) => ({
      clock: formatDateTime(decodeDateTime(stamp)),
      aheadS: aheadMs === undefined ? null : aheadMs / SECOND_MS,
    }),
    patienceMs: 0,
  };
}

async function look(connection: OrderConnection, target: MeterTarget, nowMs: () => number): Promise<ClockState> {
  const policy = await clockOf(connection, target, nowMs);
  const askedMs = nowMs();
  const data = await readValue(connection, attributeOf(CLOCK_TIME));
  const heardMs = nowMs();
  const stamp = "value" in data && data.value instanceof Uint8Array ? data.value : new Uint8Array(0);
  if (stamp.length !== DATE_TIME_LENGTH) throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { wanted: "date-time" });
  const instantMs = resolveDateTime(stamp, policy)?.instantMs;
  const aheadMs = instantMs && Math.max(0, instantMs - heardMs) + Math.min(0, instantMs - askedMs);
  return { stamp, policy, aheadMs, wayMs: heardMs - askedMs };
}

function set(connection: OrderConnection, { stamp, policy, wayMs }: ClockState, nowMs: () => number) {
  const value: Data = { type: "octet-string", value: clockStampLike(stamp, nowMs() + wayMs / 2, policy) };
  return negotiated(() => connection.set(attributeOf(CLOCK_TIME), value), "the association has not agreed on writing");
}

async function shift(connection: OrderConnection, { aheadMs = 0 }: ClockState): Promise<string> {
  const seconds = Math.round(-aheadMs / SECOND_MS);
  const value = Math.max(-LONGEST_SHIFT_S, Math.min(LONGEST_SHIFT_S, seconds));
  const { classId, logicalName } = attributeOf(CLOCK_TIME).attribute;
  const method = { classId, logicalName, methodId: SHIFT_TIME };
  const refused = { result: "the association has not agreed on methods" };
  return (await negotiated(() => connection.action(method, { type: "long", value }), refused)).result;
}

function judge({ aheadMs }: ClockState): Judgement {
  if (aheadMs === undefined) return { state: "differs", evidence: "the clock shows no time" };
  if (Math.abs(aheadMs) <= EXACT_MS) return { state: "done" };
  return { state: "differs", evidence: `the clock is ${(aheadMs / SECOND_MS).toFixed(1)} s ahead of ours` };
}
