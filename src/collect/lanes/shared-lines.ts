/**
 * Which meters are worked one after the other, because they share what leads to them: a serial port, an RS-485 converter
 * or modem behind one address, a gateway or concentrator that holds one connection.
 */
import type { ConnectionConfig } from "../../config/schema.ts";

/** What a meter is told apart by on the way to it. */
interface Reached {
  readonly target: { readonly connection: ConnectionConfig };
}

/** Meters of one address share a line without being told, unless the configuration names the lines. */
export class SharedLines {
  readonly #counts = new Map<string, number>();

  constructor(meters: Iterable<Reached>) {
    for (const meter of meters) this.add(meter);
  }

  add(meter: Reached): void {
    this.#count(meter, 1);
  }

  remove(meter: Reached): void {
    this.#count(meter, -1);
  }

  /** The line of a meter; undefined for one that has its way to itself. */
  lineOf({ target: { connection } }: Reached): string | undefined {
    const { line, serial } = connection;
    if (line !== undefined) return `line ${line}`;
    if (serial !== undefined) return serial;
    const address = addressOf(connection);
    return address !== undefined && (this.#counts.get(address) ?? 0) > 1 ? address : undefined;
  }

  #count({ target: { connection } }: Reached, by: number): void {
    const address = addressOf(connection);
    if (connection.line !== undefined || address === undefined) return;
    const count = (this.#counts.get(address) ?? 0) + by;
    if (count > 0) this.#counts.set(address, count);
    else this.#counts.delete(address);
  }
}

function addressOf({ tcp, udp, caller }: ConnectionConfig): string | undefined {
  if (caller !== undefined) return `call ${caller}`;
  if (tcp !== undefined) return `tcp ${tcp.toLowerCase()}`;
  return udp === undefined ? undefined : `udp ${udp.toLowerCase()}`;
}
