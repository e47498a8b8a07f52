/** Changes of meters' keys: wires the key store to the visits that tell and prove them. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { ReadRefusedError } from "../api/read-answer.ts";
import type { Collector, PolledMeter } from "../collect/collector.ts";
import { causeOf } from "../collect/failure-cause.ts";
import { type KeyChange, KeyChanges } from "../keys/key-change.ts";
import { KeyError } from "../keys/key-error.ts";
import { type KeyOrders, keyOrderSchema, type MeterKeyOrder } from "../keys/key-resources.ts";
import type { SharedMeters } from "./shared-meters.ts";
import type { KnownFleet } from "./start-fleet.ts";

export interface GatewayKeysParts {
  readonly known: KnownFleet;
  readonly shared: SharedMeters;
  readonly collector: Collector;
}

const JOB = "keys";
/** What another gateway of this version made. */
const resultSchema = z.custom<readonly KeyChange[]>((value) => Array.isArray(value));

/** Carries out orders for meters of this gateway, whoever has them, and passes the others on. */
export function gatewayKeys({ known, shared, collector }: GatewayKeysParts): Pick<KeyOrders, "carryOut"> {
  const here = async (meter: PolledMeter, order: MeterKeyOrder): Promise<readonly KeyChange[]> => {
    try {
      if (known.keys === undefined) throw new KeyError("KEY_STORE_CLOSED");
      const changes = new KeyChanges({
        store: known.keys,
        randomOctets: (length) => new Uint8Array(randomBytes(length)),
        visit: (target, work) => collector.visit({ ...meter, target }, work),
      });
      // One job: no poll comes between telling and proof.
      return await shared.loop.readNow(meter, () =>
        order.type === "change" ? changes.change(meter, order) : changes.settle(meter),
      );
    } catch (cause) {
      const failure = causeOf(cause);
      throw new ReadRefusedError({ ...failure, meter: meter.target.name }, { cause });
    }
  };
  shared.handle(JOB, (meter, order) => here(meter, keyOrderSchema.parse(order)));
  return {
    carryOut: async (name, order) => {
      const meter = known.meters.get(name);
      if (meter === undefined) throw new Error(`the configuration has no meter ${name}`);
      if (!shared.isElsewhere(meter)) return await here(meter, order);
      return resultSchema.parse(await shared.elsewhere(meter, { kind: JOB, what: order }));
    },
  };
}
