/** The gaps of many meters, some hundred at a time, so that a fleet's report needs no more memory than theirs. */
import { eventMeaning } from "../../../protocol/cosem/companion/event-meaning.ts";
import type { GapOrder, GapRow } from "../../api/gap-order.ts";
import type { ProfileKind } from "../../profiles/batch.ts";
import type { FleetLedger, LedgerOfMeter } from "../../store/ledger/fleet-ledger.ts";
import { SLOTTED_PROFILES } from "../../store/profiles/profile-tables.ts";
import type { MeterPlans } from "../plan/meter-plans.ts";
import type { PolledMeter } from "../polled-meter.ts";
import { GAP_STATES, type Gap, gapsOf, outagesOf, type PowerEvent } from "./slot-states.ts";

const METERS_AT_ONCE = 200;
const DAY_MS = 86_400_000;
const SLOTTED: ReadonlySet<ProfileKind> = new Set(SLOTTED_PROFILES);

export interface GapSource {
  readonly ledger: FleetLedger;
  readonly plans: MeterPlans;
}

export async function* reportGaps(
  { ledger, plans }: GapSource,
  meters: readonly PolledMeter[],
  order: GapOrder,
): AsyncGenerator<GapRow> {
  await ledger.settle();
  for (let at = 0; at < meters.length; at += METERS_AT_ONCE) {
    const some = meters.slice(at, at + METERS_AT_ONCE);
    const records = await ledger.load(some, order);
    for (const meter of some) {
      const record = records.get(meter.meterKey);
      if (record !== undefined) yield* rowsOf({ meter, record, plans }, order);
    }
  }
}

interface MeterGaps {
  readonly meter: PolledMeter;
  readonly record: LedgerOfMeter;
  readonly plans: MeterPlans;
}

function* rowsOf({ meter, record, plans }: MeterGaps, order: GapOrder): Generator<GapRow> {
  const { zone, billingDay, companion } = meter.target;
  const nowMs = Date.now();
  const calendar = { zone, ...(billingDay !== undefined && { billingDay }) };
  const events = record.events.flatMap(({ log, code, atMs }): PowerEvent[] => {
    const meaning = eventMeaning(companion, log, code);
    return meaning?.condition === "power failure" ? [{ atMs, isOff: meaning.kind === "occurrence" }] : [];
  });
  const gaps = gapsOf(
    { calendar, ...record },
    {
      fromMs: order.fromMs,
      toMs: order.toMs,
      nowMs,
      deadlineMs: (profile) => plans.deadlineMs(meter, profile) ?? DAY_MS,
      outages: outagesOf(events, nowMs),
    },
  );
  for (const gap of [...gaps, ...unread(meter, record, { order, plans })]) {
    if (order.profiles?.some((profile) => profile === gap.profile) === false) continue;
    if (order.states?.includes(gap.state) === false) continue;
    yield rowOf(meter, gap, record);
  }
}

/** Profiles with a plan of which the meter has not given a single row. */
function unread(
  meter: PolledMeter,
  { memories }: LedgerOfMeter,
  { order, plans }: { order: GapOrder; plans: MeterPlans },
): Gap[] {
  return plans
    .of(meter)
    .flatMap(({ profile }) => (profile === "events" ? [] : profile))
    .filter((profile) => SLOTTED.has(profile) && !memories.some((memory) => memory.profile === profile))
    .map((profile) => ({
      profile,
      state: "unread" as const,
      slots: 0,
      intervalS: 0,
      fromMs: order.fromMs,
      toMs: order.toMs,
    }));
}

function rowOf({ target }: PolledMeter, gap: Gap, { lastFailure }: LedgerOfMeter): GapRow {
  const { why, willCome } = GAP_STATES[gap.state];
  const isWaiting = gap.state === "late" || gap.state === "unread";
  const failure = isWaiting ? lastFailure : undefined;
  return {
    meter: target.name,
    meterNumber: target.number,
    profile: gap.profile,
    from: new Date(gap.fromMs).toISOString(),
    to: new Date(gap.toMs).toISOString(),
    slots: gap.slots,
    state: gap.state,
    why: failure === undefined ? why : `${why}: ${failure.cause}`,
    willCome,
    nextStep: failure?.nextStep ?? null,
  };
}
