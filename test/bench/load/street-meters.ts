/** A process of its own: a simulated street. The parent sends how many houses, and hears of the meters in them. */
import { startStreet } from "../../../src/simulator/street.ts";

export interface StreetMetersOrder {
  readonly count: number;
}

if (process.send !== undefined) {
  process.once("message", async ({ count }: StreetMetersOrder) => {
    const street = await startStreet({ count });
    process.send?.({ meters: street.meters });
  });
  process.once("disconnect", () => process.exit());
}
