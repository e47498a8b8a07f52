/**
 * Protects and unprotects whole APDUs (tag octet included) for one peer: glo-, ded-, general-glo- and general-ded-
 * ciphering (IEC 62056-5-3, protection of APDUs). Holds the keys, the replay windows and the peer's system title; knows
 * nothing of associations. Returned octets are new, except those of an APDU that was authenticated only: a view.
 */
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type AadForm, type CipheredContent, CONTENT_HEADER_LENGTH, open, parseContent, seal } from "./aead.ts";
import {
  type CipheredApdu,
  type CipheredForm,
  cipheredTag,
  encodeCipheredApdu,
  isCipheredTag,
  type KeySet,
  parseCipheredApdu,
} from "./ciphered-apdu.ts";
import { KeysInForce, type OpenedContent, type ProtectionKeys } from "./keys-in-force.ts";
import { PeerCounters, type RememberedCounter } from "./peer-counters.ts";
import type { ReplayPolicy } from "./replay-window.ts";
import type { DedicatedKey } from "./secret-key.ts";
import {
  PROTECTIONS,
  type Protection,
  protectionName,
  type SecurityControl,
  securityControlOctet,
} from "./security-control.ts";
import { type SecuritySuite, TAG_LENGTH } from "./suites.ts";
import { type SystemTitle, sameTitle, systemTitle, titleText } from "./system-title.ts";

/** Deviations of real meters that may be let pass, each by name. */
export const SECURITY_TOLERANCES = {
  "suite-nibble": "the suite id in the security control may be another one of the same key length",
  "broadcast-bit": "the broadcast bit may be set on what was protected with the unicast key",
  "counted-tag": "the length of encrypted content may count the tag that it does not have",
  "unchecked-tag": "a tag goes unchecked where nobody has the authentication key",
  "other-title": "a general form may name another system title than the association's",
} as const;

export type SecurityTolerance = keyof typeof SECURITY_TOLERANCES;

/** Something that was let pass; for the log. */
export type ProtectionWarning = SecurityTolerance | "counter-replayed";

export interface ApduProtectionOptions {
  readonly suite: SecuritySuite;
  readonly ownSystemTitle: SystemTitle;
  /** May be learned later, from the AARE or from a general form whose tag has been verified. */
  readonly peerSystemTitle?: SystemTitle | undefined;
  readonly keys: ProtectionKeys;
  /** Gives each counter once. The dedicated key counts for itself, from 1, and does not ask, unless it goes on with this. */
  readonly nextInvocationCounter: (keySet: "global" | "broadcast") => number;
  readonly replay?: ReplayPolicy | undefined;
  /** Where the counters of peers stand that have not spoken yet. */
  readonly rememberedCounter?: RememberedCounter;
  /**
   * The weakest protection that may be sent, and that may be received. Where nothing is required of what is received,
   * whoever can change octets on the way can clear the authentication bit; `verified` is then false.
   */
  readonly minimum?: { readonly sent?: Protection; readonly received?: Protection } | undefined;
  readonly tolerate?: readonly SecurityTolerance[] | undefined;
  readonly aadForm?: AadForm | undefined;
  /** Whether the counter of the global key goes on under a dedicated key, as some servers want it. */
  readonly dedicatedCounter?: "own" | "global" | undefined;
}

export interface ProtectRequest {
  readonly control: Protection;
  readonly form: CipheredForm;
  readonly keySet: KeySet;
}

/** One layer of protection that has been taken off. */
export interface ProtectionLayer {
  readonly form: CipheredForm;
  readonly keySet: KeySet;
  readonly securityControl: SecurityControl;
  readonly invocationCounter: number;
  /** The sender whose title was used. */
  readonly systemTitle: SystemTitle;
  /** Whether a tag vouches for counter, title and content. */
  readonly verified: boolean;
}

/** A plain APDU and what had protected it; the members beside `apdu` and `layers` are those of the outermost layer. */
export interface Unprotected extends ProtectionLayer {
  readonly apdu: Uint8Array;
  readonly layers: readonly ProtectionLayer[];
  readonly warnings: readonly ProtectionWarning[];
}

/** Plain APDUs that are accepted, as a failure only, although protection is required (exception and service error). */
const FAILURES_IN_CLEAR: ReadonlySet<number> = new Set([0xd8, 0x0e]);

