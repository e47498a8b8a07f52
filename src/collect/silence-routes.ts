/** What the command line may ask about pushes that should come. */
import { z } from "zod";
import { type ControlRoute, controlRoute } from "../api/control-route.ts";
import type { SilenceWatch } from "./silence-watch.ts";

const form = z.strictObject({ all: z.boolean().default(false) });

export function silenceRoutes(watch: SilenceWatch): ReadonlyMap<string, ControlRoute> {
  return new Map([
    [
      "/v1/pushes/silence",
      controlRoute(form, async ({ all }) =>
        watch
          .expected()
          .filter(({ silent }) => all || silent)
          .map(({ meter, pushSetup, expectedMs, lastMs, silent }) => ({
            meter: meter.target.name,
            pushSetup,
            silent,
            expectedAt: new Date(expectedMs).toISOString(),
            lastAt: lastMs === undefined ? undefined : new Date(lastMs).toISOString(),
          })),
      ),
    ],
  ]);
}
