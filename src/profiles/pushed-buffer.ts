import type { Data } from "../../protocol/axdr/data.ts";
import type { ClockPolicy } from "../../protocol/cosem/date-time.ts";
import { DlmsError } from "../../protocol/errors.ts";
import { type DecodedProfile, decodeProfileBuffer } from "../../protocol/profile/decode.ts";
import { type LayoutSource, profileLayout } from "../../protocol/profile/layout.ts";
import type { PushContext } from "./map-push.ts";
import type { PushItem } from "./push-body.ts";

const PROFILE_CLASS = 7;
const BUFFER = 2;

/** The layout of a profile, or log, whose buffer is pushed; undefined for another object, or where it is not known. */
export function layoutOfBuffer({ object }: PushItem, { profiles }: PushContext): LayoutSource | undefined {
  if (object?.classId !== PROFILE_CLASS || object.attributeId !== BUFFER) return undefined;
  return profiles?.get(object.logicalName);
}

/** A buffer as it is pushed: whole, or its last row alone. None for what is no buffer of the layout: it is among the values of the push. */
export function decodePushedBuffer(data: Data, source: LayoutSource, clock: ClockPolicy): DecodedProfile | undefined {
  const layout = profileLayout(source);
  const isRow = data.type === "structure" && data.value.length === layout.columns.length;
  try {
    return decodeProfileBuffer(isRow ? { type: "array", value: [data] } : data, layout, { clock });
  } catch (error) {
    if (error instanceof DlmsError) return undefined;
    throw error;
  }
}