export class ApduProtection {
  readonly suite: SecuritySuite;
  readonly ownSystemTitle: SystemTitle;
  readonly #options: ApduProtectionOptions;
  readonly #tolerate: ReadonlySet<SecurityTolerance>;
  /** Where the peer's counters stand; general-ciphering under the same keys goes by the same. */
  readonly peerCounters: PeerCounters;
  #peerSystemTitle: SystemTitle | undefined;
  readonly #keys: KeysInForce;
  #dedicatedCounter = 1;

  constructor(options: ApduProtectionOptions) {
    this.suite = options.suite;
    this.ownSystemTitle = options.ownSystemTitle;
    this.#options = options;
    this.peerCounters = new PeerCounters(options.replay, options.rememberedCounter);
    this.#tolerate = new Set(options.tolerate);
    this.#peerSystemTitle = options.peerSystemTitle;
    this.#keys = new KeysInForce(options);
  }

  get peerSystemTitle(): SystemTitle | undefined {
    return this.#peerSystemTitle;
  }

  /** Takes the title that the peer gave in its AARQ or AARE. Throws SECURITY_TITLE_REFLECTED when it is our own. */
  learnPeerSystemTitle(octets: Uint8Array): void {
    const title = systemTitle(octets, "peer");
    this.#refuseReflection(title);
    this.#peerSystemTitle = title;
  }

