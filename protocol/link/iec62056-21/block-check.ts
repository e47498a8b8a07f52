/** The block check character of IEC 62056-21 (ISO 1155): exclusive or of what follows the first SOH or STX up to ETX. */

const SOH = 0x01;
const STX = 0x02;
const ETX = 0x03;
const EOT = 0x04;

/** Leaves programming mode: SOH B0 ETX and its check. */
export const BREAK_MESSAGE: Uint8Array = Uint8Array.of(SOH, 0x42, 0x30, ETX, 0x71);

/** The check over octets that begin after SOH or STX and end with ETX or EOT. */
export function blockCheck(octets: Uint8Array): number {
  let check = 0;
  for (const octet of octets) check ^= octet & 0x7f;
  return check;
}

/** Where the message that begins with SOH or STX at the start ends, its check included; undefined while it does not. */
export function blockEnd(octets: Uint8Array): number | undefined {
  const end = octets.findIndex((octet, index) => index > 0 && (octet === ETX || octet === EOT));
  return end < 0 || end + 1 >= octets.length ? undefined : end + 2;
}

export function isBlockStart(octet: number | undefined): boolean {
  return octet === SOH || octet === STX;
}
