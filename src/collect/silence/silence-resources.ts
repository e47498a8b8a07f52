/** Pushes that should come. */
import { z } from "zod";
import { expectedPush } from "../../api/answers/pushes.ts";
import { type Api } from "../../api/http-api.ts";
import type { SilenceWatch } from "./silence-watch.ts";

export function silenceResources(api: Api, expected: SilenceWatch["expected"]): void {
  api.get(
    "/v1/pushes/silence",
    {
      config: { needs: "reader" },
      schema: {
        tags: ["pushes"],
        summary: "Meters that should have pushed and did not",
        querystring: z.object({ all: z.stringbool().default(false).describe("Those too whose pushes are not late.") }),
        response: { 200: z.object({ items: z.array(expectedPush) }) },
      },
    },
    async (request) => {
      const { all } = request.query;
      const items = expected()
        .filter(({ silent }) => all || silent)
        .map(({ meter, pushSetup, expectedMs, lastMs, silent }) => ({
          meter: meter.target.name,
          pushSetup: pushSetup ?? null,
          silent,
          expectedAt: new Date(expectedMs).toISOString(),
          lastAt: lastMs === undefined ? null : new Date(lastMs).toISOString(),
        }));
      return { items };
    },
  );
}
