/** Who has called: asked by the public client for what every meter lets it read. */
import type { DataResult } from "../../protocol/apdu/descriptors.ts";
import { attributeOf } from "../collect/read/layout-reader.ts";
import type { MeterConnection } from "../collect/session/meter-connection.ts";
import { textOf } from "../profiles/other-value.ts";

/** What a caller says that it is. */
export interface CallerClues {
  readonly systemTitle?: Uint8Array | undefined;
  /** The most telling first. */
  readonly names: readonly string[];
}

/** COSEM logical device name, and the first device id. */
const NAMES = ["0.0.42.0.0.255", "0.0.96.1.0.255"].map((logicalName) =>
  attributeOf({ classId: 1, logicalName, attributeId: 2 }),
);
const LONGEST_NAME = 64;

/** Throws what the association throws. */
export async function cluesOf(meter: MeterConnection): Promise<CallerClues> {
  const names: string[] = [];
  for (const name of NAMES) {
    const text = nameIn(await meter.get(name));
    if (text !== undefined && !names.includes(text)) names.push(text);
  }
  return { systemTitle: meter.agreement?.serverSystemTitle, names };
}

function nameIn(result: DataResult): string | undefined {
  if (result.type !== "data") return undefined;
  const { data } = result;
  if (data.type !== "octet-string" && data.type !== "visible-string") return undefined;
  const text = textOf(data.value)?.trim();
  return text === "" || (text?.length ?? 0) > LONGEST_NAME ? undefined : text;
}
