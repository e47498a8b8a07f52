/** Changes of meters' keys: wires the key store to the visits that tell and prove them. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Collector } from "../collect/collector.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import type { Config } from "../config/schema.ts";
import { type KeyChange, KeyChanges } from "../keys/key-change.ts";
import { KeyError } from "../keys/key-error.ts";
import { certificateOrderSchema, type KeyOrders, keyOrderSchema, type MeterKeyOrder } from "../keys/key-resources.ts";
import { type CertificateAnswer, type CertificateOrder, workCertificates } from "../keys/meter-certificates.ts";
import { MeterSecuritySetup } from "../keys/meter-security-setup.ts";
import { sealingKeysOf } from "../keys/stored-keys.ts";
import type { SharedMeters } from "./shared-meters.ts";
import type { StartedFleet } from "./start-fleet.ts";
import { meterNamed } from "./stored-readings.ts";
import { workHere } from "./work-here.ts";

export interface GatewayKeysParts {
  readonly known: StartedFleet;
  readonly shared: SharedMeters;
  readonly collector: Collector;
}

/** What another gateway of this version made. */
const changesSchema = z.custom<readonly KeyChange[]>((value) => Array.isArray(value));
const answerSchema = z.custom<CertificateAnswer>((value) => {
  return typeof value === "object" && value !== null && "certificates" in value;
});

/** The store seals and opens with what the configuration says now. Rejects where a store would have to be opened or closed. */
export async function takeSealingKeys(
  { keys }: Pick<Config, "keys">,
  known: Pick<StartedFleet, "keys" | "record">,
): Promise<void> {
  const sealingKeys = await sealingKeysOf(keys);
  if (known.keys === undefined || sealingKeys === undefined) {
    throw new Error("the key store is opened and closed by a new start only");
  }
  known.keys.takeSealingKeys(sealingKeys);
  // The keys on record may have been sealed anew.
  known.record.renew();
}

/** Carries out orders for meters of this gateway, whoever has them, and passes the others on. */
export function gatewayKeys({ known, shared, collector }: GatewayKeysParts): Omit<KeyOrders, "nameOf"> {
  const changed = (meter: PolledMeter, order: MeterKeyOrder) => {
    const change = async () => {
      if (known.keys === undefined) throw new KeyError("KEY_STORE_CLOSED");
      const changes = new KeyChanges({
        store: known.keys,
        randomOctets: (length) => new Uint8Array(randomBytes(length)),
        visit: (target, work) => collector.visits.visit({ ...meter, target }, work),
      });
      try {
        return await (order.type === "change" ? changes.change(meter, order) : changes.settle(meter));
      } finally {
        // A key that is only pending may be the one that the meter has.
        known.record.renew();
      }
    };
    // One job: no poll comes between telling and proof.
    return workHere(shared.loop, meter, change, { lane: "on_demand", what: "keys" });
  };
  const worked = (meter: PolledMeter, order: CertificateOrder) => {
    const work = () =>
      collector.visits.visit(meter, async (connection) =>
        workCertificates(await MeterSecuritySetup.find(connection), order),
      );
    return workHere(shared.loop, meter, work, { lane: "on_demand", what: "certificates" });
  };
  const change = shared.job({ kind: "keys", order: keyOrderSchema, answer: changesSchema, work: changed });
  const work = shared.job<CertificateOrder, CertificateAnswer>({
    kind: "certificates",
    order: certificateOrderSchema,
    answer: answerSchema,
    work: worked,
  });
  return {
    carryOut: async (name, order) => change(meterNamed(known.meters, name), order),
    certificates: async (name, order) => work(meterNamed(known.meters, name), order),
  };
}
