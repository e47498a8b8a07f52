/**
 * general-ciphering and general-signing for one peer (IEC 62056-5-3, general protection), on top of an ApduProtection
 * that opens what may be inside. What the sources disagree on are options: whether the tag covers the header, the
 * algorithm identifier of the key derivation, and what signatures cover. Counters guard against replay where a key is
 * held; under a key of one transaction the counter says nothing, and whoever asked has to match the transaction id in
 * `layers`.
 */
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type AeadKeys, type CipheredContent, open, parseContent, seal } from "./aead.ts";
import type { ApduProtection, ProtectionLayer, ProtectionWarning } from "./apdu-protection.ts";
import { isCipheredTag } from "./ciphered-apdu.ts";
import {
  encodeGeneralCiphering,
  encodeGeneralSigning,
  encodeHeader,
  GENERAL_CIPHERING,
  GENERAL_SIGNING,
  type GeneralHeader,
  isGeneralTag,
  parseGeneralCiphering,
  parseGeneralSigning,
} from "./general-apdu.ts";
import type { KdfIdentifier } from "./key-agreement.ts";
import { type AuthenticationKey, requireSuiteLength } from "./secret-key.ts";
import {
  PROTECTIONS,
  type Protection,
  protectionName,
  type SecurityControl,
  securityControlOctet,
} from "./security-control.ts";
import { requireSignature, signOctets } from "./signature.ts";
import { type SystemTitle, sameTitle, titleText } from "./system-title.ts";
import {
  type EphemeralSignature,
  findTransactionKey,
  KEY_SCHEMES,
  type KeyScheme,
  makeTransactionKey,
  type TransactionContext,
  type TransactionKeys,
} from "./transaction-key.ts";

const LONGEST_LENGTH_FIELD = 5;

/** Which octets of general-ciphering the tag covers: SC ‖ AK ‖ header, or SC ‖ AK alone. Peers of both kinds exist. */
export type GeneralAadForm = "with-header" | "without-header";

/** Whether a signature covers the length of the content besides the content; the sources leave it open. */
export type SignedContent = "without-length" | "with-length";

export interface GeneralProtectionOptions {
  /** Suite, titles and the inside of what is wrapped here. */
  readonly protection: ApduProtection;
  readonly keys: TransactionKeys & { readonly authenticationKey?: AuthenticationKey };
  /** Gives each counter of a held or static key once. New keys count from 0 and do not ask. */
  readonly nextInvocationCounter: (scheme: KeyScheme) => number;
  readonly randomOctets?: (length: number) => Uint8Array;
  readonly aad?: GeneralAadForm;
  /** Opens an APDU also when its tag fits the other form only; `layers` then says which one. */
  readonly tolerateOtherAad?: boolean;
  readonly kdfIdentifier?: KdfIdentifier;
  readonly ephemeralSignature?: EphemeralSignature;
  readonly signedContent?: SignedContent;
}

/** What of a header the sender chooses; the titles are the two of the association. */
export interface Transaction {
  /** Never to be used twice with the same peer: in the static scheme the key depends on it. */
  readonly transactionId: Uint8Array;
  readonly dateTime?: Uint8Array;
  readonly otherInformation?: Uint8Array;
}

interface GeneralCipheringLayer {
  readonly form: "general-ciphering";
  readonly header: GeneralHeader;
  readonly scheme: KeyScheme;
  readonly securityControl: SecurityControl;
  readonly invocationCounter: number;
  readonly verified: boolean;
  /** The form that the tag fitted. */
  readonly aad: GeneralAadForm;
}

interface GeneralSigningLayer {
  readonly form: "general-signing";
  readonly header: GeneralHeader;
}

/** Something that was let pass, or that the tag fits the other form of additional data; for the log. */
export type GeneralWarning = ProtectionWarning | "other-aad";

export interface GeneralUnprotected {
  readonly apdu: Uint8Array;
  /** Outermost first. */
  readonly layers: readonly (GeneralCipheringLayer | GeneralSigningLayer | ProtectionLayer)[];
  readonly warnings: readonly GeneralWarning[];
}

export class GeneralProtection {
  readonly #options: GeneralProtectionOptions;

