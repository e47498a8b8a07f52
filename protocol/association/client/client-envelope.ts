/**
 * What stands between a client's plain APDUs and the link: protection, then general blocks; and the same the other way
 * round. Nothing is queued when something is refused.
 */
import { type Apdu, type ApduOf, decodeApdu, encodeApdu } from "../../apdu/apdu.ts";
import { APDUS, cipheredTagsOf } from "../../apdu/registry.ts";
import { sameOctets } from "../../bytes/octets.ts";
import { DlmsError } from "../../errors.ts";
import { Queue } from "../../queue.ts";
import type { Quirk } from "../../quirks.ts";
import { isCipheredTag } from "../../security/ciphered-apdu.ts";
import { isGeneralTag } from "../../security/general-apdu.ts";
import type { GeneralWarning } from "../../security/general-protection.ts";
import type { DedicatedKey } from "../../security/secret-key.ts";
import { GENERAL_BLOCK_OVERHEAD, GeneralBlockDialogue, UnconfirmedBlocks } from "../general-blocks.ts";
import { type AnyLayer, type GeneralWrap, requireTransaction, wrapGeneral, wrapOverhead } from "../general-use.ts";
import type { Agreement, ClientEvent } from "./client-events.ts";
import type { ClientSettings } from "./client-settings.ts";

/** Octets that protection may add; meters differ in whether their limit counts them. */
const PROTECTION_RESERVE = { "service-specific": 30, general: 40 } as const;
/** The least that a request is cut down to, whatever the server says: below, blocks would carry nothing. */
const SHORTEST_PDU = 24;
/** The longest APDU that a wrapper carries; where the server sets no limit. */
const LONGEST_PDU = 0xffff;
const GENERAL_BLOCK_WINDOW = 6;
const GENERAL_BLOCK_TAG = 0xe0;
/** The tag of a ciphered APDU, where it has one. */
const END_OCTETS = 12;

/** A plain APDU that came in, and what had protected it. */
export interface OpenedApdu {
  readonly apdu: Apdu;
  readonly layers: readonly AnyLayer[];
  /** As it came, joined from its blocks. */
  readonly octets: Uint8Array;
}

/** AARE and RLRE are never ciphered themselves: their user-information is, and it is judged where it is opened. */
function isAcse(apdu: Uint8Array): boolean {
  return apdu[0] === APDUS.aare[0] || apdu[0] === APDUS.rlre[0];
}

export class ClientEnvelope {
  readonly #settings: ClientSettings;
  readonly #tell: (event: ClientEvent) => void;
  readonly #output = new Queue<Uint8Array>();
  readonly #pushedBlocks = new UnconfirmedBlocks();
  #agreement: Agreement | undefined;
  #dedicated = false;
  /** Of the request under way, as soon as blocks of it or of its answer pass. */
  #dialogue: GeneralBlockDialogue | undefined;
  /** The answer to a request may come in blocks. */
  #takesBlocks = false;
  /** The ciphered APDU that was opened last. */
  #lastOpened: Uint8Array | undefined;
  /** Of the latest request. */
  #wrap: GeneralWrap | undefined;

  constructor(settings: ClientSettings, tell: (event: ClientEvent) => void) {
    this.#settings = settings;
    this.#tell = tell;
  }

  /** Before an association and after it. */
  reset(): void {
    this.#agreement = undefined;
    this.#endDialogue();
    this.#wrap = undefined;
    this.#dedicated = false;
    this.#lastOpened = undefined;
    this.#output.clear();
    this.#pushedBlocks.drop();
    this.#tellDropped();
  }

  agree(agreement: Agreement): void {
    this.#agreement = agreement;
  }

  /** From now on requests are protected with the key of this association. */
  useDedicatedKey(key: DedicatedKey | undefined): void {
    this.#settings.protection?.useDedicatedKey(key);
    this.#dedicated = key !== undefined;
  }

  /** Whether a request that is too long goes in general blocks instead of those of its service. */
  get prefersGeneralBlocks(): boolean {
    return this.#settings.generalBlocks === "always" && this.#generalBlocksAgreed();
  }

