/** The outside of general-ciphering and general-signing: the header that a tag or signature covers octet by octet. */
import { generalCiphering, generalSigning, type KeyInfo } from "../apdu/ciphered.ts";
import { APDUS } from "../apdu/registry.ts";
import { Reader } from "../bytes/reader.ts";
import { Writer } from "../bytes/writer.ts";
import { DlmsError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type SystemTitle, systemTitle } from "./system-title.ts";

export const GENERAL_CIPHERING = APDUS["general-ciphering"][0];
export const GENERAL_SIGNING = APDUS["general-signing"][0];
const HEADER_FIELDS = 5;

/** Whether an APDU with this tag is ciphered or signed in the general form. */
export function isGeneralTag(tag: number | undefined): boolean {
  return tag === GENERAL_CIPHERING || tag === GENERAL_SIGNING;
}

/** Who speaks to whom in which transaction. Absent members travel as empty octet strings. */
export interface GeneralHeader {
  readonly transactionId: Uint8Array;
  readonly originator: SystemTitle | undefined;
  readonly recipient: SystemTitle | undefined;
  readonly dateTime?: Uint8Array;
  readonly otherInformation?: Uint8Array;
}

/** A general-ciphering APDU cut up; octets are views. */
export interface GeneralCipheringApdu {
  readonly header: GeneralHeader;
  /** The header as it came, lengths included. */
  readonly headerOctets: Uint8Array;
  readonly keyInfo: KeyInfo | undefined;
  readonly content: Uint8Array;
}

/** A general-signing APDU cut up; octets are views. */
export interface GeneralSigningApdu {
  readonly header: GeneralHeader;
  readonly headerOctets: Uint8Array;
  readonly content: Uint8Array;
  readonly signature: Uint8Array;
}

export function parseGeneralCiphering(apdu: Uint8Array): GeneralCipheringApdu {
  const { reader, headerOctets } = openGeneral(apdu, GENERAL_CIPHERING);
  const body = generalCiphering.decode(reader);
  reader.end();
  return { header: headerOf(body), headerOctets, keyInfo: body.keyInfo, content: body.contents };
}

export function parseGeneralSigning(apdu: Uint8Array): GeneralSigningApdu {
  const { reader, headerOctets } = openGeneral(apdu, GENERAL_SIGNING);
  const body = generalSigning.decode(reader);
  reader.end();
  return { header: headerOf(body), headerOctets, content: body.content, signature: body.signature };
}

/** Transaction id, originator, recipient, date-time and other information, each with its length. */
export function encodeHeader(header: GeneralHeader): Uint8Array {
  const writer = new Writer();
  for (const field of Object.values(fieldsOf(header))) writer.octetString(field);
  return writer.finish();
}

export function encodeGeneralCiphering(
  header: GeneralHeader,
  keyInfo: KeyInfo | undefined,
  contents: Uint8Array,
): Uint8Array {
  const writer = new Writer(contents.length + 64).u8(GENERAL_CIPHERING);
  const fields = fieldsOf(header);
  generalCiphering.encode(keyInfo === undefined ? { ...fields, contents } : { ...fields, keyInfo, contents }, writer);
  return writer.finish();
}

export function encodeGeneralSigning(header: GeneralHeader, content: Uint8Array, signature: Uint8Array): Uint8Array {
  const writer = new Writer(content.length + 192).u8(GENERAL_SIGNING);
  generalSigning.encode({ ...fieldsOf(header), content, signature }, writer);
  return writer.finish();
}

function openGeneral(apdu: Uint8Array, wanted: number): { readonly reader: Reader; readonly headerOctets: Uint8Array } {
  const reader = new Reader(apdu);
  const tag = reader.u8();
  if (tag !== wanted) throw new DlmsError("SECURITY_NOT_CIPHERED", "peer", { tag, wanted });
  const start = reader.offset;
  for (let field = 0; field < HEADER_FIELDS; field++) reader.bytes(reader.length(LIMITS.stringLength));
  const headerOctets = reader.since(start);
  reader.offset = start;
  return { reader, headerOctets };
}

interface HeaderFields {
  readonly transactionId: Uint8Array;
  readonly originatorSystemTitle: Uint8Array;
  readonly recipientSystemTitle: Uint8Array;
  readonly dateTime: Uint8Array;
  readonly otherInformation: Uint8Array;
}

/** In the order of the wire. */
function fieldsOf(header: GeneralHeader): HeaderFields {
  const none = new Uint8Array(0);
  return {
    transactionId: header.transactionId,
    originatorSystemTitle: header.originator ?? none,
    recipientSystemTitle: header.recipient ?? none,
    dateTime: header.dateTime ?? none,
    otherInformation: header.otherInformation ?? none,
  };
}

function headerOf(fields: HeaderFields): GeneralHeader {
  return {
    transactionId: fields.transactionId,
    originator: titleIn(fields.originatorSystemTitle),
    recipient: titleIn(fields.recipientSystemTitle),
    dateTime: fields.dateTime,
    otherInformation: fields.otherInformation,
  };
}

function titleIn(octets: Uint8Array): SystemTitle | undefined {
  return octets.length === 0 ? undefined : systemTitle(octets, "peer");
}
