/** Octets ↔ the characters of IEC 62056-21: one octet each, the upper half as in ISO 8859-1. */

/** One character per octet. */
export function textOf(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += String.fromCharCode(octet);
  return text;
}

/** One octet per character; characters above FF lose their upper half, which none of the messages here has. */
export function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
