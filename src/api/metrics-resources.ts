/** The page that Prometheus scrapes. */
import type { Metrics } from "../observe/metrics.ts";
import type { Api } from "./http-api.ts";

export function metricsResources(api: Api, metrics: Pick<Metrics, "text">): void {
  api.get(
    "/metrics",
    { config: { needs: "nobody" }, schema: { tags: ["health"], summary: "Figures for Prometheus" } },
    async (_, reply) => {
      const { text, contentType } = await metrics.text();
      return reply.type(contentType).send(text);
    },
  );
}
