/** Whether the gateway lives, and whether what it depends on does. */
import { z } from "zod";
import type { Api } from "../http-api.ts";

const health = z.object({
  ok: z.boolean(),
  version: z.string(),
  dependencies: z.array(z.object({ name: z.string(), ok: z.boolean(), says: z.string() })),
});

export interface HealthParts {
  readonly version: string;
  /** Each looks at one dependency; a rejection means that it is ill, and is not told: anybody may ask. */
  readonly checks: Readonly<Record<string, () => Promise<DependencyHealth>>>;
}

export interface DependencyHealth {
  readonly ok: boolean;
  readonly says: string;
}

/** A dependency that takes longer counts as ill. */
const PATIENCE_MS = 2000;

export function healthResources(api: Api, { version, checks }: HealthParts): void {
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
      const dependencies = await Promise.all(Object.entries(checks).map(([name, check]) => checked(name, check)));
      const ok = dependencies.every((each) => each.ok);
      return reply.status(ok ? 200 : 503).send({ ok, version, dependencies });
    },
  );
}

async function checked(name: string, check: () => Promise<DependencyHealth>) {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  try {
    return { name, ...(await Promise.race([check(), late])) };
  } catch {
    return { name, ok: false, says: "it does not answer; the log says why" };
  } finally {
    clearTimeout(timer);
  }
}
