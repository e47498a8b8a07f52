/**
 * What receiving pushes has to know of a meter is found out while the meter is on the line for something else: its
 * system title, what its push setups send, and in which scalers and units. Asked once for each firmware, and again when
 * a push does not fit; what is known is kept in the database.
 */
import type { SystemTitle } from "../../../protocol/security/system-title.ts";
import type { AttributeSource } from "../../collect/session/attribute-source.ts";
import type { MeterTarget } from "../../collect/session/meter-target.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import type { StoredPushSetup } from "../../store/push/push-setups.ts";
import {
  layoutText,
  type PushLayout,
  type PushLayoutVersion,
  type PushLists,
  SharedLayouts,
} from "../receive/push-layouts.ts";
import { readFirmware, readPushSetups } from "../setups/setup-reader.ts";
import type { FleetSenders, KnownMeter } from "./fleet-senders.ts";

/** A meter on the line. */
export interface AssociatedMeter extends AttributeSource {
  readonly agreement: { readonly serverSystemTitle: SystemTitle | undefined } | undefined;
}

export interface SenderLearningOptions {
  readonly fleet: Pick<Fleet, "byKey" | "learnSystemTitle">;
  readonly senders: FleetSenders;
  readonly readLayout: (source: AttributeSource, target: MeterTarget, lists: PushLists) => Promise<PushLayout>;
  readonly keep: (
    meterId: string,
    setups: readonly StoredPushSetup[],
    version: PushLayoutVersion | undefined,
  ) => Promise<void>;
  /** Something new may be known of a meter's pushes: those that are held may be understood now. */
  readonly onLearned?: (meterId: string) => void;
}

/** A meter whose pushes fit nothing that it says of them is asked no more often. */
const DOUBTED_AGAIN_MS = 3_600_000;

export class SenderLearning {
  readonly #options: SenderLearningOptions;
  /** Meters that were asked in this run of the gateway. */
  readonly #learned = new Set<number>();
  /** When a meter was asked last because a push did not fit. */
  readonly #doubtedMs = new Map<number, number>();
  readonly #layouts = new SharedLayouts();

  constructor(options: SenderLearningOptions) {
    this.#options = options;
  }

  /** Asks anew: what was known of the meter's setups may no longer hold. Throws as `learn` does. */
  learnAgain(meter: KnownMeter, connection: AssociatedMeter): Promise<void> {
    return this.#ask(meter, connection, true);
  }

  /** Asks what is not known yet. Throws what the association and the store throw; the next visit asks again then. */
  async learn(meter: KnownMeter, connection: AssociatedMeter): Promise<void> {
    const { meterKey } = meter;
    const isDoubted = this.#options.senders.doubtsOf(meterKey).size > 0 && this.#mayDoubt(meterKey);
    if (this.#learned.has(meterKey) && !isDoubted) return;
    await this.#ask(meter, connection, isDoubted);
    if (isDoubted) this.#doubtedMs.set(meterKey, performance.now());
  }

  #mayDoubt(meterKey: number): boolean {
    const doubtedMs = this.#doubtedMs.get(meterKey);
    return doubtedMs === undefined || performance.now() - doubtedMs >= DOUBTED_AGAIN_MS;
  }

  async #ask({ meterKey, target }: KnownMeter, meter: AssociatedMeter, anew: boolean): Promise<void> {
    const { fleet, senders, readLayout, keep, onLearned } = this.#options;
    const member = fleet.byKey(meterKey);
    if (member === undefined) return;
    const title = meter.agreement?.serverSystemTitle;
    const isToldTitle = title !== undefined && target.association.security?.serverSystemTitle === undefined;
    let isNews = isToldTitle && (await fleet.learnSystemTitle(member, title));
    const known = senders.layoutsOf(meterKey);
    const last = known.at(-1);
    const firmware = await readFirmware(meter);
    if (anew || last === undefined || firmware === undefined || last.firmware !== firmware) {
      const doubted = senders.doubtsOf(meterKey);
      const setups = await readPushSetups(meter, target.companion, [...doubted, ...(last?.layout.lists.keys() ?? [])]);
      const lists = new Map(setups.map(({ logicalName, objects }) => [logicalName, objects]));
      const layout = this.#layouts.share(await readLayout(meter, target, lists));
      const version = { layout, firmware, readAt: new Date() };
      const isNew = last === undefined ? lists.size > 0 : !isSame(version, last);
      await keep(member.id, setups, isNew ? version : undefined);
      senders.learnLayouts(meterKey, isNew ? [...known, version] : known);
      isNews ||= isNew || anew;
    }
    if (isNews) onLearned?.(member.id);
    this.#learned.add(meterKey);
  }
}

function isSame(a: PushLayoutVersion, b: PushLayoutVersion): boolean {
  return a.firmware === b.firmware && layoutText(a.layout) === layoutText(b.layout);
}
