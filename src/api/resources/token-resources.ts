/** Who may ask: tokens for machines, and a cookie that holds one for browsers. */
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { ROLES, token, who } from "../answers/access.ts";
import { ApiError } from "../api-error.ts";
import { type Callers, SESSION_COOKIE } from "../callers.ts";
import { type Api, callerOf } from "../http-api.ts";
import type { ApiToken, ApiTokens } from "../tokens.ts";

const COOKIE_RULES = "HttpOnly; SameSite=Strict; Path=/";
const DAY_MS = 86_400_000;

export function tokenResources(api: Api, tokens: ApiTokens, callers: Pick<Callers, "forget">): void {
  api.get(
    "/v1/tokens",
    {
      config: { needs: "admin" },
      schema: {
        tags: ["access"],
        summary: "Tokens, newest first",
        response: { 200: z.object({ items: z.array(token) }) },
      },
    },
    async () => ({ items: (await tokens.list()).map(shown) }),
  );
  api.post(
    "/v1/tokens",
    {
      config: { needs: "admin" },
      schema: {
        tags: ["access"],
        summary: "Make a token; it is shown this once",
        body: z.strictObject({
          name: z.string().min(1).max(64),
          role: z.enum(ROLES),
          collections: z.array(z.string().max(64)).min(1).max(100).optional(),
          days: z.int().min(1).max(3650).default(365).describe("How long it is valid."),
        }),
        response: { 201: token.extend({ token: z.string() }) },
      },
    },
    async (request, reply) => {
      const { days, name, role, collections } = request.body;
      const expiresAt = new Date(Date.now() + days * DAY_MS);
      const order = { name, role, expiresAt, ...(collections !== undefined && { collections }) };
      const made = await tokens.create(order, callerOf(request).actor);
      return reply.status(201).send({ ...shown(made.token), token: made.text });
    },
  );
  api.delete(
    "/v1/tokens/:id",
    {
      config: { needs: "admin" },
      schema: { tags: ["access"], summary: "Revoke a token", params: z.object({ id: z.string().max(32) }) },
    },
    async (request, reply) => {
      const revoked = await tokens.revoke(request.params.id, callerOf(request).actor);
      callers.forget();
      if (!revoked) throw new ApiError("not-found", "there is no such valid token");
      return reply.status(204).send();
    },
  );
}

export function sessionResources(api: Api, callers: Pick<Callers, "ofToken">): void {
  api.get(
    "/v1/session",
    {
      config: { needs: "reader", scoped: true },
      schema: { tags: ["access"], summary: "Who you are to the gateway", response: { 200: who } },
    },
    async (request) => {
      const { actor, role, meterKeys } = callerOf(request);
      return { actor, role, limited: meterKeys !== undefined };
    },
  );
  api.post(
    "/v1/session",
    {
      config: { needs: "nobody" },
      schema: {
        tags: ["access"],
        summary: "Let this browser act with a token",
        body: z.strictObject({ token: z.string().max(128) }),
        response: { 200: who },
      },
    },
    async (request, reply) => {
      const caller = await callers.ofToken(request.body.token);
      if (caller === undefined)
        throw new ApiError("unauthorized", "the token is not valid: mistyped, expired or revoked");
      reply.header("set-cookie", sessionCookie(request, request.body.token));
      return { actor: caller.actor, role: caller.role, limited: caller.meterKeys !== undefined };
    },
  );
  api.delete(
    "/v1/session",
    { config: { needs: "nobody" }, schema: { tags: ["access"], summary: "Forget the token" } },
    async (request, reply) =>
      reply
        .header("set-cookie", `${sessionCookie(request, "")}; Max-Age=0`)
        .status(204)
        .send(),
  );
}

function sessionCookie({ protocol }: Pick<FastifyRequest, "protocol">, token: string): string {
  return `${SESSION_COOKIE}=${token}; ${COOKIE_RULES}${protocol === "https" ? "; Secure" : ""}`;
}

function shown({ collections, createdAt, expiresAt, revokedAt, ...rest }: ApiToken): z.output<typeof token> {
  return {
    ...rest,
    collections: collections === undefined ? null : [...collections],
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
  };
}
