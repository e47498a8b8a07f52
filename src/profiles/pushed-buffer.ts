import type { Data } from "../../protocol/axdr/data.ts";
import type { ClockPolicy } from "../../protocol/cosem/date-time.ts";
import { type DecodedProfile, decodeProfileBuffer } from "../../protocol/profile/decode.ts";
import { type LayoutSource, profileLayout } from "../../protocol/profile/layout.ts";

/** A buffer as it is pushed: whole, or its last row alone. Throws DlmsError for what is no buffer of the layout. */
export function decodePushedBuffer(data: Data, source: LayoutSource, clock: ClockPolicy): DecodedProfile {
  const layout = profileLayout(source);
  const isRow = data.type === "structure" && data.value.length === layout.columns.length;
  return decodeProfileBuffer(isRow ? { type: "array", value: [data] } : data, layout, { clock });
}
