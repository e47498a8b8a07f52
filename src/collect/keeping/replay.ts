/**
 * Makes rows anew of the octets that were kept, after a decoder or a table of a companion has been mended. The held rows
 * stay as they are: what differs becomes a revision that says why it came, what was missing is filled in.
 */
import { decodeReadout } from "../../../protocol/link/iec62056-21/readout.ts";
import { decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import type { MaintenanceLine, MaintenanceOrder, ToldLine } from "../../api/maintenance-order.ts";
import { messageOf } from "../../observe/message-of.ts";
import type { ProfileBatch } from "../../profiles/batch.ts";
import { mapProfile } from "../../profiles/map-profile.ts";
import { READOUT_PROFILES } from "../../profiles/readout-rows.ts";
import type { Database } from "../../store/database/database.ts";
import type { ProfileWriter, WriteParticipant } from "../../store/profiles/profile-writer.ts";
import {
  countKeptPacks,
  DECODER_VERSION,
  type KeptBuffers,
  keptBuffers,
  NOTE_DECODER,
  type RawBuffer,
} from "../../store/profiles/raw-buffers.ts";
import type { PolledMeter } from "../polled-meter.ts";
import { clockBreaksOf } from "../read/known-layout.ts";
import { readoutBatches } from "../read/readout-poller.ts";

export interface ReplayStore {
  readonly database: Database;
  readonly writer: ProfileWriter;
}

/** Throws StoreError; what was told by then is done, and the same may be done again. */
export async function* replay(
  store: ReplayStore,
  meters: readonly PolledMeter[],
  { sinceMs, profile }: Pick<MaintenanceOrder, "sinceMs" | "profile">,
): AsyncGenerator<MaintenanceLine> {
  const sums = { buffers: 0, rows: 0, revised: 0, filled: 0, inserted: 0 };
  const byKey = new Map(meters.map((meter) => [meter.meterKey, meter]));
  const query = { meterKeys: [...byKey.keys()], sinceMs, profile };
  const total = await countKeptPacks(store.database, query);
  let done = 0;
  for await (const kept of keptBuffers(store.database, query)) {
    const { batches, faults } = decodeAgain(kept.buffers, byKey);
    yield* faults;
    const outcome = await store.writer.write(batches, { alsoHere: noteReplay(kept), isRepeat: true });
    sums.buffers += kept.buffers.length;
    sums.rows += outcome.rows;
    sums.revised += outcome.revised;
    sums.filled += outcome.completed;
    sums.inserted += outcome.inserted;
    yield { done: ++done, total, of: "packs of buffers" };
  }
  const { buffers, rows, revised, filled, inserted } = sums;
  const changes = `${revised} revised, ${filled} filled in, ${inserted} new`;
  yield { text: `${buffers} buffers, ${rows} rows: ${changes} (decoder ${DECODER_VERSION})`, isFault: false };
}

function decodeAgain(
  buffers: readonly RawBuffer[],
  meters: ReadonlyMap<number, PolledMeter>,
): { readonly batches: ProfileBatch[]; readonly faults: ToldLine[] } {
  const batches: ProfileBatch[] = [];
  const faults: ToldLine[] = [];
  for (const buffer of buffers) {
    const meter = meters.get(buffer.meterKey);
    if (meter === undefined) continue;
    try {
      batches.push(...batchesOf(buffer, meter.target));
    } catch (error) {
      const reason = messageOf(error);
      const { profile, receivedAt } = buffer;
      faults.push({
        text: `${meter.target.name} ${profile} of ${receivedAt.toISOString()}: ${reason}`,
        isFault: true,
      });
    }
  }
  return { batches: batches.filter((batch) => batch.rowCount > 0), faults };
}

function batchesOf(buffer: RawBuffer, { companion, zone }: PolledMeter["target"]): readonly ProfileBatch[] {
  const { form, meterKey, profile, source, receivedAt: readAt, deviation, layout, octets } = buffer;
  const clock = { deviation, zone };
  const context = { meterKey, companion, source, readAt, clock };
  if (form === "readout") {
    const readoutProfile = READOUT_PROFILES.find((each) => each === profile);
    return readoutProfile === undefined
      ? []
      : readoutBatches(decodeReadout(octets), { ...context, profile: readoutProfile });
  }
  const clockBreaks = clockBreaksOf(layout, companion);
  const options = { clock, keepWholeRows: form === "part", ...(clockBreaks && { clockBreaks }) };
  const decoded = decodeProfileBuffer(octets, layout, options);
  return [mapProfile(decoded, { ...context, profile }).batch];
}

/** In the transaction of the rows: why their revisions came, and which decoder made them. */
function noteReplay({ key, receivedAt, decoderVersion, buffers, isWhole }: KeptBuffers): WriteParticipant {
  const reason = `decoded again: decoder ${decoderVersion} to ${DECODER_VERSION}`;
  return async (client) => {
    await client.query(
      `update dlms.profile_revisions set reason = $1::text
       where reason is null and known_from >= transaction_timestamp() and meter_key = any ($2::int[])`,
      [reason, [...new Set(buffers.map((buffer) => buffer.meterKey))]],
    );
    if (isWhole) await client.query(NOTE_DECODER, [key, receivedAt, DECODER_VERSION]);
  };
}
