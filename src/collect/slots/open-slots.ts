/** Which rows to ask a meter for: those of the slots that its ledger says are open. */
import type { ProfileKind, ReadingKind } from "../../profiles/batch.ts";
import { SLOTTED_PROFILES } from "../../store/profiles/profile-tables.ts";
import type { CollectorStore } from "../keeping/collector-store.ts";
import type { PolledMeter } from "../polled-meter.ts";
import type { WantedRows } from "../read/meter-poller.ts";
import { MeterLedger } from "./meter-ledger.ts";
import { type ChosenSlots, chooseSlots, firstLossMs, layoutIntervalS, type ReadingOrder } from "./profile-slots.ts";

/** How a profile of a meter is to be read. */
export interface ReadingRule {
  /** How far back a profile is read of which nothing is held. */
  readonly historyMs: number;
  readonly order: ReadingOrder;
}

export type RuleOf = (meter: PolledMeter, reading: ReadingKind) => ReadingRule | undefined;

export type OpenRows = WantedRows & Partial<Pick<ChosenSlots, "open" | "left">>;

const DAY_MS = 86_400_000;
const DEFAULT_RULE: ReadingRule = { historyMs: DAY_MS, order: "oldest-first" };
/** Of a profile without slots: read again with each poll, for rows that came late. */
const OVERLAP_MS = 3_600_000;

export interface OpenSlotsOptions {
  readonly store: Pick<CollectorStore, "loadLedger" | "newestCaptures">;
  readonly ruleOf: RuleOf;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

export class OpenSlots {
  readonly #options: OpenSlotsOptions;

  constructor(options: OpenSlotsOptions) {
    this.#options = options;
  }

  ruleOf(meter: PolledMeter, reading: ReadingKind): ReadingRule {
    return this.#options.ruleOf(meter, reading) ?? DEFAULT_RULE;
  }

  /** Which rows the ledger says to ask for. */
  async rowsOf(meter: PolledMeter, profiles: readonly ProfileKind[]): Promise<Map<ProfileKind, OpenRows>> {
    const meterLedger = await this.#ledgerOf(meter);
    const nowMs = this.#options.nowMs();
    const wanted = new Map<ProfileKind, OpenRows>();
    for (const profile of profiles) {
      const { historyMs, order } = this.ruleOf(meter, profile);
      meterLedger.forgetOverwritten(profile);
      const ledger = meterLedger.of(profile);
      if (ledger === undefined) {
        wanted.set(profile, { type: "since", fromMs: await this.#sinceMs(meter, profile, nowMs - historyMs) });
        continue;
      }
      const chosen = chooseSlots(ledger, { nowMs, order });
      wanted.set(profile, chosen.open === 0 ? { type: "nothing" } : { type: "slots", ledger, ...chosen });
    }
    return wanted;
  }

  /** Profiles that another visit should go on with: slots are left, and this visit has settled some. */
  moreOf(meter: PolledMeter, wanted: ReadonlyMap<ProfileKind, OpenRows>): ProfileKind[] {
    return Array.from(wanted)
      .filter(([profile, { left = 0, open = 0 }]) => {
        const ledger = meter.ledger?.of(profile);
        if (left === 0 || ledger === undefined) return false;
        return chooseSlots(ledger, { nowMs: this.#options.nowMs(), order: "oldest-first" }).open < open;
      })
      .map(([profile]) => profile);
  }

  /** When the meter overwrites the first slot that is open, as far as that is known. */
  firstLossMs({ ledger }: PolledMeter): number | undefined {
    const nowMs = this.#options.nowMs();
    const losses = SLOTTED_PROFILES.flatMap((profile) => {
      const known = ledger?.of(profile);
      return (known && firstLossMs(known, nowMs)) ?? [];
    });
    return losses.length === 0 ? undefined : Math.min(...losses);
  }

  async #ledgerOf(meter: PolledMeter): Promise<MeterLedger> {
    if (meter.ledger !== undefined && meter.ledgerIsProvisional !== true) return meter.ledger;
    const { zone, billingDay } = meter.target;
    const calendar = { zone, ...(billingDay !== undefined && { billingDay }) };
    const stored = await this.#options.store.loadLedger(meter.meterKey);
    if (stored !== undefined) meter.ledger = new MeterLedger(calendar, stored);
    meter.ledgerIsProvisional = stored === undefined;
    // What was read meanwhile may be asked for once more then: it does not become two rows.
    meter.ledger ??= new MeterLedger(calendar, { memories: [], pages: [] });
    return meter.ledger;
  }

  /**
   * For a profile whose slots are not known: as far back as the plan says, for what is held may have come by itself or on
   * demand; for one that has none, from the newest held row on.
   */
  async #sinceMs(meter: PolledMeter, profile: ProfileKind, historyFromMs: number): Promise<number> {
    const layout = meter.target.layouts.get(profile);
    const hasNoSlots = layout !== undefined && layoutIntervalS(profile, layout) === undefined;
    if (profile === "instant" || !hasNoSlots) return historyFromMs;
    const held = (await this.#options.store.newestCaptures(meter.meterKey))?.[profile];
    return held === undefined ? historyFromMs : held - OVERLAP_MS;
  }
}
