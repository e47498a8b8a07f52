/**
 * The LLC header in front of an APDU (IEC 62056-46, 6.3): destination LSAP E6 (FF for broadcast), source LSAP E6 in
 * commands and E7 in responses, quality 00. It stands once per APDU, in the first segment.
 */

export const LLC_COMMAND: Uint8Array = Uint8Array.of(0xe6, 0xe6, 0x00);
export const LLC_RESPONSE: Uint8Array = Uint8Array.of(0xe6, 0xe7, 0x00);
const LLC_LENGTH = 3;

/** Header and APDU as one piece. */
export function withLlc(llc: Uint8Array, apdu: Uint8Array): Uint8Array {
  const octets = new Uint8Array(LLC_LENGTH + apdu.length);
  octets.set(llc);
  octets.set(apdu, LLC_LENGTH);
  return octets;
}

/**
 * A view of what follows the LLC header. It may be missing (continuation frames of pushes), and an Indian meter sends it
 * twice in its AARE: every one at the start is taken off. No APDU tag of the standard looks like one.
 */
export function stripLlc(information: Uint8Array): Uint8Array {
  let offset = 0;
  while (hasLlc(information, offset)) offset += LLC_LENGTH;
  return information.subarray(offset);
}

/** Whether an LLC header stands at `offset`. */
export function hasLlc(information: Uint8Array, offset = 0): boolean {
  const [destination, source, quality] = [information[offset], information[offset + 1], information[offset + 2]];
  return (destination === 0xe6 || destination === 0xff) && (source === 0xe6 || source === 0xe7) && quality === 0;
}
