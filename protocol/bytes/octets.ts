/** Whether both are the same octets. Not for secrets: it takes longer the more of them are the same. */
export function sameOctets(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, index) => octet === other[index]);
}
