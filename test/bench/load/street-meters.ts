/** A process of its own: a simulated street. The parent sends how many houses, and hears of the meters in them. */
import { startStreet } from "../../../src/simulator/street.ts";

export interface StreetMetersOrder {
  readonly count: number;
  /** Time from a request to its answer. */
  readonly latencyMs?: number;
}

if (process.send !== undefined) {
  process.once("message", async ({ count, latencyMs = 0 }: StreetMetersOrder) => {
    const street = await startStreet({ count, latencyMs });
    process.send?.({ meters: street.meters });
  });
  process.once("disconnect", () => process.exit());
}
