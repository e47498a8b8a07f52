import { APDUS, cipheredTagsOf } from "../apdu/registry.ts";
import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { securityControlOf } from "./security-control.ts";
import { TAG_LENGTH } from "./suites.ts";
import { type SystemTitle, systemTitle } from "./system-title.ts";

const GENERAL_GLO_CIPHERING = APDUS["general-glo-ciphering"][0];
const GENERAL_DED_CIPHERING = APDUS["general-ded-ciphering"][0];

/** Which key protects: the global unicast key, the key of one association, the global broadcast key. */
export type KeySet = "global" | "dedicated" | "broadcast";

/** `service-specific` has a ciphered tag per plain APDU (glo-, ded-); `general` wraps any APDU and names the sender. */
export type CipheredForm = "service-specific" | "general";

/** The outside of a glo-, ded-, general-glo- or general-ded-ciphered APDU; content is a view. */
export interface CipheredApdu {
  readonly tag: number;
  readonly form: CipheredForm;
  /** Global stands for broadcast as well: the security control tells them apart. */
  readonly keySet: "global" | "dedicated";
  /** The tag that the deciphered APDU must have; undefined when any may be inside. */
  readonly plainTag: number | undefined;
  /** From a general form that names its sender; some meters leave it empty. */
  readonly systemTitle: SystemTitle | undefined;
  readonly content: Uint8Array;
  /** The length counts the tag that encrypted content without authentication does not have. */
  readonly countsAbsentTag: boolean;
}

/** Whether `parseCipheredApdu` knows the tag. */
export function isCipheredTag(tag: number): boolean {
  if (tag === GENERAL_GLO_CIPHERING || tag === GENERAL_DED_CIPHERING) return true;
  const tags = cipheredTagsOf(tag);
  return tags !== undefined && tag !== tags.plain;
}

/**
 * Reads the outside of a ciphered APDU. Throws SECURITY_NOT_CIPHERED for other tags, DATA_TRUNCATED when octets are
 * missing; a length that is too large by an absent tag is left to the caller.
 */
export function parseCipheredApdu(apdu: Uint8Array): CipheredApdu {
  const reader = new Reader(apdu);
  const tag = reader.u8();
  if (!isCipheredTag(tag)) throw new DlmsError("SECURITY_NOT_CIPHERED", "peer", { tag });
  const tags = cipheredTagsOf(tag);
  const title = tags === undefined ? reader.bytes(reader.length(LIMITS.stringLength)) : undefined;
  const length = reader.length(LIMITS.apduLength);
  const authenticated = securityControlOf(reader.peek() ?? 0).authenticated;
  const countsAbsentTag = !authenticated && length === reader.remaining + TAG_LENGTH;
  const content = countsAbsentTag ? reader.rest() : reader.bytes(length);
  reader.end();
  return {
    tag,
    form: tags === undefined ? "general" : "service-specific",
    keySet: tag === (tags?.ded ?? GENERAL_DED_CIPHERING) ? "dedicated" : "global",
    plainTag: tags?.plain,
    systemTitle: title === undefined || title.length === 0 ? undefined : systemTitle(title, "peer"),
    content,
    countsAbsentTag,
  };
}

/** Puts the outside around ciphered content. Throws SECURITY_NO_CIPHERED_FORM for a plain tag without counterpart. */
export function encodeCipheredApdu(
  outside: { readonly form: CipheredForm; readonly keySet: KeySet; readonly sender: SystemTitle },
  plainTag: number,
  content: Uint8Array,
): Uint8Array {
  const dedicated = outside.keySet === "dedicated";
  const writer = new Writer(content.length + 16);
  if (outside.form === "general") {
    writer.u8(dedicated ? GENERAL_DED_CIPHERING : GENERAL_GLO_CIPHERING).octetString(outside.sender);
    return writer.octetString(content).finish();
  }
  return writer.u8(cipheredTag(plainTag, dedicated)).octetString(content).finish();
}

/** The service-specific ciphered tag of a plain one. Throws SECURITY_NO_CIPHERED_FORM. */
export function cipheredTag(plainTag: number, dedicated: boolean): number {
  const tags = cipheredTagsOf(plainTag);
  if (tags?.plain !== plainTag) throw new DlmsError("SECURITY_NO_CIPHERED_FORM", "caller", { tag: plainTag });
  return dedicated ? tags.ded : tags.glo;
}
