/** A scheduled poll: one association does all profiles that are due, and comes back with rows for the store. */
import type { ProfileBatch, ProfileKind } from "../profiles/batch.ts";
import { type MappedProfile, mapProfile } from "../profiles/map-profile.ts";
import { AccessRefusedError } from "./access-refused.ts";
import type { AttributeSource } from "./attribute-source.ts";
import { clockOf, readProfile } from "./meter-reader.ts";
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
}

export interface PollOrder {
  readonly target: MeterTarget;
  readonly meterKey: number;
  readonly profiles: readonly ProfileKind[];
  /** Start of what is wanted of a profile that grows with time; undefined reads all of it. */
  readonly wantedFromMs: (profile: ProfileKind) => number | undefined;
}

/** A meter's clock may be ahead of ours by this much and its newest row is still read. */
const CLOCK_LEAD_MS = 3_600_000;
/** Profiles that are read by time; the others are a row or a few, read whole. */
const RANGED: ReadonlySet<ProfileKind> = new Set(["block_load", "daily_load"]);

/**
 * Throws what ends the session, and the meter's first refusal when it gave none of the profiles; what it refuses of
 * single profiles is in the result.
 */
export async function pollProfiles(source: AttributeSource, order: PollOrder): Promise<PollResult> {
  const mapped: (MappedProfile & { readonly profile: ProfileKind })[] = [];
  const refused: RefusedProfile[] = [];
  for (const profile of order.profiles) {
    try {
      mapped.push({ ...(await pollProfile(source, order, profile)), profile });
    } catch (error) {
      if (!(error instanceof AccessRefusedError)) throw error;
      refused.push({ profile, error });
    }
  }
  const [first] = refused;
  if (first !== undefined && mapped.length === 0) throw first.error;
  return {
    batches: mapped.map((each) => each.batch).filter((batch) => batch.rowCount > 0),
    setAside: mapped.flatMap(({ setAside, profile }) => setAside.map((row) => ({ ...row, profile }))),
    refused,
  };
}

async function pollProfile(
  source: AttributeSource,
  { target, meterKey, wantedFromMs }: PollOrder,
  profile: ProfileKind,
): Promise<MappedProfile> {
  const fromMs = RANGED.has(profile) ? wantedFromMs(profile) : undefined;
  const readAt = new Date();
  const range = fromMs === undefined ? undefined : { fromMs, toMs: readAt.getTime() + CLOCK_LEAD_MS };
  const decoded = await readProfile(source, target, profile, range);
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
    clock: await clockOf(source, target),
  });
}
