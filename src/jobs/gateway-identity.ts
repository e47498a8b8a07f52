/**
 * Who a gateway is among those that share a database, kept in its state directory: the same after a restart, so that what
 * it held is its own again at once. Only one process at a time may use the directory; the lock of the spool sees to it.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const FILE = "gateway.json";

const identitySchema = z.object({
  id: z.uuid(),
  /** When it was the only gateway last, ms since 1970; missing where it was not. */
  aloneAtMs: z.number().optional(),
});
export type StoredIdentity = z.output<typeof identitySchema>;

export class GatewayIdentity {
  readonly #file: string;
  #stored: StoredIdentity;

  /** Reads the directory's identity, or makes one. */
  static async open(directory: string): Promise<GatewayIdentity> {
    await mkdir(directory, { recursive: true });
    const file = join(directory, FILE);
    const text = await readFile(file, "utf8").catch(() => undefined);
    const stored = text === undefined ? undefined : parsed(text);
    const identity = new GatewayIdentity(file, stored ?? { id: randomUUID() });
    if (stored === undefined) await identity.#write();
    return identity;
  }

  private constructor(file: string, stored: StoredIdentity) {
    this.#file = file;
    this.#stored = stored;
  }

  get id(): string {
    return this.#stored.id;
  }

  get aloneAtMs(): number | undefined {
    return this.#stored.aloneAtMs;
  }

  /** Another process runs under this identity: this one goes on under a new one. */
  async renew(): Promise<void> {
    this.#stored = { id: randomUUID() };
    await this.#write();
  }

  async keepAlone(aloneAtMs: number | undefined): Promise<void> {
    this.#stored = { id: this.#stored.id, ...(aloneAtMs !== undefined && { aloneAtMs }) };
    await this.#write();
  }

  async #write(): Promise<void> {
    const draft = `${this.#file}.new`;
    await writeFile(draft, `${JSON.stringify(this.#stored)}\n`, { mode: 0o600 });
    await rename(draft, this.#file);
  }
}

function parsed(text: string): StoredIdentity | undefined {
  try {
    return identitySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
