/** How a meter is reached and entered, for people and support: without secrets, but with whether there are any. */
import { z } from "zod";
import type { Caller } from "../api/callers.ts";
import { type Api, callerOf } from "../api/http-api.ts";
import { meterSecretReference } from "../config/fields.ts";
import type { FleetMeters } from "./fleet-meters.ts";
import { meterNamed } from "./stored-readings.ts";

type Setting = string | number | boolean;

export function meterSettingsResources(
  api: Api,
  { meters, nameOf }: { readonly meters: FleetMeters; readonly nameOf: (name: string, caller: Caller) => string },
): void {
  api.get(
    "/v1/meters/:meter/settings",
    {
      config: { needs: "engineer", scoped: true },
      schema: {
        tags: ["meters"],
        summary: "How a meter is reached and entered; of secrets only that there are some",
        params: z.object({ meter: z.string().min(1).max(128) }),
        response: { 200: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])) },
      },
    },
    async (request) => {
      const meter = meterNamed(meters, nameOf(request.params.meter, callerOf(request)));
      return Object.fromEntries(settingsOf(meters.configOf(meter) ?? {}));
    },
  );
}

/** By their paths in the configuration. */
function* settingsOf(value: object, before = ""): Generator<[string, Setting]> {
  for (const [name, each] of Object.entries(value)) {
    const path = `${before}${name}`;
    if (Array.isArray(each)) yield [path, each.join(" ")];
    else if (typeof each === "object" && each !== null) yield* settingsOf(each, `${path}.`);
    else if (typeof each === "string" && meterSecretReference.safeParse(each).success) yield [path, "given"];
    else if (["string", "number", "boolean"].includes(typeof each)) yield [path, each];
  }
}
