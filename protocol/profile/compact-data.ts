/**
 * The buffer of a Compact data object (class 62): an octet that names the template, and the values of the capture
 * objects back to back without tags, which the template description gives.
 */
import { type Data, expandCompactArray } from "../axdr/data.ts";
import { decodeTypeDescription, type TypeDescription } from "../axdr/type-description.ts";
import { Reader } from "../bytes/reader.ts";
import { DlmsError } from "../errors.ts";

/** How the buffers of one template are to be read. */
export interface CompactTemplate {
  readonly templateId: number;
  /** Attribute 5: a type description in octets. */
  readonly description: TypeDescription;
}

export function compactTemplate(templateId: number, description: Uint8Array): CompactTemplate {
  const reader = new Reader(description);
  const type = decodeTypeDescription(reader);
  reader.end();
  return { templateId, description: type };
}

/** The template that a buffer was made with, for finding its description. Throws DATA_TRUNCATED. */
export function templateIdOf(buffer: Uint8Array): number {
  return new Reader(buffer).u8();
}

/**
 * The values of a buffer as one structure, in the order of the capture objects. Throws DATA_TYPE_MISMATCH when the
 * buffer is of another template, DATA_TRUNCATED and DATA_TRAILING when it does not fit its template.
 */
export function decodeCompactData(buffer: Uint8Array, template: CompactTemplate): Data {
  const reader = new Reader(buffer);
  const templateId = reader.u8();
  if (templateId !== template.templateId) {
    throw new DlmsError("DATA_TYPE_MISMATCH", "peer", { wanted: template.templateId, templateId });
  }
  const { description } = template;
  const [row, ...more] = expandCompactArray({ type: "compact-array", description, contents: reader.rest() });
  if (row === undefined) throw new DlmsError("DATA_TRUNCATED", "peer", { templateId, left: 0 });
  if (more.length > 0) throw new DlmsError("DATA_TRAILING", "peer", { templateId, rows: more.length + 1 });
  return row;
}
