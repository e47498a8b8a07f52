/**
 * The HTTP API: one schema for each resource checks what comes in, shapes what goes out and is the OpenAPI document.
 * Every route says which role it needs; a route that does not is refused at the start.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  type RawServerDefault,
} from "fastify";
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from "fastify-type-provider-zod";
import type { EventLogEntry } from "../store/records/event-log.ts";
import { ApiError } from "./api-error.ts";
import type { Caller, Callers } from "./callers.ts";
import { ReadRefusedError } from "./read-answer.ts";
import { mayAct, type Role } from "./tokens.ts";

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may ask; `nobody` for what everybody may see. */
    readonly needs?: Role | "nobody";
    /** Heeds which meters the caller may see; without it the route is for those who may see all. */
    readonly scoped?: true;
    /** Of a resource that changes something: the event, and what it says in the log of changes. */
    readonly change?: { readonly event: string; readonly message: string };
  }
  interface FastifyInstance {
    /** Hears of failures that are ours. */
    readonly onFault: (error: unknown) => void;
  }
  interface FastifyRequest {
    caller: Caller | undefined;
    /** Whoever asked, as things stand now: undefined when the token has been revoked or is over. */
    callerNow: () => Promise<Caller | undefined>;
  }
}

export interface HttpApiOptions {
  readonly version: string;
  readonly callers: Pick<Callers, "of" | "needsLookUp">;
  /** Knows who comes over the local socket. */
  readonly local: { callerOf(request: Pick<IncomingMessage, "socket" | "headers">): Caller | undefined };
  /** Keeps who changes what, before it is changed. */
  readonly log: (entry: EventLogEntry) => Promise<void>;
  /** Most requests of one token, or of one address without one, in a minute. */
  readonly requestsPerMinute: number;
  /** Certificate chain and key as PEM; without it answers go in the clear. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Whether requests come through a proxy, which tells where they came from and whether over HTTPS. */
  readonly behindProxy: boolean;
  /** Hears of failures that are ours. */
  readonly onFault: (error: unknown) => void;
}

const MAX_BODY_OCTETS = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const MINUTE_MS = 60_000;
/** What a browser must not do with our answers. */
const HEADERS = {
  "content-security-policy":
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** An API without resources yet; they are added before it listens. */
export async function httpApi(options: HttpApiOptions): Promise<Api> {
  const api: Api = fastify({
    https: options.tls ?? null,
    bodyLimit: MAX_BODY_OCTETS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    // The proxy's own word alone: what stands before it in the header is the client's.
    trustProxy: (_, hop) => options.behindProxy && hop === 0,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 128 },
  }).withTypeProvider<ZodTypeProvider>();
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  api.decorateRequest("caller", undefined);
  api.decorateRequest("callerNow", async function () {
    return options.local.callerOf(this.raw) ?? (await options.callers.of(this));
  });
  api.decorate("onFault", options.onFault);
  answerFaults(api, options.onFault);
  api.addHook("onRoute", ({ url, config }) => {
    if (config?.needs === undefined) throw new Error(`the route ${url} does not say who may ask`);
  });
  await limitRates(api, options);
  api.addHook("preParsing", async (request) => refuseStrangers(request));
  api.addHook("preHandler", (request) => logChange(request, options.log));
  api.addHook("onSend", async (_, reply) => void reply.headers(HEADERS));
  await api.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "dlms-gateway",
        version: options.version,
        description: "Meters, their readings and their gaps; reads on demand; pushes; and what the gateway does.",
      },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  });
  api.get("/openapi.json", { config: { needs: "nobody" }, schema: { hide: true } }, async () => api.swagger());
  return api;
}

