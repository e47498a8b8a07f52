/** Rows of made-up meters, mapped and shown by their columns. */
import type { Data } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import type { ScalerUnit } from "../../../protocol/cosem/scaler-unit.ts";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import { decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import { type LayoutSource, profileLayout } from "../../../protocol/profile/layout.ts";
import type { ProfileKind } from "../../../src/profiles/batch.ts";
import { profileColumn } from "../../../src/profiles/columns.ts";
import { formatDecimal } from "../../../src/profiles/decimal.ts";
import { type MapContext, type MappedProfile, mapProfile } from "../../../src/profiles/map-profile.ts";

const india = { deviation: "ignored", zone: namedZone("Asia/Kolkata") } as const;
export const READ_AT = new Date("2025-07-23T03:00:00Z");

export function object(classId: number, logicalName: string, attributeId = 2): CaptureObject {
  return { classId, logicalName, attributeId, dataIndex: 0 };
}

export function context(profile: ProfileKind, companion: Companion = "is15959"): MapContext {
  return { meterKey: 7, profile, companion, source: "poll", readAt: READ_AT, clock: india };
}

export function scalers(...entries: readonly [CaptureObject, scaler: number, unit: number][]) {
  return entries.map(([{ classId, logicalName }, scaler, unit]) => {
    const scalerUnit: ScalerUnit = { scaler, unit };
    return { classId, logicalName, scalerUnit };
  });
}

export function mapRows(source: LayoutSource, rows: readonly Data[], to: MapContext): MappedProfile {
  const buffer: Data = { type: "array", value: rows };
  return mapProfile(decodeProfileBuffer(buffer, profileLayout(source), { clock: to.clock }), to);
}

export function row(...value: readonly Data[]): Data {
  return { type: "structure", value };
}

export function shown({ batch }: MappedProfile): Record<string, readonly (string | undefined)[]> {
  return Object.fromEntries(
    batch.columns.map(({ column, values }) => {
      const { exponent = 0 } = profileColumn(batch.profile, column) ?? {};
      return [
        column,
        Array.from(values, (mantissa) => (mantissa === undefined ? undefined : formatDecimal({ mantissa, exponent }))),
      ];
    }),
  );
}

export const CLOCK = object(8, "0.0.1.0.0.255");
export const STAMP: Data = { type: "octet-string", value: fromHex("07e90717 03 081e18ff 014a 00") };
export const NO_TIME: Data = { type: "octet-string", value: new Uint8Array(12).fill(0xff) };
