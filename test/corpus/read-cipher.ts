import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { Reader } from "../../protocol/bytes/reader.ts";
import { type AeadKeys, counterMode, open, parseContent, seal } from "../../protocol/security/aead.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { type SystemTitle, systemTitle } from "../../protocol/security/system-title.ts";
import type { CorpusCase, Facts } from "./case.ts";
import { textInput } from "./input.ts";
import { type LayerReader, NotSupported } from "./reading.ts";

const TITLE_LENGTH = 8;
const CONTENT_HEADER_LENGTH = 5;
const TAG_LENGTH = 12;
const AUTHENTICATED_ONLY = 0x10;
const BOTH = 0x30;

interface Vector {
  readonly sender: SystemTitle;
  readonly invocationCounter: number;
  readonly securityControl: number;
  readonly keys: AeadKeys;
  /** Octets that the tag covers between authentication key and payload. */
  readonly header: Uint8Array;
}

function octets(each: CorpusCase, name: string): Uint8Array {
  return fromHex(textInput(each, name));
}

/** Takes a flat vector apart into what our own functions are given: title, counter, security control and keys. */
function vectorOf(each: CorpusCase, mode: string): Vector {
  const iv = new Reader(octets(each, "iv"));
  const sender = systemTitle(iv.bytes(TITLE_LENGTH));
  const invocationCounter = iv.u32();
  const encryption = new SecretKey("blockCipherKey", octets(each, "key"));
  const aad = new Reader(octets(each, "aad"));
  if (aad.remaining === 0) {
    const keys = {
      suite: suiteOf(0, encryption.length),
      encryption,
      authentication: undefined,
      aadForm: "empty",
    } as const;
    return { sender, invocationCounter, securityControl: BOTH, keys, header: new Uint8Array(0) };
  }
  const securityControl = aad.u8();
  const authentication = new SecretKey("authenticationKey", aad.bytes(encryption.length));
  const covered = mode === "gmac" ? aad.remaining - octets(each, "plaintext").length : aad.remaining;
  const suite = suiteOf(securityControl & 0x0f, encryption.length);
  return {
    sender,
    invocationCounter,
    securityControl,
    keys: { suite, encryption, authentication },
    header: aad.bytes(covered),
  };
}

function suiteOf(nibble: number, keyLength: number): 0 | 1 | 2 {
  if (keyLength === 32) return 2;
  return nibble === 1 ? 1 : 0;
}

function sealAndOpen(each: CorpusCase, { sender, keys, header, ...head }: Vector): Facts {
  const context = header.length === 0 ? { sender } : { sender, header };
  const sealed = seal(keys, context, head, octets(each, "plaintext"));
  const tagStart = sealed.length - TAG_LENGTH;
  const encrypted = (head.securityControl & BOTH) !== AUTHENTICATED_ONLY;
  const content = Uint8Array.from([
    ...sealed.subarray(0, CONTENT_HEADER_LENGTH),
    ...(encrypted ? octets(each, "ciphertext") : octets(each, "plaintext")),
    ...octets(each, "tag"),
  ]);
  return {
    plaintext: toHex(open(keys, context, parseContent(content))),
    ciphertext: encrypted ? toHex(sealed.subarray(CONTENT_HEADER_LENGTH, tagStart)) : "",
    tag: toHex(sealed.subarray(tagStart)),
  };
}

/** Flat vectors of AES-GCM, GMAC and CTR. */
export const cipherReader: LayerReader = (each) => {
  const mode = textInput(each, "mode");
  if (mode === "gcm" || mode === "gmac") return sealAndOpen(each, vectorOf(each, mode));
  if (mode !== "ctr") throw new NotSupported(`cipher mode ${mode}`);
  const encryption = new SecretKey("blockCipherKey", octets(each, "key"));
  const keys = { suite: suiteOf(0, encryption.length), encryption };
  const iv = octets(each, "iv");
  return {
    plaintext: toHex(counterMode(keys, iv, octets(each, "ciphertext"))),
    ciphertext: toHex(counterMode(keys, iv, octets(each, "plaintext"))),
    tag: "",
  };
};
