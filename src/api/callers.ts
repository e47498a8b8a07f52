/** Who asks the HTTP API, found once for each request: by a token in the header, or in the cookie of a browser. */
import type { FastifyRequest } from "fastify";
import type { ApiToken, Role } from "./tokens.ts";

export interface Caller {
  /** Of nobody else, as names may be. */
  readonly id: string;
  /** Named in the log of changes. */
  readonly actor: string;
  readonly role: Role;
  /** Keys of the meters that exist for the caller; all when left out. */
  readonly meterKeys: ReadonlySet<number> | undefined;
  /** On this machine, by the socket. */
  readonly isLocal?: true;
}

export interface CallersOptions {
  readonly verify: (text: string) => Promise<ApiToken | undefined>;
  /** Keys of the meters of a collection; undefined when there is none of that name. */
  readonly collectionMeters: (name: string) => Promise<ReadonlySet<number> | undefined>;
  readonly now?: () => number;
}

export const SESSION_COOKIE = "dlms_gateway_token";

/** How long a token counts as good without being looked up: a revoked one may act as long. */
const REMEMBERED_MS = 10_000;
const MOST_REMEMBERED = 1000;
/** Nobody makes us look up what can't be a token. */
const MOST_TOKEN_CHARACTERS = 128;

interface Remembered {
  readonly caller: Promise<Caller | undefined>;
  readonly untilMs: number;
}

export class Callers {
  readonly #options: CallersOptions;
  readonly #now: () => number;
  readonly #remembered = new Map<string, Remembered>();

  constructor(options: CallersOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Whether to find out who asks costs a look into the database. */
  needsLookUp({ headers }: Pick<FastifyRequest, "headers">): boolean {
    const text = tokenIn(headers);
    return text !== undefined && (this.#remembered.get(text)?.untilMs ?? 0) <= this.#now();
  }

  /** Undefined when nobody is named, or nobody who may ask. Throws StoreError. */
  async of(request: Pick<FastifyRequest, "headers">): Promise<Caller | undefined> {
    const text = tokenIn(request.headers);
    return text === undefined ? undefined : this.ofToken(text);
  }

  async ofToken(text: string): Promise<Caller | undefined> {
    const nowMs = this.#now();
    const held = this.#remembered.get(text);
    if (held !== undefined && held.untilMs > nowMs) return held.caller;
    const caller = this.#find(text);
    this.#remembered.delete(text);
    this.#remembered.set(text, { caller, untilMs: nowMs + REMEMBERED_MS });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MOST_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
    caller.catch(() => this.#remembered.delete(text));
    return caller;
  }

  /** Everybody is looked up anew. */
  forget(): void {
    this.#remembered.clear();
  }

  async #find(text: string): Promise<Caller | undefined> {
    const token = await this.#options.verify(text);
    if (token === undefined) return undefined;
    const named = { id: `token ${token.id}`, actor: `token ${token.name}`, role: token.role };
    if (token.collections === undefined) return { ...named, meterKeys: undefined };
    const members = await Promise.all(token.collections.map((name) => this.#options.collectionMeters(name)));
    const meterKeys = members.reduce<ReadonlySet<number>>((all, keys) => all.union(keys ?? new Set()), new Set());
    return { ...named, meterKeys };
  }
}

function tokenIn(headers: FastifyRequest["headers"]): string | undefined {
  const text = bearerOf(headers.authorization) ?? cookieOf(headers.cookie, SESSION_COOKIE);
  return text === undefined || text.length > MOST_TOKEN_CHARACTERS ? undefined : text;
}

function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer (?<token>\S+)$/i.exec(header ?? "")?.groups?.["token"];
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name) return value;
  }
  return undefined;
}
