/** What reads brought, as it goes to the store: rows with the octets that they came in, and single values. */
import { captureObjectKey } from "../../../protocol/cosem/capture-object.ts";
import { profileLayout } from "../../../protocol/profile/layout.ts";
import type { ProfileBatch, ReadingSource } from "../../profiles/batch.ts";
import { type MappedProfile, mapProfile } from "../../profiles/map-profile.ts";
import { decimalFromData, otherValue } from "../../profiles/other-value.ts";
import { ucumOf } from "../../profiles/unit-conversion.ts";
import { packBuffer, type RawBuffer, rowlessBatch } from "../../store/profiles/raw-buffers.ts";
import type { RejectedPollRow } from "../../store/profiles/rejected-rows.ts";
import type { MeterReading } from "../../store/records/meter-records.ts";
import type { ReadBuffer } from "../read/meter-poller.ts";
import { knownClock, type ReadResult } from "../read/meter-reader.ts";
import type { MeterTarget } from "../session/meter-target.ts";

interface ReadMeter {
  readonly target: MeterTarget;
  readonly meterId: string;
  readonly meterKey: number;
}

/** A readout says itself what it holds; a layout that is kept has an object at least. */
const READOUT_LAYOUT = profileLayout({
  captureObjects: [{ classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 }],
});

/** Adds the octets of a buffer with what they were decoded by. */
export function noteBuffer(
  into: RawBuffer[],
  { meter: { meterKey, target }, source }: { readonly meter: ReadMeter; readonly source: ReadingSource },
  { profile, readAt, form, octets }: ReadBuffer,
): void {
  const layout = form === "readout" ? READOUT_LAYOUT : target.layouts.get(profile);
  if (layout === undefined) return;
  const { deviation } = knownClock(target);
  into.push({ form, meterKey, profile, source, receivedAt: readAt, layout, deviation, octets });
}

/** Each batch with the octets of its profile; those of a profile without rows go by themselves. */
export function withBuffers(batches: readonly ProfileBatch[], buffers: readonly RawBuffer[]): ProfileBatch[] {
  const byProfile = Map.groupBy(buffers, ({ profile }) => profile);
  const carriers = batches.map((batch) => {
    const own = byProfile.get(batch.profile);
    byProfile.delete(batch.profile);
    return own === undefined ? batch : Object.assign({}, batch, { buffers: own.map(packBuffer) });
  });
  const rowless = [...byProfile.values()].flatMap((own) => {
    const [first] = own;
    return first === undefined ? [] : [rowlessBatch(first, own.map(packBuffer))];
  });
  return [...carriers, ...rowless];
}

/** The rows of a profile that somebody read. */
export function rowsOfRead(
  meter: ReadMeter,
  { profile, decoded, octets }: Extract<ReadResult, { type: "profile" }>,
  readAt: Date,
): { readonly batches: readonly ProfileBatch[]; readonly setAside: readonly RejectedPollRow[] } {
  const source = "on_demand";
  const { target, meterKey } = meter;
  const clock = knownClock(target);
  const { batch, setAside }: MappedProfile = mapProfile(decoded, {
    meterKey,
    profile,
    companion: target.companion,
    source,
    readAt,
    clock,
  });
  const buffers: RawBuffer[] = [];
  for (const each of octets) noteBuffer(buffers, { meter, source }, { profile, readAt, ...each });
  const batches = withBuffers(batch.rowCount > 0 ? [batch] : [], buffers);
  return { batches, setAside: setAside.map(({ index, reason, values }) => ({ index, reason, values, profile })) };
}

/** A single value that somebody read; nothing for null-data. */
export function readingsOf(
  { meterId }: ReadMeter,
  { captureObject, data, scalerUnit }: Extract<ReadResult, { type: "value" }>,
  readAt: Date,
): MeterReading[] {
  const value = otherValue(data, scalerUnit?.scaler ?? 0);
  if (value === undefined) return [];
  const isNumber = decimalFromData(data) !== undefined;
  const unit = ucumOf(scalerUnit?.unit);
  const key = captureObjectKey(captureObject);
  return [{ meterId, readAt, captureObject: key, value, isNumber, unit, source: "on_demand", receivedAt: readAt }];
}
