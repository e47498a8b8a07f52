/** The page that Prometheus scrapes: of this process, and of those that work with it. */
import type { Metrics, OtherWorker } from "../../observe/metrics.ts";
import type { Api } from "../http-api.ts";
import { askForText } from "../local-client.ts";

/** Prometheus waits for ten seconds. */
const PATIENCE_MS = 3000;

export function metricsResources(api: Api, metrics: Pick<Metrics, "text">, others: readonly OtherWorker[]): void {
  api.get(
    "/metrics",
    { config: { needs: "nobody" }, schema: { tags: ["health"], summary: "Figures for Prometheus" } },
    async (_, reply) => {
      const { text, contentType } = await metrics.text();
      const pages = await Promise.all(others.map(textOf));
      return reply.type(contentType).send(onePage([text, ...pages]));
    },
  );
}

/** Nothing of a process that does not answer: its series end, and go on when it does. */
async function textOf({ socket }: OtherWorker): Promise<string> {
  try {
    return await askForText(socket, { path: "/metrics", signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    return "";
  }
}

/** A page names each metric once, with the series of all behind it. */
function onePage(pages: readonly string[]): string {
  const metrics = new Map<string, string[]>();
  for (const block of pages.flatMap((page) => page.split(/^(?=# HELP )/m))) {
    const [help = "", type = "", ...series] = block.split("\n").filter((line) => line !== "");
    if (help !== "") metrics.set(`${help}\n${type}`, [...(metrics.get(`${help}\n${type}`) ?? []), ...series]);
  }
  return [...metrics].map(([head, series]) => `${[head, ...series].join("\n")}\n`).join("\n");
}
