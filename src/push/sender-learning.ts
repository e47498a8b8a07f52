/**
 * What receiving pushes has to know of a meter is found out while the meter is on the line for something else: its
 * system title, and what its push setups send. Once for each run of the gateway; what is known is kept in the database.
 */
import type { SystemTitle } from "../../protocol/security/system-title.ts";
import type { AttributeSource } from "../collect/attribute-source.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { PushLists, StoredPushSetup } from "../store/push-setups.ts";
import type { FleetSenders, KnownMeter } from "./fleet-senders.ts";
import { readPushSetups } from "./setup-reader.ts";

/** A meter on the line. */
export interface AssociatedMeter extends AttributeSource {
  readonly agreement: { readonly serverSystemTitle: SystemTitle | undefined } | undefined;
}

export interface SenderLearningOptions {
  readonly fleet: Pick<Fleet, "byKey" | "learnSystemTitle">;
  readonly senders: FleetSenders;
  readonly keep: (meterId: string, setups: readonly StoredPushSetup[]) => Promise<void>;
}

export class SenderLearning {
  readonly #options: SenderLearningOptions;
  readonly #learned = new Set<number>();

  constructor(options: SenderLearningOptions) {
    this.#options = options;
  }

  /** Asks anew: what was known of the meter's setups may no longer hold. Throws as `learn` does. */
  learnAgain(meter: KnownMeter, connection: AssociatedMeter): Promise<void> {
    this.#learned.delete(meter.meterKey);
    return this.learn(meter, connection);
  }

  /** Asks what is not known yet. Throws what the association and the store throw; the next visit asks again then. */
  async learn({ meterKey, target }: KnownMeter, meter: AssociatedMeter): Promise<void> {
    const { fleet, senders, keep } = this.#options;
    const member = fleet.byKey(meterKey);
    if (member === undefined || this.#learned.has(meterKey)) return;
    const title = meter.agreement?.serverSystemTitle;
    if (title !== undefined && target.association.security?.serverSystemTitle === undefined) {
      await fleet.learnSystemTitle(member, title);
    }
    const setups = await readPushSetups(meter, target.companion);
    const lists = new Map(setups.map(({ logicalName, objects }) => [logicalName, objects]));
    if (!sameLists(lists, senders.pushListsOf(meterKey))) {
      await keep(member.id, setups);
      senders.learnPushLists(meterKey, lists);
    }
    this.#learned.add(meterKey);
  }
}

function sameLists(a: PushLists, b: PushLists | undefined): boolean {
  return (
    a.size === (b?.size ?? 0) && [...a].every(([name, list]) => JSON.stringify(list) === JSON.stringify(b?.get(name)))
  );
}
