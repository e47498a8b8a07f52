import { fromHex } from "../../protocol/bytes/hex.ts";
import type { CorpusCase } from "./case.ts";
import { NotSupported } from "./reading.ts";

/** The one unit of octets of a case; cases with another form of input are not for this reader. */
export function hexInput(each: CorpusCase): Uint8Array {
  return fromHex(textInput(each, "hex"));
}

/** Several units in order: frames, apdus, chunks, blocks. */
export function hexList(each: CorpusCase, name: string): Uint8Array[] {
  const value = each.input[name];
  if (!Array.isArray(value)) throw unsupported(each, name);
  return value.map((part) => fromHex(String(part)));
}

export function textInput(each: CorpusCase, name: string): string {
  const value = each.input[name];
  if (typeof value !== "string") throw unsupported(each, name);
  return value;
}

/** A key, title or password of the case as octets, or undefined when the case has none. */
export function keyOf(each: CorpusCase, ...names: readonly string[]): Uint8Array | undefined {
  const found = names.map((name) => each.keys[name]).find((value) => value !== undefined);
  return found === undefined ? undefined : fromHex(found);
}

function unsupported(each: CorpusCase, wanted: string): NotSupported {
  return new NotSupported(`input has ${Object.keys(each.input).join(", ")}, the reader wants ${wanted}`);
}
