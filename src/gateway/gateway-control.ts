/** Orders to meters: carried out by the gateway that works the meter, in the lane that goes before all others. */
import { systemClock } from "../../drivers/clock.ts";
import { orderResult } from "../api/answers/orders.ts";
import type { Api } from "../api/http-api.ts";
import type { Collector } from "../collect/collector.ts";
import type { PolledMeter } from "../collect/polled-meter.ts";
import { executeOrder, type MeterOrder, meterOrderSchema } from "../control/meter-order.ts";
import type { OrderVisits } from "../control/order-execution.ts";
import { type OrderParts, orderResources } from "../control/order-resources.ts";
import type { SharedMeters } from "./shared-meters.ts";
import type { StartedFleet } from "./start-fleet.ts";
import { meterNamed } from "./stored-readings.ts";
import { workHere } from "./work-here.ts";

export interface GatewayControlParts extends Pick<OrderParts, "nameOf" | "log" | "onRequestEnded"> {
  readonly known: StartedFleet;
  readonly shared: SharedMeters;
  readonly collector: Collector;
}

/** The resources of the API for orders. */
export function gatewayControl({ known, shared, collector, ...orders }: GatewayControlParts): (api: Api) => void {
  const here = (meter: PolledMeter, order: MeterOrder) => {
    const visit: OrderVisits["visit"] = (work) =>
      workHere(shared.loop, meter, (visited) => collector.visits.visit(meter, work, visited), {
        lane: "control",
        what: order.type,
        onVisit: work,
      });
    return executeOrder(order, { target: meter.target, clock: systemClock, visit });
  };
  const ordered = shared.job({ kind: "order", order: meterOrderSchema, answer: orderResult, work: here });
  return (api) =>
    orderResources(api, { ...orders, give: async (name, order) => ordered(meterNamed(known.meters, name), order) });
}
