/**
 * The meters that the gateway knows: a copy of the database's rows in memory, found by name, number, key or system
 * title without a scan. The configuration's meters are written into the database, which keeps those that left it.
 */
import { receivePduSize } from "../collect/session/session-link.ts";
import type { MeterConfig } from "../config/schema.ts";
import type { Database } from "../store/database/database.ts";

export interface FleetMeter {
  /** What everything in the database refers to. */
  readonly id: string;
  /** Key of the profile tables. */
  readonly key: number;
  readonly number: string;
  readonly name: string;
  readonly type: string;
  readonly companion: string;
  readonly timeZone: string;
  /** Eight octets, when known. */
  readonly systemTitle: Uint8Array | undefined;
}

export interface RecordedMeter extends FleetMeter {
  /** What it calls itself beside its number. */
  readonly aliases: readonly string[];
}

export interface NamedMeter {
  readonly meter: FleetMeter;
  /** What it calls itself. */
  readonly name: string;
}

interface MeterRow {
  id: string;
  meter_key: number;
  meter_number: string;
  name: string;
  meter_type: string;
  companion: string;
  time_zone: string;
  system_title: Uint8Array | null;
}

const COLUMNS = "id, meter_key, meter_number, name, meter_type, companion, time_zone, system_title";
const AT_ONCE = 5000;

export class Fleet {
  readonly #database: Database;
  readonly #byKey = new Map<number, FleetMeter>();
  readonly #byName = new Map<string, FleetMeter>();
  readonly #byNumber = new Map<string, FleetMeter>();
  /** What meters call themselves beside their numbers. */
  readonly #keyByAlias = new Map<string, number>();
  readonly #bySystemTitle = new Map<string, Set<FleetMeter>>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Reads all meters from the database. */
  static async load(database: Database): Promise<Fleet> {
    const fleet = new Fleet(database);
    for (const row of await database.query<MeterRow>(`select ${COLUMNS} from public.meters`)) fleet.#remember(row);
    const aliases = await database.query<{ name: string; meter_key: number }>(
      "select n.name, m.meter_key from dlms.meter_names n join public.meters m on m.id = n.meter_id",
    );
    for (const { name, meter_key: key } of aliases) fleet.#keyByAlias.set(name, key);
    return fleet;
  }

  /** Meters and what they call themselves, from a record of an earlier run, while the database is away. */
  static recorded(database: Database, meters: Iterable<RecordedMeter>): Fleet {
    const fleet = new Fleet(database);
    for (const { aliases, ...meter } of meters) {
      fleet.#index(meter);
      for (const name of aliases) fleet.#keyByAlias.set(name, meter.key);
    }
    return fleet;
  }

