/**
 * The one connection over which a gateway shares meters with others: signs of life, blocks, and what others tell. A
 * statement that takes longer than others would wait for us ends the connection.
 */
import { Socket } from "node:net";
import { Client } from "pg";
import { z } from "zod";
import { failureCode } from "../store/database/failure.ts";
import type { Block } from "./block.ts";

const gatewaySchema = z.object({
  id: z.string(),
  name: z.string(),
  beat: z.number(),
  incarnation: z.number(),
  networks: z.array(z.string()),
  meters: z.number(),
  version: z.string(),
  silenceMs: z.number(),
  awayMs: z.number(),
  fleet: z.record(z.string(), z.string()),
  /** For what meters send by themselves. */
  listens: z.boolean(),
  /** Time since its last sign of life, by the database's clock. */
  ageMs: z.number(),
});
export type SharingGateway = z.output<typeof gatewaySchema>;

const renewalSchema = z.object({
  known: z.boolean(),
  gateways: z.array(gatewaySchema),
  /** Network, block, holder, epoch, change. */
  blocks: z.array(z.tuple([z.string(), z.number(), z.string().nullable(), z.number(), z.number()])),
});
export type Renewal = z.output<typeof renewalSchema>;

/** How a gateway presents itself. */
export interface Presence {
  readonly id: string;
  readonly name: string;
  readonly networks: readonly string[];
  readonly silenceMs: number;
  readonly awayMs: number;
  readonly version: string;
  readonly fleet: string;
  readonly listens: boolean;
}

/** A block as it was seen, and the beat at which its holder fell silent. */
export interface WantedBlock extends Block {
  readonly epoch: number;
  readonly beat: number | undefined;
}

/** The server says by these that it takes nobody now. */
const REFUSED = new Set(["ECONNREFUSED", "ENOENT", "57P03"]);

export interface ShareSessionOptions {
  readonly url: string;
  readonly timeoutMs: number;
  readonly channels: readonly string[];
  /** Hears of the end of the connection that nobody ordered. */
  readonly onLost: () => void;
  readonly onNotice: (channel: string, payload: string) => void;
}

export class ShareSession {
  readonly #client: Client;

  /** Connects and listens; rejects with the driver's error. */
  static async open(options: ShareSessionOptions): Promise<{ session: ShareSession; isDirect: boolean }> {
    const { url, timeoutMs, channels, onLost, onNotice } = options;
    const socket = new Socket();
    const client = new Client({
      connectionString: url,
      application_name: "dlms-gateway sharing",
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      keepAlive: true,
      stream: () => socket,
    });
    client.on("error", () => undefined);
    client.on("notification", ({ channel, payload = "" }) => onNotice(channel, payload));
    try {
      await client.connect();
      client.on("end", onLost);
      const { rows } = await client.query<{ host: string | null; port: number | null }>(
        "select host(inet_server_addr()) as host, inet_server_port() as port",
      );
      for (const channel of channels) await client.query(`listen ${channel}`);
      const [{ host, port } = { host: null, port: null }] = rows;
      // What is between us and the server could refuse us alone.
      const isDirect = host === null || (host === plain(socket.remoteAddress) && port === socket.remotePort);
      return { session: new ShareSession(client), isDirect };
    } catch (error) {
      void client.end().catch(() => undefined);
      throw error;
    }
  }

  private constructor(client: Client) {
    this.#client = client;
  }

  /** The number of this run. */
  async join(presence: Presence): Promise<number> {
    const { id, name, networks, silenceMs, awayMs, version, fleet, listens } = presence;
    const { rows } = await this.#client.query<{ run: number }>(
      `select dlms.join_gateways($1::uuid, $2::text, $3::text[], $4::int, $5::bigint, $6::text, $7::jsonb,
         $8::boolean)::float8 as run`,
      [id, name, networks, silenceMs, awayMs, version, fleet, listens],
    );
    return rows[0]?.run ?? 0;
  }

  /** The meters that a gateway knows are others from now on. */
  async know(id: string, networks: readonly string[], fleet: string): Promise<void> {
    await this.#client.query("select dlms.know_meters($1::uuid, $2::text[], $3::jsonb)", [id, networks, fleet]);
  }

  async tellListens(id: string, listens: boolean): Promise<void> {
    await this.#client.query("update dlms.gateways set listens = $2::boolean where gateway_id = $1::uuid", [
      id,
      listens,
    ]);
  }

  async renew(id: string, incarnation: number, told: { meters: number; seen: number }): Promise<Renewal> {
    const { rows } = await this.#client.query<{ renewal: unknown }>(
      "select dlms.renew_gateway($1::uuid, $2::bigint, $3::int, $4::bigint) as renewal",
      [id, incarnation, told.meters, told.seen],
    );
    return renewalSchema.parse(rows[0]?.renewal);
  }

  /** How many of the blocks were taken. */
  async take(id: string, incarnation: number, blocks: readonly WantedBlock[]): Promise<number> {
    const { rows } = await this.#client.query<{ taken: number }>(
      "select dlms.take_blocks($1::uuid, $2::bigint, $3::text[], $4::smallint[], $5::bigint[], $6::bigint[]) as taken",
      [
        id,
        incarnation,
        blocks.map((each) => each.network),
        blocks.map((each) => each.block),
        blocks.map((each) => each.epoch),
        blocks.map((each) => each.beat ?? null),
      ],
    );
    return rows[0]?.taken ?? 0;
  }

  async give(id: string, blocks: readonly Block[]): Promise<void> {
    await this.#client.query("select dlms.give_blocks($1::uuid, $2::text[], $3::smallint[])", [
      id,
      blocks.map((each) => each.network),
      blocks.map((each) => each.block),
    ]);
  }

  /** Says that a gateway is gone; without an incarnation, whichever run it is. False when there is none. */
  async leave(id: string, incarnation?: number): Promise<boolean> {
    const { rows } = await this.#client.query<{ left: boolean }>(
      "select dlms.leave_gateways($1::uuid, $2::bigint) as left",
      [id, incarnation ?? null],
    );
    return rows[0]?.left ?? false;
  }

  async close(): Promise<void> {
    this.#client.removeAllListeners("end");
    await this.#client.end().catch(() => undefined);
  }
}

/** Whether a failure to connect is the server's own no to everybody. */
export function isServerAway(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isServerAway);
  return REFUSED.has(failureCode(error) ?? "");
}

function plain(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:/, "");
}
