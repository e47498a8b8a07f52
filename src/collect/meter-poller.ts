/** A scheduled poll: one association does all profiles that are due, and comes back with rows for the store. */
import { DlmsError } from "../../protocol/errors.ts";
import type { DecodedProfile } from "../../protocol/profile/decode.ts";
import type { ProfileBatch, ProfileKind } from "../profiles/batch.ts";
import { type MappedProfile, mapProfile } from "../profiles/map-profile.ts";
import { AccessRefusedError } from "./access-refused.ts";
import type { AttributeSource } from "./attribute-source.ts";
import { BrokenReadError } from "./broken-read.ts";
import { knownClock, readProfile } from "./meter-reader.ts";
import type { MeterTarget } from "./meter-target.ts";

/** A profile that the meter would not give; the others were read all the same. */
export interface RefusedProfile {
  readonly profile: ProfileKind;
  readonly error: AccessRefusedError;
}

export interface PollResult {
  readonly batches: readonly ProfileBatch[];
  readonly setAside: readonly (MappedProfile["setAside"][number] & { readonly profile: ProfileKind })[];
  readonly refused: readonly RefusedProfile[];
  /** What kept other profiles from being read: the end of the session, or an answer that can't be understood. */
  readonly failure: Error | undefined;
}

export interface PollOrder {
  readonly target: MeterTarget;
  readonly meterKey: number;
  readonly profiles: readonly ProfileKind[];
  /** Start of what is wanted of a profile that grows with time. */
  readonly wantedFromMs: (profile: ProfileKind) => number;
}

/** A meter's clock may be ahead of ours by this much and its newest row is still read. */
const CLOCK_LEAD_MS = 3_600_000;

/**
 * What was read before a session ended is in the result, and so is what went wrong with single profiles. Throws what
 * went wrong, or else the meter's first refusal, only when it gave none of the profiles.
 */
export async function pollProfiles(source: AttributeSource, order: PollOrder): Promise<PollResult> {
  const mapped: (MappedProfile & { readonly profile: ProfileKind })[] = [];
  const refused: RefusedProfile[] = [];
  let failure: Error | undefined;
  for (const profile of order.profiles) {
    try {
      mapped.push({ ...(await pollProfile(source, order, profile)), profile });
    } catch (error) {
      if (error instanceof AccessRefusedError) {
        refused.push({ profile, error });
        continue;
      }
      if (error instanceof BrokenReadError) mapped.push({ ...mapRows(order, profile, error.rows), profile });
      failure ??= error instanceof Error ? error : new Error(String(error));
      // A profile that can't be understood does not end the session: the next one may be in order.
      if (!(error instanceof DlmsError)) break;
    }
  }
  const worst = failure ?? refused[0]?.error;
  if (worst !== undefined && mapped.length === 0) throw worst;
  return {
    batches: mapped.map((each) => each.batch).filter((batch) => batch.rowCount > 0),
    setAside: mapped.flatMap(({ setAside, profile }) => setAside.map((row) => ({ ...row, profile }))),
    refused,
    failure,
  };
}

/**
 * The newest capture that counts as held once these rows are stored. Stamps further ahead than a clock may be do not
 * count: a single row of a meter whose clock was once years ahead would keep all later rows from being asked for.
 */
export function newestHeld(
  instantsMs: readonly number[],
  heldMs: number | undefined,
  nowMs: number,
): number | undefined {
  let newest = heldMs;
  for (const instantMs of instantsMs) {
    if (instantMs <= nowMs + CLOCK_LEAD_MS && instantMs > (newest ?? Number.NEGATIVE_INFINITY)) newest = instantMs;
  }
  return newest;
}

async function pollProfile(source: AttributeSource, order: PollOrder, profile: ProfileKind): Promise<MappedProfile> {
  const { target, wantedFromMs } = order;
  const readAt = new Date();
  const range = { fromMs: wantedFromMs(profile), toMs: readAt.getTime() + CLOCK_LEAD_MS };
  const decoded = await readProfile(source, target, profile, range);
  return mapRows(order, profile, decoded, readAt);
}

/** Rows as they go to the store. */
function mapRows(
  { target, meterKey }: PollOrder,
  profile: ProfileKind,
  decoded: DecodedProfile,
  readAt = new Date(),
): MappedProfile {
  if (decoded.rejected.length > 0) {
    // The meter may have got another list of capture objects: the next poll asks for it again.
    target.layouts.delete(profile);
  }
  return mapProfile(decoded, {
    meterKey,
    profile,
    companion: target.companion,
    source: "poll",
    readAt,
    clock: knownClock(target),
  });
}
