/** Pushes that should come. */
import { z } from "zod";
import { expectedPush } from "../../api/answers/pushes.ts";
import type { Api } from "../../api/http-api.ts";
import { countPage, countPageQuery, pageOf } from "../../api/paging.ts";
import type { ExpectedPush } from "./silence-watch.ts";

export function silenceResources(api: Api, expected: () => Iterable<ExpectedPush>): void {
  api.get(
    "/v1/pushes/silence",
    {
      config: { needs: "reader" },
      schema: {
        tags: ["pushes"],
        summary: "Meters that should have pushed and did not",
        querystring: countPageQuery.extend({
          all: z.stringbool().default(false).describe("Those too whose pushes are not late."),
        }),
        response: { 200: pageOf(expectedPush) },
      },
    },
    async (request) => {
      const { all } = request.query;
      const wanted = Iterator.from(expected()).filter(({ silent }) => all || silent);
      const { items, next } = countPage(wanted, request.query);
      return { items: items.map(shown), next };
    },
  );
}

function shown({ meter, pushSetup, expectedMs, lastMs, silent }: ExpectedPush): z.output<typeof expectedPush> {
  const lastAt = lastMs === undefined ? null : new Date(lastMs).toISOString();
  const expectedAt = new Date(expectedMs).toISOString();
  return { meter: meter.target.name, pushSetup: pushSetup ?? null, silent, expectedAt, lastAt };
}
