/** Where meters keep the invocation counter of a client: facts as a table, so that one more is one more line. */
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";

/** Says in the configuration that the counter object is to be found. */
const FIND_COUNTER = "find";

/** Names that are the client's own, by its SAP, as the companion specifications have them. */
const OF_CLIENT: Readonly<Record<number, string>> = {
  32: "0.0.43.1.2.255",
  48: "0.0.43.1.3.255",
  64: "0.0.43.1.4.255",
  80: "0.0.43.1.5.255",
};
/** Names of one counter for all clients, and those that some makers have. */
const COMMON = ["0.0.43.1.0.255", "0.0.43.1.1.255", "0.2.43.1.8.255", "0.0.43.1.8.255"] as const;

/** The objects that may hold a client's counter, likeliest first; the one that is named is the only one. */
export function counterCandidates(named: string, clientSap: number): readonly Uint8Array[] {
  if (named !== FIND_COUNTER) return [logicalNameToOctets(named)];
  const own = OF_CLIENT[clientSap];
  const bySap = `0.0.43.1.${clientSap & 0xff}.255`;
  return [...new Set([...(own === undefined ? [] : [own]), bySap, ...COMMON])].map(logicalNameToOctets);
}