  /** Octets of the longest plain APDU that the server takes in one piece. */
  get maxPlainLength(): number {
    const { ciphering } = this.#settings;
    const protects = ciphering !== undefined && ciphering.request !== "none";
    return Math.max(SHORTEST_PDU, this.#maxPduLength() - (protects ? this.#reserve() : 0));
  }

  /** Sends an APDU as it is: one that opens or closes an association. */
  sendPlain(apdu: ApduOf<"aarq" | "rlrq">): void {
    const octets = encodeApdu(apdu);
    this.#endDialogue();
    this.#output.push(octets);
  }

  /** Protects an APDU that gets no answer and sends it, whatever else is under way. Throws PDU_TOO_LONG. */
  sendAside(apdu: Apdu): void {
    const octets = this.#protect(encodeApdu(apdu), this.#nextWrap());
    const limit = this.#maxPduLength();
    if (octets.length > Math.max(limit, SHORTEST_PDU + this.#reserve())) {
      throw new DlmsError("PDU_TOO_LONG", "caller", { length: octets.length, limit });
    }
    this.#output.push(octets);
  }

  /** Protects a request and sends it, in general blocks where that is needed. Throws PDU_TOO_LONG. */
  send(apdu: Apdu): void {
    const wrap = this.#nextWrap();
    const octets = this.#protect(encodeApdu(apdu), wrap);
    const maxLength = this.#maxPduLength();
    const tooLong = octets.length > Math.max(maxLength, SHORTEST_PDU + this.#reserve());
    const inBlocks = this.prefersGeneralBlocks || (tooLong && this.#generalBlocksAgreed());
    if (tooLong && !inBlocks)
      throw new DlmsError("PDU_TOO_LONG", "caller", { length: octets.length, limit: maxLength });
    const dialogue = inBlocks ? this.#newDialogue() : undefined;
    dialogue?.send(octets);
    this.#wrap = wrap;
    this.#dialogue = dialogue;
    this.#takesBlocks = true;
    if (dialogue === undefined) this.#output.push(octets);
    else this.#drainBlocks(dialogue);
  }

  /**
   * Joins, deciphers and decodes what came; undefined while blocks are missing. `awaited` says that an answer is,
   * `tolerated` which deviations its octets may have. Throws what is wrong with them.
   */
  open(octets: Uint8Array, awaited: boolean, tolerated?: ReadonlySet<Quirk>): OpenedApdu | undefined {
    const whole = octets[0] === GENERAL_BLOCK_TAG ? this.#join(octets, awaited) : octets;
    if (whole === undefined) return undefined;
    if (isGeneralTag(whole[0])) return this.#openGeneral(whole, tolerated);
    const { protection } = this.#settings;
    if (whole[0] === undefined || !isCipheredTag(whole[0])) {
      const tolerable = awaited && this.#settings.tolerate?.includes("plain-response") === true;
      if (!isAcse(whole) && !tolerable) protection?.admitPlain(whole);
      return { apdu: this.#decode(whole, tolerated), layers: [], octets: whole };
    }
    if (protection === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "blockCipherKey" });
    const { apdu, layers, warnings } = protection.unprotect(whole);
    this.#opened(whole, warnings);
    return { apdu: this.#decode(apdu, tolerated), layers, octets: whole };
  }

  /** Whether ciphered octets are those that were opened last, once more. */
  repeatsLast(octets: Uint8Array): boolean {
    const last = this.#lastOpened?.subarray(-END_OCTETS);
    return last !== undefined && sameOctets(last, octets.subarray(-END_OCTETS));
  }

  /**
   * Says whether an answer may be believed: throws SECURITY_WEAKER_THAN_REQUIRED for one that came in clear although the
   * request did not, SECURITY_TRANSACTION_MISMATCH for one that belongs to another request.
   */
  admitAnswer({ apdu, layers }: OpenedApdu): void {
    const { ciphering, tolerate } = this.#settings;
    const plainByNature = apdu.apdu === "aare" || apdu.apdu === "rlre";
    if (plainByNature || ciphering === undefined || ciphering.request === "none") return;
    if (this.#wrap !== undefined) requireTransaction(layers, this.#wrap);
    if (layers.length > 0) return;
    if (tolerate?.includes("plain-response") !== true) {
      throw new DlmsError("SECURITY_WEAKER_THAN_REQUIRED", "peer", { apdu: apdu.apdu, protection: "none" });
    }
    this.#tell({ type: "leniency", name: "plain-response" });
  }

  /** Whether the answer comes in general blocks, of which some are missing. */
  get inBlocks(): boolean {
    return this.#dialogue?.active === true;
  }

  /** Grows with every general block that brings an answer nearer. */
  get blockProgress(): number {
    return this.#dialogue?.progress ?? 0;
  }

  /** Says the last blocks again; false when that is not to be done (any more). */
  repeat(): boolean {
    const dialogue = this.#dialogue;
    if (dialogue === undefined || !dialogue.repeat()) return false;
    this.#drainBlocks(dialogue);
    return true;
  }

  takeBytes(): Uint8Array | undefined {
    return this.#output.take();
  }

  #opened(octets: Uint8Array, warnings: readonly GeneralWarning[]): void {
    this.#lastOpened = octets;
    for (const name of warnings) this.#tell({ type: "leniency", name });
  }

  #openGeneral(octets: Uint8Array, tolerated: ReadonlySet<Quirk> | undefined): OpenedApdu {
    const { general, protection } = this.#settings;
    if (general === undefined || protection === undefined) {
      throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "general protection" });
    }
    const { apdu, layers, warnings } = general.protection.unprotect(octets);
    protection.admit(layers.filter((layer) => "securityControl" in layer));
    this.#opened(octets, warnings);
    return { apdu: this.#decode(apdu, tolerated), layers, octets };
  }

  #join(octets: Uint8Array, awaited: boolean): Uint8Array | undefined {
    const block = decodeApdu(octets);
    if (block.apdu !== "general-block-transfer") return octets;
    const { blockControl, blockNumberAck } = block.body;
    if (awaited && this.#takesBlocks) this.#dialogue ??= this.#newDialogue();
    const dialogue = awaited ? this.#dialogue : undefined;
    // A push counts its own blocks, grants no window and acknowledges nothing.
    if (dialogue === undefined || (blockControl.window === 0 && blockNumberAck === 0 && !dialogue.active)) {
      const push = this.#pushedBlocks.receive(block.body);
      this.#tellDropped();
      return push;
    }
    const whole = dialogue.receive(block.body);
    this.#drainBlocks(dialogue);
    if (whole === undefined) this.#tell({ type: "progress", octets: dialogue.joined });
    else this.#endDialogue();
    return whole;
  }

  /** Blocks of a push that will not become whole. */
  #tellDropped(): void {
    const octets = this.#pushedBlocks.takeDropped();
    if (octets === undefined) return;
    const error = new DlmsError("FRAME_INCOMPLETE", "peer", { octets: octets.length });
    this.#tell({ type: "discarded", error, octets });
  }

  #newDialogue(): GeneralBlockDialogue {
    return new GeneralBlockDialogue({
      blockLength: Math.max(SHORTEST_PDU, this.#maxPduLength()) - GENERAL_BLOCK_OVERHEAD,
      window: this.#settings.generalBlockWindow ?? GENERAL_BLOCK_WINDOW,
    });
  }

  #endDialogue(): void {
    this.#dialogue = undefined;
    this.#takesBlocks = false;
  }

  #drainBlocks(dialogue: GeneralBlockDialogue): void {
    for (let block = dialogue.takeBlock(); block !== undefined; block = dialogue.takeBlock()) {
      this.#output.push(encodeApdu({ apdu: "general-block-transfer", body: block }));
    }
  }