  /** Puts the key of a new association in force; both directions count afresh. */
  useDedicatedKey(key: DedicatedKey | undefined, firstCounter = 1): void {
    if (!this.#keys.useDedicated(key)) return;
    this.#dedicatedCounter = firstCounter;
    this.peerCounters.forget("dedicated");
  }

  /** Sets where the peer's counter stands, as remembered from earlier sessions. */
  expectInvocationCounter(keySet: KeySet, lowestAcceptable: number): void {
    this.peerCounters.expect(keySet, this.#requirePeerTitle(), lowestAcceptable);
  }

  /** The lowest counter that the peer may use next, to be remembered; undefined when it has not spoken yet. */
  lowestAcceptable(keySet: KeySet): number | undefined {
    const title = this.#peerSystemTitle;
    return title === undefined ? undefined : this.peerCounters.lowestAcceptable(keySet, title);
  }

  /** Ciphers a plain APDU. Whatever is refused is refused before a counter is taken. */
  protect(plainApdu: Uint8Array, request: ProtectRequest): Uint8Array {
    const plainTag = plainApdu[0];
    if (plainTag === undefined) throw new DlmsError("DATA_TRUNCATED", "caller", { offset: 0, wanted: 1, left: 0 });
    const keys = this.#keys.of(request.keySet);
    const { control, form, keySet } = request;
    const required = this.#options.minimum?.sent;
    if (required !== undefined) requireProtection(PROTECTIONS[control], required, "caller");
    if (PROTECTIONS[control].authenticated) this.#keys.requireAuthenticationKey();
    if (form === "service-specific") cipheredTag(plainTag, keySet === "dedicated");
    const head = {
      securityControl: securityControlOctet(this.suite, control, keySet === "broadcast"),
      invocationCounter: this.#nextCounter(keySet),
    };
    const content = seal(keys, { sender: this.ownSystemTitle }, head, plainApdu);
    return encodeCipheredApdu({ form, keySet, sender: this.ownSystemTitle }, plainTag, content);
  }

  /**
   * Verifies and deciphers an APDU, layer by layer, until a plain one remains. The peer's counters and title are taken
   * over only when a tag vouches for them. Every way to fail has its own code.
   */
  unprotect(apdu: Uint8Array): Unprotected {
    const layers: ProtectionLayer[] = [];
    const warnings: ProtectionWarning[] = [];
    let inner = apdu;
    do {
      if (layers.length === LIMITS.protectionDepth)
        throw new DlmsError("DEPTH_OVER_LIMIT", "peer", { limit: LIMITS.protectionDepth });
      inner = this.#unwrap(inner, layers, warnings);
    } while (inner[0] !== undefined && isCipheredTag(inner[0]));
    const outermost = layers[0];
    if (outermost === undefined) throw new DlmsError("SECURITY_NOT_CIPHERED", "peer");
    this.admit(layers);
    return { ...outermost, apdu: inner, layers, warnings };
  }

  /** Throws SECURITY_WEAKER_THAN_REQUIRED unless the layers together protect as is required of what is received. */
  admit(layers: readonly Pick<ProtectionLayer, "securityControl" | "verified">[]): void {
    const required = this.#options.minimum?.received;
    if (required !== undefined) requireProtection(together(layers), required, "peer");
  }

  /**
   * Says whether a plain APDU may come in at all: throws SECURITY_WEAKER_THAN_REQUIRED where protection is required.
   * Exception responses and service errors pass, as failures only: their content must not be believed.
   */
  admitPlain(apdu: Uint8Array): void {
    const required = this.#options.minimum?.received;
    if (required === undefined || (apdu[0] !== undefined && FAILURES_IN_CLEAR.has(apdu[0]))) return;
    requireProtection({ authenticated: false, encrypted: false }, required, "peer");
  }

  /** f(challenge) of HLS-GMAC: SC ‖ counter ‖ tag over SC ‖ authentication key ‖ challenge. Uses a counter up. */
  signChallenge(challenge: Uint8Array): Uint8Array {
    this.#keys.requireAuthenticationKey();
    const keys = this.#keys.of("global");
    const head = {
      securityControl: securityControlOctet(this.suite, "authenticated"),
      invocationCounter: this.#nextCounter("global"),
    };
    const sealed = seal(keys, { sender: this.ownSystemTitle }, head, challenge);
    const reply = new Uint8Array(sealed.length - challenge.length);
    reply.set(sealed.subarray(0, CONTENT_HEADER_LENGTH));
    reply.set(sealed.subarray(CONTENT_HEADER_LENGTH + challenge.length), CONTENT_HEADER_LENGTH);
    return reply;
  }

  /** Verifies the peer's f(challenge) of HLS-GMAC; its counter moves the replay window. Throws HLS_REPLY_MISMATCH. */
  verifyChallenge(challenge: Uint8Array, reply: Uint8Array): void {
    if (reply.length !== CONTENT_HEADER_LENGTH + TAG_LENGTH)
      throw new DlmsError("HLS_REPLY_MISMATCH", "peer", { mechanism: "hls-gmac", length: reply.length });
    this.#keys.requireAuthenticationKey();
    const sender = this.#requirePeerTitle();
    const { securityControl, invocationCounter, tag } = parseContent(reply, 0);
    this.#checkControl(securityControl, []);
    if (tag === undefined || securityControl.encrypted || securityControl.broadcast)
      throw new DlmsError("HLS_REPLY_MISMATCH", "peer", {
        mechanism: "hls-gmac",
        securityControl: securityControl.octet,
      });
    const content = { securityControl, invocationCounter, payload: challenge, tag };
    const keys = this.#keys.of("global");
    try {
      open(keys, { sender }, content);
    } catch (cause) {
      throw new DlmsError("HLS_REPLY_MISMATCH", "peer", { mechanism: "hls-gmac", invocationCounter }, { cause });
    }
    // The challenge vouches for freshness: the APDU that carries the reply is ciphered after it, under a later counter,
    // and has moved the window past the reply's own.
    const lowest = this.peerCounters.lowestAcceptable("global", sender) ?? 0;
    if (invocationCounter >= lowest) {
      this.peerCounters.follow("global", sender, { invocationCounter, verified: true });
    }
  }

  #unwrap(apdu: Uint8Array, layers: ProtectionLayer[], warnings: ProtectionWarning[]): Uint8Array {
    const outside = parseCipheredApdu(apdu);
    if (outside.countsAbsentTag) {
      if (!this.#tolerate.has("counted-tag"))
        throw new DlmsError("SECURITY_TAG_MISSING", "peer", { octets: outside.content.length, counted: TAG_LENGTH });
      warnings.push("counted-tag");
    }
    const content = this.#checkable(parseContent(outside.content), warnings);
    this.#checkControl(content.securityControl, warnings);
    const sender = this.#senderOf(outside, warnings);
    const { plain, keySet, otherwise } = this.#openWith(outside.keySet, content, sender);
    if (otherwise !== undefined) warnings.push(otherwise);
    const verified = content.tag !== undefined;
    checkPlainTag(plain, outside.plainTag, verified);
    const { securityControl, invocationCounter } = content;
    if (!this.peerCounters.follow(keySet, sender, { invocationCounter, verified })) warnings.push("counter-replayed");
    if (verified && this.#peerSystemTitle === undefined) this.#peerSystemTitle = sender;
    layers.push({ form: outside.form, keySet, securityControl, invocationCounter, systemTitle: sender, verified });
    return plain;
  }

  /** What nobody can check vouches for nothing. */
  #checkable(content: CipheredContent, warnings: ProtectionWarning[]): CipheredContent {
    const uncheckable = content.tag !== undefined && !this.#keys.authenticates;
    if (!uncheckable || !this.#tolerate.has("unchecked-tag")) return content;
    warnings.push("unchecked-tag");
    return { ...content, tag: undefined };
  }

  #checkControl(control: SecurityControl, warnings: ProtectionWarning[]): void {
    if (control.compressed)
      throw new DlmsError("SECURITY_COMPRESSION_UNSUPPORTED", "peer", { securityControl: control.octet });
    if (control.suite === this.suite) return;
    if (!this.#tolerate.has("suite-nibble"))
      throw new DlmsError("SECURITY_SUITE_MISMATCH", "peer", { suite: control.suite, expected: this.suite });
    warnings.push("suite-nibble");
  }

  #senderOf(outside: CipheredApdu, warnings: ProtectionWarning[]): SystemTitle {
    const named = outside.systemTitle;
    const known = this.#peerSystemTitle;
    if (named === undefined) return this.#requirePeerTitle();
    this.#refuseReflection(named);
    if (known === undefined || sameTitle(named, known)) return named;
    if (!this.#tolerate.has("other-title"))
      throw new DlmsError("SECURITY_TITLE_MISMATCH", "peer", {
        systemTitle: titleText(named),
        expected: titleText(known),
      });
    warnings.push("other-title");
    return named;
  }

  #openWith(keySet: "global" | "dedicated", content: CipheredContent, sender: SystemTitle): OpenedContent {
    if (keySet === "dedicated" || !content.securityControl.broadcast) return this.#keys.open(keySet, sender, content);
    return this.#keys.openBroadcast(sender, content, this.#tolerate.has("broadcast-bit"));
  }

  #nextCounter(keySet: KeySet): number {
    const { nextInvocationCounter, dedicatedCounter } = this.#options;
    if (keySet !== "dedicated") return nextInvocationCounter(keySet);
    return dedicatedCounter === "global" ? nextInvocationCounter("global") : this.#dedicatedCounter++;
  }

  #requirePeerTitle(): SystemTitle {
    if (this.#peerSystemTitle === undefined) throw new DlmsError("SECURITY_TITLE_UNKNOWN", "peer");
    return this.#peerSystemTitle;
  }

  #refuseReflection(title: SystemTitle): void {
    if (sameTitle(title, this.ownSystemTitle))
      throw new DlmsError("SECURITY_TITLE_REFLECTED", "peer", { systemTitle: titleText(title) });
  }
}

