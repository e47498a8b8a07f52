/** What a stream's first octets say it is, when a meter or a modem has called and nobody knows what it speaks. */

export type StreamKind = "hdlc" | "wrapper" | "mbus" | "iec62056-21" | "apdu" | "text";

const FIRST_OCTETS: Readonly<Record<number, StreamKind>> = {
  0x7e: "hdlc",
  0x68: "mbus",
  0x10: "mbus",
  0x2f: "iec62056-21",
  0x0f: "apdu",
  0x18: "apdu",
};

/**
 * Judges by the first octets; undefined while they are too few. `text` is what modems and vendors' log-ins send before
 * anything else: skip it and ask again.
 */
export function detectStream(octets: Uint8Array): StreamKind | undefined {
  const [first, second] = octets;
  if (first === undefined) return undefined;
  if (first === 0) return second === undefined ? undefined : second === 1 ? "wrapper" : "text";
  return FIRST_OCTETS[first] ?? (first >= 0xc0 ? "apdu" : "text");
}
