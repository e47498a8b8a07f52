/** Changes of meters' keys: wires the key store to the visits that tell and prove them. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Collector } from "../collect/collector.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import { type KeyChange, KeyChanges } from "../keys/key-change.ts";
import { KeyError } from "../keys/key-error.ts";
import { certificateOrderSchema, type KeyOrders, keyOrderSchema, type MeterKeyOrder } from "../keys/key-resources.ts";
import { type CertificateAnswer, type CertificateOrder, workCertificates } from "../keys/meter-certificates.ts";
import { MeterSecuritySetup } from "../keys/meter-security-setup.ts";
import type { SharedMeters } from "./shared-meters.ts";
import type { StartedFleet } from "./start-fleet.ts";
import { meterNamed } from "./stored-readings.ts";
import { workHere } from "./work-here.ts";

export interface GatewayKeysParts {
  readonly known: StartedFleet;
  readonly shared: SharedMeters;
  readonly collector: Collector;
}

const JOBS = { keys: "keys", certificates: "certificates" } as const;
/** What another gateway of this version made. */
const changesSchema = z.custom<readonly KeyChange[]>((value) => Array.isArray(value));
const answerSchema = z.custom<CertificateAnswer>((value) => {
  return typeof value === "object" && value !== null && "certificates" in value;
});

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
  shared.handle(JOBS.keys, (meter, order) => changed(meter, keyOrderSchema.parse(order)));
  shared.handle(JOBS.certificates, (meter, order) => worked(meter, certificateOrderSchema.parse(order)));
  return {
    carryOut: async (name, order) => {
      const meter = meterNamed(known.meters, name);
      if (!shared.isElsewhere(meter)) return await changed(meter, order);
      return changesSchema.parse(await shared.elsewhere(meter, { kind: JOBS.keys, what: order }));
    },
    certificates: async (name, order) => {
      const meter = meterNamed(known.meters, name);
      if (!shared.isElsewhere(meter)) return await worked(meter, order);
      return answerSchema.parse(await shared.elsewhere(meter, { kind: JOBS.certificates, what: order }));
    },
  };
}
