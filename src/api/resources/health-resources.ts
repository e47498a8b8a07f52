/** Whether the gateway lives, and whether what it depends on does. */
import type { OtherWorker } from "../../observe/metrics.ts";
import { health } from "../answers/health.ts";
import type { Api } from "../http-api.ts";
import { askForHealth } from "../local-client.ts";

export interface HealthParts {
  readonly version: string;
  /** Each looks at one dependency; a rejection means that it is ill, and is not told: anybody may ask. */
  readonly checks: Readonly<Record<string, () => Promise<DependencyHealth>>>;
  readonly others: readonly OtherWorker[];
}

export interface DependencyHealth {
  readonly ok: boolean;
  readonly says: string;
}

/** What takes longer counts as ill; a worker has to wait for its own dependencies. */
const PATIENCE_MS = { dependency: 2000, worker: 3000 };

export function healthResources(api: Api, { version, checks, others }: HealthParts): void {
  api.get(
    "/v1/health/live",
    { config: { needs: "nobody" }, schema: { tags: ["health"], summary: "Whether the process answers" } },
    async () => ({ ok: true }),
  );
  api.get(
    "/v1/health",
    {
      config: { needs: "nobody" },
      schema: { tags: ["health"], summary: "Whether all works", response: { 200: health, 503: health } },
    },
    async (_, reply) => {
      const own = Object.entries(checks).map(([name, check]) => healthOf(name, bounded(check())));
      const workers = others.map(({ worker, socket }) => healthOf(`worker ${worker}`, workerHealth(socket)));
      const dependencies = await Promise.all([...own, ...workers]);
      const ok = dependencies.every((each) => each.ok);
      return reply.status(ok ? 200 : 503).send({ ok, version, dependencies });
    },
  );
}

async function healthOf(name: string, health: Promise<DependencyHealth>) {
  return { name, ...(await health.catch(() => ({ ok: false, says: "it does not answer; the log says why" }))) };
}

async function bounded(health: Promise<DependencyHealth>): Promise<DependencyHealth> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("no answer in time")), PATIENCE_MS.dependency);
  try {
    return await Promise.race([health, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is ill of it, or what all that it depends on says. */
async function workerHealth(socket: string): Promise<DependencyHealth> {
  const { ok, dependencies } = await askForHealth(socket, AbortSignal.timeout(PATIENCE_MS.worker));
  const told = dependencies.filter((each) => ok || !each.ok);
  return { ok, says: told.map(({ name, says }) => `${name}: ${says}`).join("; ") };
}