  /** What `recorded` needs, the configuration's other meters included. */
  *record(): Generator<RecordedMeter> {
    const aliases = Map.groupBy(this.#keyByAlias, ([, key]) => key);
    for (const meter of this.#byKey.values()) {
      yield { ...meter, aliases: (aliases.get(meter.key) ?? []).map(([name]) => name) };
    }
  }

  get size(): number {
    return this.#byKey.size;
  }

  meters(): IterableIterator<FleetMeter> {
    return this.#byKey.values();
  }

  byKey(key: number): FleetMeter | undefined {
    return this.#byKey.get(key);
  }

  byName(name: string): FleetMeter | undefined {
    return this.#byName.get(name);
  }

  byNumber(number: string): FleetMeter | undefined {
    return this.#byNumber.get(number);
  }

  /** What meters call themselves beside their numbers. */
  aliases(): Iterable<readonly [name: string, meterKey: number]> {
    return this.#keyByAlias;
  }

  /** The meter of that number, or the one that calls itself so. */
  byOwnName(name: string): FleetMeter | undefined {
    return this.#byNumber.get(name) ?? this.#byKey.get(this.#keyByAlias.get(name) ?? -1);
  }

  /** Meters with that system title: more than one where titles were set up wrongly. */
  bySystemTitle(systemTitle: Uint8Array): readonly FleetMeter[] {
    return [...(this.#bySystemTitle.get(titleKey(systemTitle)) ?? [])];
  }

  /**
   * Writes the configuration's meters with their connections and associations; a meter is the one of its number. A name
   * that passes to another number (a meter was exchanged) is taken from the former, which keeps its readings. Returns
   * the meters in the order given.
   */
  async put(configs: readonly MeterConfig[]): Promise<FleetMeter[]> {
    const numbers = new Set(configs.map(({ number }) => number));
    const rows = await this.#database.transaction(async (client) => {
      await client.query("set constraints all deferred");
      const written: MeterRow[] = [];
      for (let at = 0; at < configs.length; at += AT_ONCE) {
        const some = configs.slice(at, at + AT_ONCE);
        const taken = await client.query<{ number: string }>(TAKEN_NAMES, [
          some.map((config) => config.name),
          some.map((config) => config.number),
        ]);
        const others = taken.rows.map(({ number }) => number).filter((number) => !numbers.has(number));
        const released = others.length === 0 ? NONE : await client.query<MeterRow>(RELEASE_NAMES, [others]);
        const meters = await client.query<MeterRow>(PUT_METERS, meterParameters(some));
        written.push(...released.rows, ...meters.rows);
        const ids = new Map(meters.rows.map((row) => [row.meter_number, row.id]));
        await client.query(PUT_CONNECTIONS, connectionParameters(some));
        await client.query(PUT_ASSOCIATIONS, associationParameters(some, ids));
      }
      return written;
    });
    for (const row of rows) this.#remember(row);
    return configs.flatMap((config) => this.#byNumber.get(config.number) ?? []);
  }

  /**
   * Whether the database is the one that the fleet's meters are recorded from: it has some of them, and none under another
   * id or key. Throws StoreError.
   */
  async isOfDatabase(): Promise<boolean> {
    const meters = [...this.#byKey.values()];
    let found = 0n;
    for (let at = 0; at < meters.length; at += AT_ONCE) {
      const some = meters.slice(at, at + AT_ONCE);
      const [row] = await this.#database.query<{ same: bigint; others: bigint }>(COMPARE_METERS, [
        some.map((meter) => meter.number),
        some.map((meter) => meter.id),
        some.map((meter) => meter.key),
      ]);
      if (row?.others !== 0n) return false;
      found += row.same;
    }
    return meters.length === 0 || found > 0n;
  }

  /** A meter that is none of the configuration's. Throws StoreError when its name or number is taken. */
  async add(meter: Pick<FleetMeter, "name" | "number" | "companion" | "timeZone">): Promise<FleetMeter> {
    const { number, name, companion, timeZone } = meter;
    const [row] = await this.#database.query<MeterRow>(
      `insert into public.meters (meter_number, name, companion, time_zone)
       values ($1::text, $2::text, $3::text, $4::text) returning ${COLUMNS}`,
      [number, name, companion, timeZone],
    );
    if (row === undefined) throw new RangeError("a meter that was added has no row");
    return this.#remember(row);
  }

  /** Notes what meters call themselves; a name that was another meter's passes to the one that it is noted of last. */
  async learnNames(named: readonly NamedMeter[]): Promise<void> {
    const meters = new Map(
      named.filter(({ meter, name }) => name !== meter.number).map((each) => [each.name, each.meter]),
    );
    await this.#database.query(PUT_NAMES, [[...meters.keys()], Array.from(meters.values(), ({ id }) => id)]);
    for (const [name, { key }] of meters) this.#keyByAlias.set(name, key);
  }

