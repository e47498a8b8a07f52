/**
 * Opens what XML Encryption (W3C, versions 1.0 and 1.1) has closed with a symmetric key: the algorithms that shipment files
 * use. Texts of errors hold names of algorithms, never octets.
 */
import { createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import type { Element } from "@xmldom/xmldom";

interface Cipher {
  readonly keyLength: number;
  /** What is opened is known to be whole and from somebody with the key. */
  readonly isAuthentic: boolean;
  readonly open: (key: Uint8Array, octets: Uint8Array) => Uint8Array;
}

const GCM_NONCE = 12;
const GCM_TAG = 16;
const CBC_BLOCK = 16;
const WRAP_INITIAL_VALUE = new Uint8Array(8).fill(0xa6);

const CIPHERS: Readonly<Record<string, Cipher>> = {
  "http://www.w3.org/2001/04/xmlenc#kw-aes128": { keyLength: 16, isAuthentic: true, open: wrap("id-aes128-wrap") },
  "http://www.w3.org/2001/04/xmlenc#kw-aes192": { keyLength: 24, isAuthentic: true, open: wrap("id-aes192-wrap") },
  "http://www.w3.org/2001/04/xmlenc#kw-aes256": { keyLength: 32, isAuthentic: true, open: wrap("id-aes256-wrap") },
  "http://www.w3.org/2009/xmlenc11#aes128-gcm": { keyLength: 16, isAuthentic: true, open: gcm("aes-128-gcm") },
  "http://www.w3.org/2009/xmlenc11#aes256-gcm": { keyLength: 32, isAuthentic: true, open: gcm("aes-256-gcm") },
  "http://www.w3.org/2001/04/xmlenc#aes128-cbc": { keyLength: 16, isAuthentic: false, open: cbc("aes-128-cbc") },
  "http://www.w3.org/2001/04/xmlenc#aes256-cbc": { keyLength: 32, isAuthentic: false, open: cbc("aes-256-cbc") },
};

const MACS: Readonly<Record<string, string>> = {
  "http://www.w3.org/2000/09/xmldsig#hmac-sha1": "sha1",
  "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256": "sha256",
};

/** How the octets of a value were authenticated beside their encryption (RFC 6030, 6.1.1). */
export interface ValueMac {
  readonly algorithm: string;
  readonly key: Uint8Array;
  readonly mac: Uint8Array;
}

/** An EncryptedData or EncryptedValue: its algorithm and its octets. */
export class EncryptedElement {
  readonly #algorithm: string;
  readonly #cipher: Cipher;
  readonly #octets: Uint8Array;

  /** Throws where the algorithm is none of ours or octets are missing. */
  constructor(element: Element) {
    this.#algorithm = childOf(element, "EncryptionMethod")?.getAttribute("Algorithm") ?? "";
    const cipher = CIPHERS[this.#algorithm];
    if (cipher === undefined) throw new Error(`no algorithm that is known here: ${this.#algorithm}`);
    this.#cipher = cipher;
    const data = childOf(element, "CipherData");
    this.#octets = octetsOf(data === undefined ? "" : textOf(data, "CipherValue"));
  }

  get isAuthentic(): boolean {
    return this.#cipher.isAuthentic;
  }

  /** Throws when the key is of another length, or is another one as far as can be told. */
  open(key: Uint8Array): Uint8Array {
    const { keyLength, open } = this.#cipher;
    if (key.length !== keyLength) {
      throw new Error(`the transport key has ${key.length} octets, and ${this.#algorithm} takes ${keyLength}`);
    }
    try {
      return new Uint8Array(open(key, this.#octets));
    } catch (cause) {
      throw new Error("it does not open with this transport key", { cause });
    }
  }

  /** The same with proof. */
  openProven(key: Uint8Array, { algorithm, key: macKey, mac }: ValueMac): Uint8Array {
    const hash = MACS[algorithm];
    if (hash === undefined) throw new Error(`no algorithm that is known here: ${algorithm}`);
    const expected = createHmac(hash, macKey).update(this.#octets).digest();
    if (expected.length !== mac.length || !timingSafeEqual(expected, mac)) throw new Error("it has been changed");
    return this.open(key);
  }
}

/** The first child of that name, whatever its namespace's prefix. */
export function childOf(element: Element, name: string): Element | undefined {
  return childrenOf(element, name)[0];
}

export function childrenOf(element: Element, name: string): Element[] {
  const found: Element[] = [];
  for (let node = element.firstChild; node !== null; node = node.nextSibling) {
    if (isElement(node) && node.localName === name) found.push(node);
  }
  return found;
}

/** The text of the child of that name; empty where there is none. */
export function textOf(element: Element, name: string): string {
  return childOf(element, name)?.textContent?.trim() ?? "";
}

export function octetsOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

function isElement(node: unknown): node is Element {
  return typeof node === "object" && node !== null && "nodeType" in node && node.nodeType === 1;
}

function wrap(algorithm: string): Cipher["open"] {
  return (key, octets) => {
    const opened = createDecipheriv(algorithm, key, WRAP_INITIAL_VALUE).update(octets);
    // A failed integrity check gives no octets rather than an error in some releases of OpenSSL.
    if (opened.length !== octets.length - WRAP_INITIAL_VALUE.length) throw new Error("not whole");
    return opened;
  };
}

function gcm(algorithm: "aes-128-gcm" | "aes-256-gcm"): Cipher["open"] {
  return (key, octets) => {
    const decipher = createDecipheriv(algorithm, key, octets.subarray(0, GCM_NONCE), { authTagLength: GCM_TAG });
    decipher.setAuthTag(octets.subarray(-GCM_TAG));
    return Buffer.concat([decipher.update(octets.subarray(GCM_NONCE, -GCM_TAG)), decipher.final()]);
  };
}

/** The last octet says how many are padding; the others of it may be anything (XML Encryption, 5.2.2). */
function cbc(algorithm: string): Cipher["open"] {
  return (key, octets) => {
    const decipher = createDecipheriv(algorithm, key, octets.subarray(0, CBC_BLOCK)).setAutoPadding(false);
    const padded = Buffer.concat([decipher.update(octets.subarray(CBC_BLOCK)), decipher.final()]);
    const padding = padded.at(-1) ?? 0;
    if (padding < 1 || padding > CBC_BLOCK) throw new Error("no padding");
    return padded.subarray(0, -padding);
  };
}
