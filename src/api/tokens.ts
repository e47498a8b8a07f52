/**
 * Tokens of the HTTP API: 32 random octets that are shown once, of which only the digest is kept. A digest without salt
 * is enough, because what it is made of can't be guessed.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Queryable } from "../store/database/database.ts";
import type { EventLogEntry } from "../store/records/event-log.ts";
import { ROLES } from "./answers/access.ts";

export type Role = (typeof ROLES)[number];

export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Names of the collections whose meters it is for; all meters when left out. */
  readonly collections: readonly string[] | undefined;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly expiresAt: Date;
  readonly revokedAt: Date | undefined;
}

export interface TokenOrder {
  readonly name: string;
  readonly role: Role;
  readonly collections?: readonly string[];
  readonly expiresAt: Date;
}

interface TokenRow {
  token_id: string;
  name: string;
  role: Role;
  collections: string[] | null;
  secret_digest: Uint8Array;
  created_at: Date;
  created_by: string;
  expires_at: Date;
  revoked_at: Date | null;
}

type Log = (entries: readonly EventLogEntry[]) => Promise<void>;

const TOKEN = /^dgw_(?<id>[a-z0-9]{10})_(?<secret>[A-Za-z0-9_-]{43})$/;
const ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const COLUMNS = "token_id, name, role, collections, secret_digest, created_at, created_by, expires_at, revoked_at";

/** Whether somebody of the first role may do what the second is needed for. */
export function mayAct(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

export class ApiTokens {
  readonly #database: Queryable;
  readonly #log: Log;

  /** `log` keeps what people change; a token is made or revoked only when that is kept. */
  constructor(database: Queryable, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** Makes a token; the text is shown to whoever asked and is known to nobody else afterwards. Throws StoreError. */
  async create(order: TokenOrder, actor: string): Promise<{ readonly text: string; readonly token: ApiToken }> {
    const id = Array.from(randomBytes(10), (octet) => ID_LETTERS[octet % ID_LETTERS.length]).join("");
    const secret = randomBytes(32).toString("base64url");
    await this.#log([
      changeOf({ event: "apiTokenCreated", message: "a token of the HTTP API was made", actor, after: order }, id),
    ]);
    const rows = await this.#database.query<TokenRow>(
      `insert into dlms.api_tokens (token_id, name, role, collections, secret_digest, created_by, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7) returning ${COLUMNS}`,
      [id, order.name, order.role, order.collections ?? null, digestOf(secret), actor, order.expiresAt],
    );
    const [row] = rows;
    if (row === undefined) throw new Error("the database returned no token");
    return { text: `dgw_${id}_${secret}`, token: tokenOf(row) };
  }

  /** Newest first. */
  async list(): Promise<readonly ApiToken[]> {
    const rows = await this.#database.query<TokenRow>(
      `select ${COLUMNS} from dlms.api_tokens order by created_at desc`,
    );
    return rows.map(tokenOf);
  }

  /** False when there is no such valid token. */
  async revoke(id: string, actor: string): Promise<boolean> {
    const isValid = (await this.list()).some((token) => token.id === id && token.revokedAt === undefined);
    if (!isValid) return false;
    await this.#log([
      changeOf({ event: "apiTokenRevoked", message: "a token of the HTTP API was revoked", actor }, id),
    ]);
    const rows = await this.#database.query(
      "update dlms.api_tokens set revoked_at = now() where token_id = $1 and revoked_at is null returning token_id",
      [id],
    );
    return rows.length > 0;
  }

  /** Whose token it is; undefined when it is none, has expired or was revoked. */
  async verify(text: string): Promise<ApiToken | undefined> {
    const { id, secret } = TOKEN.exec(text)?.groups ?? {};
    if (id === undefined || secret === undefined) return undefined;
    const rows = await this.#database.query<TokenRow>(
      `select ${COLUMNS} from dlms.api_tokens where token_id = $1 and revoked_at is null and expires_at > now()`,
      [id],
    );
    const [row] = rows;
    if (row === undefined || !timingSafeEqual(row.secret_digest, digestOf(secret))) return undefined;
    return tokenOf(row);
  }
}

function digestOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

function tokenOf(row: TokenRow): ApiToken {
  return {
    id: row.token_id,
    name: row.name,
    role: row.role,
    collections: row.collections ?? undefined,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at ?? undefined,
  };
}

function changeOf(change: Pick<EventLogEntry, "event" | "message" | "actor" | "after">, id: string): EventLogEntry {
  return { occurredAt: new Date(), level: "info", subject: `token ${id}`, ...change };
}
