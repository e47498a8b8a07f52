/** What is known of a meter's pushes, and which version of it a push is decoded with. */
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import {
  type LayoutSource,
  layoutSource,
  type ProfileLayout,
  type RegisterScaler,
} from "../../../protocol/profile/layout.ts";

/** The push_object_list of each push setup of one meter, by the setup's logical name. */
export type PushLists = ReadonlyMap<string, readonly CaptureObject[]>;

/** What push setups send, and what their values want to be understood. */
export interface PushLayout {
  readonly lists: PushLists;
  readonly scalers: readonly RegisterScaler[];
  /** Of profiles that are pushed whole, or whose capture period counts; by logical name. */
  readonly profiles: ReadonlyMap<string, LayoutSource>;
}

export interface PushLayoutVersion {
  readonly layout: PushLayout;
  /** Undefined where the meter does not say. */
  readonly firmware: string | undefined;
  readonly readAt: Date;
}

/** The same text for the same layout. */
export function layoutText({ lists, scalers, profiles }: PushLayout): string {
  return JSON.stringify({ lists: [...lists].sort(byName), scalers, profiles: [...profiles].sort(byName) });
}

const REMEMBERED_LAYOUTS = 1024;

/** One layout for all meters that have the same, as in the database. */
export class SharedLayouts {
  readonly #layouts = new Map<string, PushLayout>();

  share(layout: PushLayout): PushLayout {
    const text = layoutText(layout);
    const known = this.#layouts.get(text);
    if (known !== undefined) return known;
    if (this.#layouts.size >= REMEMBERED_LAYOUTS) this.#layouts.clear();
    this.#layouts.set(text, layout);
    return layout;
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** The version that was known when the push came, then the later ones, then the earlier ones. */
function inOrderOfTrust(versions: readonly PushLayoutVersion[], receivedAt: Date): PushLayoutVersion[] {
  const known = versions.filter(({ readAt }) => readAt.getTime() <= receivedAt.getTime()).length;
  const at = Math.max(0, known - 1);
  return [...versions.slice(at), ...versions.slice(0, at).reverse()];
}

/**
 * What a push is decoded with: of each setup the first list that has as many objects as the push has values, for a push
 * may come between a change of the list and the next visit of the meter.
 */
export function layoutFor(
  versions: readonly PushLayoutVersion[],
  receivedAt: Date,
  width: number | undefined,
): PushLayout | undefined {
  const [only] = versions;
  if (versions.length <= 1) return only?.layout;
  const ordered = inOrderOfTrust(versions, receivedAt);
  const [first] = ordered;
  if (first === undefined) return undefined;
  const lists = new Map<string, readonly CaptureObject[]>();
  for (const setup of new Set(ordered.flatMap(({ layout }) => [...layout.lists.keys()]))) {
    const own = ordered.map(({ layout }) => layout.lists.get(setup)).filter((list) => list !== undefined);
    lists.set(setup, own.find((list) => list.length === width) ?? own[0] ?? []);
  }
  return { ...first.layout, lists };
}

/** What polls have read of the meter's profiles by now goes before what was kept. */
export function withPolledLayouts(
  kept: PushLayout | undefined,
  polled: readonly { readonly logicalName: string | undefined; readonly layout: ProfileLayout }[],
): PushLayout {
  const sources = polled.map(({ logicalName, layout }) => ({ logicalName, source: layoutSource(layout) }));
  const profiles = new Map(kept?.profiles);
  for (const { logicalName, source } of sources) if (logicalName !== undefined) profiles.set(logicalName, source);
  const scalers = new Map<string, RegisterScaler>();
  for (const each of [...(kept?.scalers ?? []), ...sources.flatMap(({ source }) => source.scalers ?? [])]) {
    scalers.set(`${each.classId}:${each.logicalName}`, each);
  }
  return { lists: kept?.lists ?? new Map(), scalers: [...scalers.values()], profiles };
}
