/** Seven data bits and even parity in software, for lines that only know eight data bits without parity. */

/** Sets the upper bit of each octet so that the number of ones is even. */
export function withEvenParity(octets: Uint8Array): Uint8Array {
  return octets.map((octet) => (hasOddOnes(octet & 0x7f) ? octet | 0x80 : octet & 0x7f));
}

/** The seven data bits of each octet, and whether every parity bit was right. */
export function withoutEvenParity(octets: Uint8Array): { readonly octets: Uint8Array; readonly parityRight: boolean } {
  return { octets: octets.map((octet) => octet & 0x7f), parityRight: !octets.some((octet) => hasOddOnes(octet)) };
}

function hasOddOnes(octet: number): boolean {
  const folded = octet ^ (octet >> 4);
  return ((0x6996 >> (folded & 0x0f)) & 1) === 1;
}