/** Requests are limited by whoever asks; before that is known, guesses at tokens by the address that they come from. */
async function limitRates(api: Api, { local, callers, requestsPerMinute: max }: HttpApiOptions): Promise<void> {
  await api.register(rateLimit, {
    max,
    timeWindow: MINUTE_MS,
    hook: "onRequest",
    allowList: (request) => request.caller?.isLocal === true,
    keyGenerator: (request) => request.caller?.id ?? request.ip,
    errorResponseBuilder: (_, { after }) => tooMany(after),
  });
  const guesses = api.createRateLimit({ max, timeWindow: MINUTE_MS, keyGenerator: ({ ip }) => `look-up ${ip}` });
  api.addHook("onRequest", async (request) => {
    request.caller = local.callerOf(request.raw);
    if (request.caller !== undefined) return;
    if (callers.needsLookUp(request)) {
      const limit = await guesses(request);
      if (!limit.isAllowed && limit.isExceeded) throw tooMany(`${limit.ttlInSeconds} s`);
    }
    request.caller = await callers.of(request);
  });
}

function tooMany(after: string): ApiError {
  return new ApiError("too-many-requests", `more than allowed; try again in ${after}`);
}

/** Whoever asked, behind a route that somebody is needed for. */
export function callerOf(request: Pick<FastifyRequest, "caller">): Caller {
  if (request.caller === undefined) throw new ApiError("unauthorized", "a token is needed");
  return request.caller;
}

function refuseStrangers(request: FastifyRequest): void {
  if (request.is404) return;
  const { needs = "admin", scoped } = request.routeOptions.config;
  if (needs === "nobody") return;
  const { role, meterKeys } = callerOf(request);
  if (!mayAct(role, needs)) throw new ApiError("forbidden", `needs a token of an ${needs}; this one is of a ${role}`);
  if (meterKeys !== undefined && !scoped) throw new ApiError("forbidden", "the token is for some meters only");
  if (request.method !== "GET" && isForeign(request)) {
    throw new ApiError("forbidden", "the request comes from a page of another site");
  }
}

/** Who wants to change what. */
async function logChange(request: FastifyRequest, log: HttpApiOptions["log"]): Promise<void> {
  const { change } = request.routeOptions.config;
  if (change === undefined) return;
  const { actor } = callerOf(request);
  const asked = { ...record(request.params), ...record(request.query), ...record(request.body) };
  const subject = asked["meter"] ?? asked["name"];
  await log({
    occurredAt: new Date(),
    level: "info",
    ...change,
    actor,
    ...(typeof subject === "string" && { subject }),
    after: asked,
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** A browser says which site's page it acts for. */
function isForeign({ headers }: FastifyRequest): boolean {
  return headers.origin !== undefined && URL.parse(headers.origin)?.host !== headers.host;
}

/** Failures as problem details (RFC 9457). */
function answerFaults(api: Api, onFault: (error: unknown) => void): void {
  api.setNotFoundHandler(() => {
    throw new ApiError("not-found", "there is no such resource; /openapi.json lists all");
  });
  api.setErrorHandler((error, { caller }, reply) => {
    const problem = problemOf(error, caller?.isLocal === true);
    if (problem.status >= 500 && !(error instanceof ApiError)) onFault(error);
    return reply.status(problem.status).type("application/problem+json").send(JSON.stringify(problem));
  });
}

/** Whoever is on this machine may read the log anyway, and is told what it says. */
function problemOf(error: unknown, isLocal: boolean): ReturnType<ApiError["problem"]> {
  if (error instanceof ApiError) return error.problem();
  if (error instanceof ReadRefusedError) return new ApiError("conflict", error.message).problem();
  if (hasZodFastifySchemaValidationErrors(error)) {
    const says = error.validation.map(({ instancePath, message }) => `${instancePath.slice(1)}: ${message}`);
    return new ApiError("invalid", says.join("; ")).problem();
  }
  if (
    error instanceof Error &&
    "statusCode" in error &&
    typeof error.statusCode === "number" &&
    error.statusCode < 500
  ) {
    return new ApiError("invalid", error.message).problem();
  }
  const says = isLocal && error instanceof Error ? error.message : "the gateway failed at this; its log says why";
  return new ApiError("failed", says).problem();
}