  /** Throws SECURITY_KEY_LENGTH. */
  constructor(options: GeneralProtectionOptions) {
    const { blockCipherKey, broadcastKey, authenticationKey } = options.keys;
    for (const key of [blockCipherKey, broadcastKey, authenticationKey])
      if (key !== undefined) requireSuiteLength(key, options.protection.suite);
    this.#options = options;
  }

  /** Ciphers a plain APDU as general-ciphering. */
  cipher(
    plainApdu: Uint8Array,
    request: { readonly control: Protection; readonly scheme: KeyScheme },
    transaction: Transaction,
  ): Uint8Array {
    const { protection } = this.#options;
    const header = this.#header(transaction);
    const { key, keyInfo } = makeTransactionKey(request.scheme, header, this.#context());
    const keys = this.#aeadKeys(key);
    if (PROTECTIONS[request.control].authenticated && keys.authentication === undefined)
      throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "authenticationKey" });
    const head = {
      securityControl: securityControlOctet(protection.suite, request.control),
      invocationCounter: KEY_SCHEMES[request.scheme].freshKey ? 0 : this.#options.nextInvocationCounter(request.scheme),
    };
    const context = this.#aeadContext(protection.ownSystemTitle, encodeHeader(header), this.#aad);
    return encodeGeneralCiphering(header, keyInfo, seal(keys, context, head, plainApdu));
  }

  /** Signs an APDU, plain or ciphered, as general-signing. */
  sign(content: Uint8Array, transaction: Transaction): Uint8Array {
    const signingKey = this.#options.keys.ownSigningKey;
    if (signingKey === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "ownSigningKey" });
    const header = this.#header(transaction);
    return encodeGeneralSigning(
      header,
      content,
      signOctets(signingKey, this.#signedOctets(encodeHeader(header), content)),
    );
  }

  /** Takes off every layer, whatever of this room's or the ciphered forms it is, until a plain APDU remains. */
  unprotect(apdu: Uint8Array): GeneralUnprotected {
    const layers: (GeneralCipheringLayer | GeneralSigningLayer | ProtectionLayer)[] = [];
    const warnings: GeneralWarning[] = [];
    let inner = apdu;
    for (let tag = inner[0]; tag !== undefined; tag = inner[0]) {
      if (layers.length >= LIMITS.protectionDepth && (isGeneralTag(tag) || isCipheredTag(tag)))
        throw new DlmsError("DEPTH_OVER_LIMIT", "peer", { limit: LIMITS.protectionDepth });
      if (tag === GENERAL_CIPHERING) inner = this.#decipher(inner, layers, warnings);
      else if (tag === GENERAL_SIGNING) inner = this.#verify(inner, layers);
      else if (isCipheredTag(tag)) {
        const opened = this.#options.protection.unprotect(inner);
        layers.push(...opened.layers);
        warnings.push(...opened.warnings);
        inner = opened.apdu;
      } else break;
    }
    if (layers.length === 0) throw new DlmsError("SECURITY_NOT_CIPHERED", "peer", { tag: apdu[0] ?? "none" });
    return { apdu: inner, layers, warnings };
  }

  #decipher(apdu: Uint8Array, layers: object[], warnings: GeneralWarning[]): Uint8Array {
    const { header, headerOctets, keyInfo, content: octets } = parseGeneralCiphering(apdu);
    const sender = this.#checkParties(header);
    const content = parseContent(octets);
    const { securityControl, invocationCounter } = content;
    this.#checkControl(securityControl);
    const { scheme, key } = findTransactionKey(keyInfo, header, this.#context());
    const { plain, aad } = this.#open(key, content, { sender, header: headerOctets });
    const verified = content.tag !== undefined;
    const { window } = KEY_SCHEMES[scheme];
    if (
      window !== undefined &&
      !this.#options.protection.peerCounters.follow(window, sender, { invocationCounter, verified })
    )
      warnings.push("counter-replayed");
    if (aad !== this.#aad) warnings.push("other-aad");
    const layer: GeneralCipheringLayer = {
      form: "general-ciphering",
      header,
      scheme,
      securityControl,
      invocationCounter,
      verified,
      aad,
    };
    layers.push(layer);
    return plain;
  }

  #open(
    key: AeadKeys["encryption"],
    content: CipheredContent,
    { sender, header }: { readonly sender: SystemTitle; readonly header: Uint8Array },
  ): { readonly plain: Uint8Array; readonly aad: GeneralAadForm } {
    const keys = this.#aeadKeys(key);
    const attempt = (aad: GeneralAadForm) => ({
      plain: open(keys, this.#aeadContext(sender, header, aad), content),
      aad,
    });
    try {
      return attempt(this.#aad);
    } catch (error) {
      const again = error instanceof DlmsError && error.code === "SECURITY_TAG_MISMATCH";
      if (!again || this.#options.tolerateOtherAad !== true) throw error;
      return attempt(this.#aad === "with-header" ? "without-header" : "with-header");
    }
  }

  #verify(apdu: Uint8Array, layers: object[]): Uint8Array {
    const { header, headerOctets, content, signature } = parseGeneralSigning(apdu);
    this.#checkParties(header);
    const key = this.#options.keys.peerSigningKey;
    if (key === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "peerSigningKey" });
    requireSignature(key, this.#signedOctets(headerOctets, content), signature, "general-signing");
    const layer: GeneralSigningLayer = { form: "general-signing", header };
    layers.push(layer);
    return content;
  }

  /** The sender, after making sure that it is the peer and that we are meant. */
  #checkParties(header: GeneralHeader): SystemTitle {
    const { ownSystemTitle, peerSystemTitle } = this.#options.protection;
    const { originator, recipient } = header;
    if (recipient !== undefined && !sameTitle(recipient, ownSystemTitle)) throw mismatch(recipient, ownSystemTitle);
    const sender = originator ?? peerSystemTitle;
    if (sender === undefined) throw new DlmsError("SECURITY_TITLE_UNKNOWN", "peer");
    if (sameTitle(sender, ownSystemTitle))
      throw new DlmsError("SECURITY_TITLE_REFLECTED", "peer", { systemTitle: titleText(sender) });
    if (peerSystemTitle !== undefined && !sameTitle(sender, peerSystemTitle)) throw mismatch(sender, peerSystemTitle);
    return sender;
  }

  #checkControl(control: SecurityControl): void {
    const { suite } = this.#options.protection;
    if (control.compressed)
      throw new DlmsError("SECURITY_COMPRESSION_UNSUPPORTED", "peer", { securityControl: control.octet });
    if (control.suite !== suite)
      throw new DlmsError("SECURITY_SUITE_MISMATCH", "peer", { suite: control.suite, expected: suite });
    if (!control.authenticated && !control.encrypted)
      throw new DlmsError("SECURITY_NOT_CIPHERED", "peer", { protection: protectionName(control) });
  }

  #header(transaction: Transaction): GeneralHeader {
    const { ownSystemTitle: originator, peerSystemTitle: recipient } = this.#options.protection;
    return { ...transaction, originator, recipient };
  }

  #signedOctets(header: Uint8Array, content: Uint8Array): Uint8Array {
    const writer = new Writer(header.length + content.length + LONGEST_LENGTH_FIELD).bytes(header);
    if (this.#options.signedContent === "with-length") writer.lengthField(content.length);
    return writer.bytes(content).finish();
  }

  get #aad(): GeneralAadForm {
    return this.#options.aad ?? "with-header";
  }

  #aeadContext(sender: SystemTitle, header: Uint8Array, aad: GeneralAadForm) {
    return aad === "with-header" ? { sender, header } : { sender };
  }

  #aeadKeys(encryption: AeadKeys["encryption"]): AeadKeys {
    const { protection, keys } = this.#options;
    return { suite: protection.suite, encryption, authentication: keys.authenticationKey };
  }

  #context(): TransactionContext {
    const { protection, keys, kdfIdentifier = "corrected", ephemeralSignature = "key", randomOctets } = this.#options;
    return { suite: protection.suite, keys, kdfIdentifier, ephemeralSignature, randomOctets };
  }
}

function mismatch(named: SystemTitle, expected: SystemTitle): DlmsError {
  return new DlmsError("SECURITY_TITLE_MISMATCH", "peer", {
    systemTitle: titleText(named),
    expected: titleText(expected),
  });
}