  /** Notes the system title that a meter told; whether it is another than was known. */
  async learnSystemTitle(meter: FleetMeter, systemTitle: Uint8Array): Promise<boolean> {
    const known = this.#byKey.get(meter.key)?.systemTitle;
    if (known !== undefined && titleKey(known) === titleKey(systemTitle)) return false;
    const rows = await this.#database.query<MeterRow>(
      `update public.meters set system_title = $2::bytea, updated_at = now() where id = $1::uuid returning ${COLUMNS}`,
      [meter.id, Buffer.from(systemTitle)],
    );
    for (const row of rows) this.#remember(row);
    return true;
  }

  /** Looks up again what other gateways may have noted of meters. Throws StoreError. */
  async refresh(meterIds: readonly string[]): Promise<void> {
    const sql = `select ${COLUMNS} from public.meters where id = any ($1::uuid[])`;
    for (const row of await this.#database.query<MeterRow>(sql, [meterIds])) this.#remember(row);
  }

  #remember(row: MeterRow): FleetMeter {
    return this.#index({
      id: row.id,
      key: row.meter_key,
      number: row.meter_number,
      name: row.name,
      type: row.meter_type,
      companion: row.companion,
      timeZone: row.time_zone,
      systemTitle: row.system_title ?? undefined,
    });
  }

  #index(meter: FleetMeter): FleetMeter {
    this.#forget(meter.key);
    this.#byKey.set(meter.key, meter);
    this.#byName.set(meter.name, meter);
    this.#byNumber.set(meter.number, meter);
    if (meter.systemTitle === undefined) return meter;
    const key = titleKey(meter.systemTitle);
    const same = this.#bySystemTitle.get(key);
    if (same === undefined) this.#bySystemTitle.set(key, new Set([meter]));
    else same.add(meter);
    return meter;
  }

  #forget(key: number): void {
    const meter = this.#byKey.get(key);
    if (meter === undefined) return;
    this.#byKey.delete(key);
    this.#byNumber.delete(meter.number);
    // The name may have passed to another meter by now.
    if (this.#byName.get(meter.name) === meter) this.#byName.delete(meter.name);
    if (meter.systemTitle !== undefined) this.#bySystemTitle.get(titleKey(meter.systemTitle))?.delete(meter);
  }
}

function titleKey(systemTitle: Uint8Array): string {
  return Buffer.from(systemTitle).toString("hex");
}

/** In one order for all gateways, so that none waits for another that waits for it; without meters that were deleted. */
const PUT_NAMES = `insert into dlms.meter_names (name, meter_id)
  select u.name, u.meter_id from unnest($1::text[], $2::uuid[]) as u (name, meter_id)
  where exists (select from public.meters m where m.id = u.meter_id) order by u.name
  on conflict (name) do update set meter_id = excluded.meter_id`;

const COMPARE_METERS = `select count(*) filter (where (m.id, m.meter_key) = (u.id, u.key)) as same,
    count(*) filter (where (m.id, m.meter_key) is distinct from (u.id, u.key)) as others
  from unnest($1::text[], $2::uuid[], $3::int[]) as u (number, id, key)
  join public.meters m on m.meter_number = u.number or m.id = u.id or m.meter_key = u.key`;

/** Numbers of those that have a name which another number is to have. */
const TAKEN_NAMES = `select m.meter_number as number from unnest($1::text[], $2::text[]) as u (name, number)
  join public.meters m on m.name = u.name and m.meter_number <> u.number`;

/** A name that is wanted by the configuration, and that a meter outside of it has: that one is named after its number instead. */
const RELEASE_NAMES = `update public.meters set name = name || '~' || meter_number, updated_at = now()
  where meter_number = any ($1::text[]) returning ${COLUMNS}`;
const NONE: { readonly rows: readonly MeterRow[] } = { rows: [] };

const PUT_METERS = `insert into public.meters as m (meter_number, name, meter_type, companion, time_zone, system_title)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])
  on conflict (meter_number) do update set
    name = excluded.name, meter_type = excluded.meter_type, companion = excluded.companion,
    time_zone = excluded.time_zone, system_title = coalesce(excluded.system_title, m.system_title),
    updated_at = case
      when (m.name, m.meter_type, m.companion, m.time_zone)
          is distinct from (excluded.name, excluded.meter_type, excluded.companion, excluded.time_zone)
        or excluded.system_title is distinct from m.system_title and excluded.system_title is not null
      then now() else m.updated_at end
  returning ${COLUMNS}`;

