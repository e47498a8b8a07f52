/**
 * Names and numbers that say whose meter it is, replaced by others of the same form. Who knows the salt gets the same
 * pseudonym each time; who does not can't find out what it stands for by trying all numbers.
 */
import { createHmac } from "node:crypto";

const MAKER_LETTERS = 3;

export class Pseudonyms {
  readonly #salt: Uint8Array;

  constructor(salt: Uint8Array) {
    this.#salt = salt;
  }

  /** Digits become digits, letters letters; everything else stays. */
  of(text: string): string {
    const stream = this.#octetsFor(text, text.length);
    return Array.from(text, (character, at) => {
      const octet = stream[at] ?? 0;
      if (/\d/.test(character)) return String(octet % 10);
      if (/[a-z]/.test(character)) return String.fromCharCode("a".charCodeAt(0) + (octet % 26));
      return /[A-Z]/.test(character) ? String.fromCharCode("A".charCodeAt(0) + (octet % 26)) : character;
    }).join("");
  }

  /** The maker's letters stay, for what is amiss may be the maker's. */
  ofSystemTitle(title: Uint8Array): Uint8Array {
    const replaced = Uint8Array.from(title);
    const stream = this.#octetsFor(Buffer.from(title).toString("hex"), title.length);
    for (let at = MAKER_LETTERS; at < title.length; at++) replaced[at] = stream[at] ?? 0;
    return replaced;
  }

  #octetsFor(text: string, length: number): Uint8Array {
    const parts: Buffer[] = [];
    for (let part = 0; part * 32 < length; part++) {
      parts.push(createHmac("sha256", this.#salt).update(`${part} ${text}`).digest());
    }
    return Buffer.concat(parts);
  }
}
