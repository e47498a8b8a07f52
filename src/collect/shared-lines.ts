/**
 * Which meters are worked one after the other, because they share what leads to them: a serial port, an RS-485 converter
 * or modem behind one address, a gateway or concentrator that holds one connection.
 */
import type { ConnectionConfig } from "../config/schema.ts";

/** What a meter is told apart by on the way to it. */
interface Reached {
  readonly target: { readonly connection: ConnectionConfig };
}

/** The line of a meter; undefined for one that has its way to itself. */
export type LineOf = (meter: Reached) => string | undefined;

/** Meters of one address share a line without being told, unless the configuration names the lines. */
export function sharedLines(meters: Iterable<Reached>): LineOf {
  const counts = new Map<string, number>();
  for (const { target } of meters) {
    const address = addressOf(target.connection);
    if (target.connection.line === undefined && address !== undefined) {
      counts.set(address, (counts.get(address) ?? 0) + 1);
    }
  }
  return ({ target: { connection } }) => {
    const { line, serial } = connection;
    if (line !== undefined) return `line ${line}`;
    if (serial !== undefined) return serial;
    const address = addressOf(connection);
    return address !== undefined && (counts.get(address) ?? 0) > 1 ? address : undefined;
  };
}

function addressOf({ tcp, udp, caller }: ConnectionConfig): string | undefined {
  if (caller !== undefined) return `call ${caller}`;
  if (tcp !== undefined) return `tcp ${tcp.toLowerCase()}`;
  return udp === undefined ? undefined : `udp ${udp.toLowerCase()}`;
}