function meterParameters(configs: readonly MeterConfig[]): unknown[] {
  return [
    configs.map((config) => config.number),
    configs.map((config) => config.name),
    configs.map((config) => config.type),
    configs.map((config) => config.companion),
    configs.map((config) => config.timeZone),
    configs.map((config) => octetsOf(config.association.security?.serverSystemTitle)),
  ];
}

const PUT_CONNECTIONS = `insert into dlms.connections (network, transport, address, link)
  select distinct network, transport, address, link
  from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as c (network, transport, address, link) order by 1, 2, 3, 4
  on conflict do nothing`;

function connectionParameters(configs: readonly MeterConfig[]): unknown[] {
  return [
    configs.map((config) => config.connection.network),
    configs.map((config) => transportOf(config)),
    configs.map((config) => addressOf(config)),
    configs.map((config) => config.connection.link),
  ];
}

function transportOf({ connection }: MeterConfig): "tcp" | "udp" | "serial" | "call" {
  if (connection.callsIn) return "call";
  if (connection.serial !== undefined) return "serial";
  return connection.udp === undefined ? "tcp" : "udp";
}

function addressOf({ connection, number }: MeterConfig): string | undefined {
  if (connection.callsIn) return connection.caller ?? number;
  return connection.serial ?? connection.udp ?? connection.tcp;
}

const PUT_ASSOCIATIONS = `insert into dlms.associations (meter_id, client_sap, server_sap, connection_key, physical_address,
    address_length, mechanism, security_suite, protection, client_system_title, max_receive_pdu_size, response_timeout_ms)
  select a.meter_id, a.client_sap, a.server_sap, c.connection_key, a.physical_address, a.address_length, a.mechanism,
    a.security_suite, a.protection, a.client_system_title, a.max_receive_pdu_size, a.response_timeout_ms
  from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::int[], $7::int[], $8::smallint[], $9::text[],
      $10::smallint[], $11::text[], $12::bytea[], $13::int[], $14::int[], $15::text[])
    as a (transport, meter_id, address, link, client_sap, server_sap, physical_address, address_length, mechanism, security_suite,
      protection, client_system_title, max_receive_pdu_size, response_timeout_ms, network)
  join dlms.connections c on c.network = a.network and c.transport = a.transport and c.address = a.address and c.link = a.link
  on conflict (meter_id, client_sap, server_sap) do update set
    connection_key = excluded.connection_key, physical_address = excluded.physical_address,
    address_length = excluded.address_length, mechanism = excluded.mechanism, security_suite = excluded.security_suite,
    protection = excluded.protection, client_system_title = excluded.client_system_title,
    max_receive_pdu_size = excluded.max_receive_pdu_size, response_timeout_ms = excluded.response_timeout_ms,
    updated_at = now()`;

function associationParameters(configs: readonly MeterConfig[], ids: ReadonlyMap<string, string>): unknown[] {
  const security = configs.map((config) => config.association.security);
  return [
    configs.map((config) => transportOf(config)),
    configs.map((config) => ids.get(config.number) ?? null),
    configs.map((config) => addressOf(config)),
    configs.map((config) => config.connection.link),
    configs.map((config) => config.association.clientSap),
    configs.map((config) => config.association.serverSap),
    configs.map((config) => config.connection.physicalAddress ?? null),
    configs.map((config) => config.connection.addressLength ?? null),
    configs.map((config) => config.association.mechanism),
    security.map((each) => each?.suite ?? null),
    security.map((each) => each?.protection ?? null),
    security.map((each) => octetsOf(each?.clientSystemTitle)),
    configs.map(({ connection, association }) => receivePduSize(connection, association)),
    configs.map((config) => config.connection.responseTimeout),
    configs.map((config) => config.connection.network),
  ];
}

function octetsOf(hex: string | undefined): Buffer | null {
  return hex === undefined ? null : Buffer.from(hex, "hex");
}