  #nextWrap(): GeneralWrap | undefined {
    const { general, ciphering } = this.#settings;
    if (general === undefined || ciphering === undefined || ciphering.request === "none") return undefined;
    const { scheme, sign = false } = general;
    return scheme === undefined && !sign ? undefined : { scheme, sign, transactionId: general.transactionId() };
  }

  #protect(plain: Uint8Array, wrap: GeneralWrap | undefined): Uint8Array {
    const { ciphering, protection, general } = this.#settings;
    if (ciphering === undefined || ciphering.request === "none") return plain;
    if (protection === undefined) throw new DlmsError("SECURITY_KEY_MISSING", "caller", { key: "blockCipherKey" });
    const keySet = this.#dedicated ? "dedicated" : "global";
    // What has no ciphered tag of its own travels in the general form whatever the association's is.
    const hasTag = plain[0] !== undefined && cipheredTagsOf(plain[0]) !== undefined;
    const form = hasTag ? (ciphering.form ?? "service-specific") : "general";
    const control = ciphering.request;
    const seal = () => protection.protect(plain, { control, form, keySet });
    if (wrap === undefined || general === undefined) return seal();
    return wrapGeneral(plain, control, { ...wrap, protection: general.protection }, seal);
  }

  #decode(octets: Uint8Array, tolerated?: ReadonlySet<Quirk>): Apdu {
    const apdu = decodeApdu(octets, tolerated);
    for (const name of apdu.quirks ?? []) this.#tell({ type: "leniency", name });
    return apdu;
  }

  #reserve(): number {
    const { ciphering, general = {} } = this.#settings;
    return PROTECTION_RESERVE[ciphering?.form ?? "service-specific"] + wrapOverhead(general);
  }

  #maxPduLength(): number {
    const size = this.#agreement?.serverMaxReceivePduSize ?? 0;
    return size === 0 ? LONGEST_PDU : size;
  }

  #generalBlocksAgreed(): boolean {
    const use = this.#settings.generalBlocks ?? "when-needed";
    return use !== "never" && this.#agreement?.conformance.has("general-block-transfer") === true;
  }
}
