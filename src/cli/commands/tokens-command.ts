/** `tokens create | list | revoke`: who may ask the HTTP API. */
import { userInfo } from "node:os";
import { ROLES } from "../../api/answers/access.ts";
import { ApiTokens, type Role } from "../../api/tokens.ts";
import { nearestName } from "../../config/nearest-name.ts";
import type { Database } from "../../store/database/database.ts";
import { appendEventLog } from "../../store/records/event-log.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { type ListingOptions, printList, printOutcome, prose, timeText, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import type { DatabasePlace } from "./database-place.ts";
import { withDatabase } from "./gateway-database.ts";

export interface TokenCreateOptions extends DatabasePlace {
  readonly name: string;
  readonly role: string;
  readonly collection?: string[];
  readonly days: string;
  readonly json?: true;
}

const DAY_MS = 86_400_000;
const MOST_DAYS = 3650;
const COLUMNS = [...titled("id", "name", "role"), ...prose("meters", "made by"), ...titled("expires", "state")];

/** Prints a new token, which nobody can look up later. */
export async function tokensCreate(options: TokenCreateOptions, output: Output): Promise<ExitReason> {
  const { name, collection: collections } = options;
  const role = roleOf(options.role);
  const days = Number(options.days);
  if (role === undefined) {
    output.err(
      `tokens: no role ${options.role}; did you mean ${nearestName(options.role, ROLES) ?? ROLES.join(", ")}?`,
    );
    return "usage";
  }
  if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS) {
    output.err(`tokens: --days is a whole number from 1 to ${MOST_DAYS}`);
    return "usage";
  }
  const expiresAt = new Date(Date.now() + days * DAY_MS);
  const order = { name, role, expiresAt, ...(collections !== undefined && { collections }) };
  const { text, token } = await withDatabase(options, (database) => tokensOf(database).create(order, actor()));
  if (options.json === true) {
    output.out(JSON.stringify({ id: token.id, name, role, collections: collections ?? null, expiresAt, token: text }));
  } else {
    output.out(text);
    output.err(`shown this once; it is valid until ${timeText(expiresAt.toISOString())} and may act as ${role}`);
  }
  return "success";
}

export async function tokensList(options: DatabasePlace & ListingOptions, output: Output): Promise<ExitReason> {
  const tokens = await withDatabase(options, (database) => tokensOf(database).list());
  const nowMs = Date.now();
  const rows = tokens.map((token) => [
    token.id,
    token.name,
    token.role,
    token.collections?.join(", ") ?? "all",
    token.createdBy,
    token.expiresAt,
    token.revokedAt !== undefined ? "revoked" : token.expiresAt.getTime() < nowMs ? "expired" : "valid",
  ]);
  printList(output, options, { columns: COLUMNS, rows, empty: "there are no tokens: tokens create makes one" });
  return "success";
}

export async function tokensRevoke(
  id: string,
  options: DatabasePlace & ListingOptions,
  output: Output,
): Promise<ExitReason> {
  const revoked = await withDatabase(options, (database) => tokensOf(database).revoke(id, actor()));
  if (!revoked) throw new Error(`there is no valid token ${id}; see tokens list`);
  printOutcome(output, options, { revoked: id }, `${id} is revoked; a running gateway forgets it within ten seconds`);
  return "success";
}

function tokensOf(database: Database): ApiTokens {
  return new ApiTokens(database, (entries) => appendEventLog(database, entries));
}

function roleOf(text: string): Role | undefined {
  return ROLES.find((role) => role === text);
}

function actor(): string {
  return `user ${userInfo().username}`;
}
