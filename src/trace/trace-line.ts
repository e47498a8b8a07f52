/** A frame of a trace as the API tells it. */
import { toHex } from "../../protocol/bytes/hex.ts";
import { treeJson } from "../../protocol/translate/render.ts";
import type { FrameLine } from "../api/answers/traces.ts";
import type { TracedFrame } from "./dialogue.ts";

export function frameLineOf(frame: TracedFrame): FrameLine {
  const { tMs, dir, link, from = null, to = null, says, damaged, octets, nodes } = frame;
  return {
    type: "frame",
    t: tMs,
    dir,
    link,
    from,
    to,
    says,
    damaged,
    octets: toHex(octets),
    nodes: nodes.map(treeJson),
  };
}
