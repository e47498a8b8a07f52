/**
 * What the gateway has to know to work while its database is away at the start: written when the database was last
 * there, as lines of JSON, and believed only when it is whole. It holds no plain keys: those of the key store stay in
 * their envelopes.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { createInterface } from "node:readline";
import { z } from "zod";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { isKeyRole } from "../../protocol/security/secret-key.ts";
import type { SealedKey } from "../keys/sealed-key.ts";
import { layoutText, type PushLayout, type PushLayoutVersion } from "../push/receive/push-layouts.ts";
import type { Capabilities } from "../store/database/capabilities.ts";
import { pushLayoutOf } from "../store/push/push-layouts.ts";
import type { AddedMeter } from "../store/records/added-meters.ts";
import type { RecordedMeter } from "./fleet.ts";

export interface FleetRecord {
  readonly capabilities: Capabilities;
  /** Keys of the meters in each collection that plans name; undefined for one that there was not. */
  readonly collections: ReadonlyMap<string, ReadonlySet<number> | undefined>;
  readonly meters: Iterable<RecordedMeter>;
  /** Those of them that people added to the configuration's. */
  readonly added: readonly AddedMeter[];
  /** What the meters' pushes are, by the meter's key; the oldest first. */
  readonly pushLayouts: ReadonlyMap<number, readonly PushLayoutVersion[]>;
  readonly sealedKeys: readonly SealedKey[];
}

const LINES_AT_ONCE = 5000;

/** Puts the record in the place of the former one, whole or not at all. */
export async function writeFleetRecord(path: string, record: FleetRecord): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, "w", 0o600);
  try {
    await writeLines(file, linesOf(record));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

async function writeLines(file: FileHandle, lines: Iterable<unknown>): Promise<void> {
  const digest = createHash("sha256");
  let some: string[] = [];
  const flush = async () => {
    const text = some.join("");
    some = [];
    digest.update(text);
    await file.write(text);
  };
  for (const line of lines) {
    some.push(`${JSON.stringify(line)}\n`);
    if (some.length >= LINES_AT_ONCE) await flush();
  }
  await flush();
  await file.write(`${JSON.stringify({ sha256: digest.digest("hex") })}\n`);
}

function* linesOf({ capabilities, collections, added, meters, pushLayouts, sealedKeys }: FleetRecord): Generator {
  const layouts = [...new Set([...pushLayouts.values()].flat().map(({ layout }) => layout))];
  const numbers = new Map(layouts.map((layout, number) => [layout, number]));
  yield {
    capabilities,
    collections: Array.from(collections, ([name, keys]) => ({ name, ...(keys && { keys: [...keys] }) })),
  };
  for (const layout of layouts) yield { layout: layoutText(layout) };
  for (const meter of added) yield { added: meter };
  for (const { systemTitle, ...meter } of meters) {
    const versions = pushLayouts.get(meter.key) ?? [];
    yield {
      meter: { ...meter, ...(systemTitle && { systemTitle: toHex(systemTitle) }) },
      pushes: versions.map(({ layout, firmware, readAt }) => ({ firmware, readAt, layout: numbers.get(layout) })),
    };
  }
  for (const { sealed, ...key } of sealedKeys) yield { key: { ...key, sealed: toHex(sealed) } };
}

const hex = z.string().transform((text) => fromHex(text));
const headSchema = z.object({
  capabilities: z.object({
    edition: z.enum(["timescaledb-community", "timescaledb-apache-2", "postgresql"]),
    serverVersion: z.string(),
    timescaleVersion: z.string().optional(),
    hypertables: z.boolean(),
    continuousAggregates: z.boolean(),
    compression: z.boolean(),
    policies: z.boolean(),
  }),
  collections: z.array(z.object({ name: z.string(), keys: z.array(z.number()).optional() })),
});
const meterSchema = z.object({
  meter: z.object({
    id: z.string(),
    key: z.number(),
    number: z.string(),
    name: z.string(),
    type: z.string(),
    companion: z.string(),
    timeZone: z.string(),
    systemTitle: hex.optional(),
    aliases: z.array(z.string()),
  }),
  pushes: z.array(z.object({ layout: z.number(), firmware: z.string().optional(), readAt: z.coerce.date() })),
});
const layoutSchema = z.object({ layout: z.string() });
const addedSchema = z.object({ added: z.object({ name: z.string(), number: z.string(), settings: z.unknown() }) });
const keySchema = z.object({
  key: z.object({
    meterId: z.string(),
    clientSap: z.number(),
    role: z.string().refine(isKeyRole),
    version: z.number(),
    state: z.enum(["pending", "active", "retired"]),
    sealed: hex,
  }),
});
const endSchema = z.object({ sha256: z.string() });

/** The record of an earlier run; undefined where there is none that is whole. */
export async function readFleetRecord(path: string): Promise<FleetRecord | undefined> {
  const digest = createHash("sha256");
  const lines = new RecordLines();
  try {
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const value: unknown = JSON.parse(line);
      const end = endSchema.safeParse(value);
      if (end.success) return end.data.sha256 === digest.digest("hex") ? lines.record() : undefined;
      digest.update(`${line}\n`);
      lines.take(value);
    }
  } catch {
    // What can't be read is as good as not there: the start waits for the database.
  }
  return undefined;
}

class RecordLines {
  readonly #meters: RecordedMeter[] = [];
  readonly #pushLayouts = new Map<number, readonly PushLayoutVersion[]>();
  readonly #sealedKeys: SealedKey[] = [];
  readonly #added: AddedMeter[] = [];
  readonly #layouts: PushLayout[] = [];
  #head: z.infer<typeof headSchema> | undefined;

  /** Throws ZodError. */
  take(value: unknown): void {
    if (this.#head === undefined) {
      this.#head = headSchema.parse(value);
      return;
    }
    const meter = meterSchema.safeParse(value);
    if (meter.success) return this.#takeMeter(meter.data);
    const key = keySchema.safeParse(value);
    const added = addedSchema.safeParse(value);
    if (key.success) this.#sealedKeys.push(key.data.key);
    else if (added.success) this.#added.push(added.data.added);
    else this.#layouts.push(pushLayoutOf(JSON.parse(layoutSchema.parse(value).layout)));
  }

  record(): FleetRecord | undefined {
    if (this.#head === undefined) return undefined;
    const { capabilities, collections } = this.#head;
    return {
      capabilities: { ...capabilities, timescaleVersion: capabilities.timescaleVersion },
      collections: new Map(collections.map(({ name, keys }) => [name, keys && new Set(keys)])),
      meters: this.#meters,
      added: this.#added,
      pushLayouts: this.#pushLayouts,
      sealedKeys: this.#sealedKeys,
    };
  }

  #takeMeter({ meter, pushes }: z.infer<typeof meterSchema>): void {
    this.#meters.push({ ...meter, systemTitle: meter.systemTitle });
    const versions = pushes.flatMap(({ layout, firmware, readAt }): PushLayoutVersion[] => {
      const known = this.#layouts[layout];
      return known === undefined ? [] : [{ layout: known, firmware, readAt }];
    });
    if (versions.length > 0) this.#pushLayouts.set(meter.key, versions);
  }
}