type ProtectionBits = Pick<SecurityControl, "authenticated" | "encrypted">;

/** Throws SECURITY_WEAKER_THAN_REQUIRED when a required kind of protection is not there. */
function requireProtection(given: ProtectionBits, required: Protection, fault: "caller" | "peer"): void {
  const wanted = PROTECTIONS[required];
  if ((wanted.authenticated && !given.authenticated) || (wanted.encrypted && !given.encrypted))
    throw new DlmsError("SECURITY_WEAKER_THAN_REQUIRED", fault, { protection: protectionName(given), required });
}

function together(layers: readonly Pick<ProtectionLayer, "securityControl" | "verified">[]): ProtectionBits {
  return {
    authenticated: layers.some((layer) => layer.verified),
    encrypted: layers.some((layer) => layer.securityControl.encrypted),
  };
}

/** A wrong key shows here when no tag does: the first octet is then not the APDU's that the ciphered tag announces. */
function checkPlainTag(plain: Uint8Array, expected: number | undefined, verified: boolean): void {
  if (expected === undefined || plain[0] === expected) return;
  if (!verified) throw new DlmsError("SECURITY_PLAINTEXT_IMPLAUSIBLE", "peer", { expected });
  throw new DlmsError("SECURITY_SERVICE_MISMATCH", "peer", { expected, tag: plain[0] ?? "none" });
}
