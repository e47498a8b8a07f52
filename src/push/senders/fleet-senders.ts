/** The fleet as the directory of senders: what the gateway knows of its meters, found without a scan. */
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { COMPANIONS, type Companion } from "../../../protocol/cosem/companion/companion.ts";
import { namedZone } from "../../../protocol/cosem/time-zone.ts";
import { PROTECTIONS, type Protection, protectionName } from "../../../protocol/security/security-control.ts";
import { type SystemTitle, systemTitle } from "../../../protocol/security/system-title.ts";
import type { MeterSecrets } from "../../collect/session/meter-secrets.ts";
import type { MeterTarget } from "../../collect/session/meter-target.ts";
import type { Fleet, FleetMeter } from "../../fleet/fleet.ts";
import type { ProfileKind } from "../../profiles/batch.ts";
import type { PushIdentity } from "../../profiles/map-push.ts";
import { type PushLayoutVersion, withPolledLayouts } from "../receive/push-layouts.ts";
import { namesOf } from "./attribution.ts";
import type { PushSender, SenderDirectory, SenderSecurity } from "./sender-directory.ts";

/** A meter of the configuration: the fleet's member, and how it is talked to. */
export interface KnownMeter {
  readonly meterKey: number;
  readonly target: MeterTarget;
}

type FleetLookup = Pick<Fleet, "bySystemTitle" | "byOwnName" | "byKey" | "aliases">;

interface Layouts {
  /** What they were put together from. */
  readonly kept: readonly PushLayoutVersion[] | undefined;
  readonly fingerprint: string;
  readonly versions: readonly PushLayoutVersion[];
}

const NO_TITLE = systemTitle(new Uint8Array(8));
/** How a system writes an IPv4 address on a socket for both. */
const MAPPED_IPV4 = "::ffff:";
const NO_SETUPS: ReadonlySet<string> = new Set();
const NO_KEYS: ReadonlySet<number> = new Set();
/** Where more meters are reached at one address, it does not say whose keys to try: each try costs time. */
const MOST_AT_HOST = 1000;
/** More that one meter names is noise. */
const DOUBTED_SETUPS = 16;
/** The maker's letters, with which logical device names and device ids begin. */
const MAKER_LETTERS = /^[A-Za-z]{3}/;

export class FleetSenders implements SenderDirectory {
  readonly #fleet: FleetLookup;
  readonly #known = new Map<number, KnownMeter>();
  readonly #byHost = new Map<string, Set<number>>();
  readonly #security = new Map<number, { readonly security: SenderSecurity; readonly of: MeterSecrets | undefined }>();
  readonly #kept = new Map<number, readonly PushLayoutVersion[]>();
  readonly #layouts = new Map<number, Layouts>();
  readonly #doubts = new Map<number, Set<string>>();
  readonly #onDoubt: (meterKey: number, pushSetup: string) => void;
  /** Letters of makers, of meters that are known by number alone. */
  readonly #makers = new Map<number, string>();

  /** `onDoubt` hears of each setup once, until its meter's layouts are learned again. */
  constructor(
    fleet: FleetLookup,
    known: Iterable<KnownMeter>,
    onDoubt: (meterKey: number, pushSetup: string) => void = () => undefined,
  ) {
    this.#fleet = fleet;
    this.#onDoubt = onDoubt;
    for (const meter of known) this.add(meter);
    for (const [name, meterKey] of fleet.aliases()) {
      const [letters] = MAKER_LETTERS.exec(name) ?? [];
      if (letters !== undefined && isNumberOf(fleet.byKey(meterKey), name)) this.#makers.set(meterKey, letters);
    }
  }

  add(meter: KnownMeter): void {
    this.#known.set(meter.meterKey, meter);
    const host = hostOf(meter.target);
    if (host === undefined) return;
    const keys = this.#byHost.get(host) ?? new Set();
    this.#byHost.set(host, keys.add(meter.meterKey));
  }

  /** What it sends is from now on that of a meter without a way to it. */
  remove({ meterKey, target }: KnownMeter): void {
    this.#known.delete(meterKey);
    this.#security.delete(meterKey);
    this.#layouts.delete(meterKey);
    this.#byHost.get(hostOf(target) ?? "")?.delete(meterKey);
  }

  /** What opens a meter's pushes, where that is known. */
  securityOf(meterKey: number): SenderSecurity | undefined {
    return this.#securityOf(meterKey, this.#known.get(meterKey)?.target);
  }

  /** The meter of the configuration; undefined for one that was adopted. */
  targetOf(meterKey: number): MeterTarget | undefined {
    return this.#known.get(meterKey)?.target;
  }

  /** What opens the pushes of a meter that is not in the configuration. */
  learnSecurity(meterKey: number, security: SenderSecurity): void {
    this.#security.set(meterKey, { security, of: undefined });
  }

  /** What has been read of a meter's pushes, the oldest version first. */
  layoutsOf(meterKey: number): readonly PushLayoutVersion[] {
    return this.#kept.get(meterKey) ?? [];
  }

  learnLayouts(meterKey: number, versions: readonly PushLayoutVersion[]): void {
    this.#kept.set(meterKey, versions);
    this.#doubts.delete(meterKey);
  }

  doubt(meterKey: number, pushSetup: string): void {
    const doubted = this.#doubts.get(meterKey) ?? new Set();
    this.#doubts.set(meterKey, doubted);
    if (doubted.size >= DOUBTED_SETUPS || doubted.has(pushSetup)) return;
    doubted.add(pushSetup);
    this.#onDoubt(meterKey, pushSetup);
  }

  /** Setups whose pushes do not fit what is known of them. */
  doubtsOf(meterKey: number): ReadonlySet<string> {
    return this.#doubts.get(meterKey) ?? NO_SETUPS;
  }

  byMeter(meterKey: number): PushSender | undefined {
    const meter = this.#fleet.byKey(meterKey);
    return meter && this.#senderOf(meter);
  }

  bySystemTitle(title: SystemTitle): PushSender[] {
    return this.#fleet.bySystemTitle(title).map((meter) => this.#senderOf(meter));
  }

  byIdentity(identity: PushIdentity): PushSender[] {
    const meters = namesOf(identity).flatMap((name) => this.#fleet.byOwnName(name) ?? this.#numbered(name, true) ?? []);
    return [...new Set(meters)].map((meter) => this.#senderOf(meter));
  }

  namesakes(identity: PushIdentity): PushSender[] {
    const meters = namesOf(identity).flatMap((name) => this.#numbered(name, false) ?? []);
    return [...new Set(meters)].map((meter) => this.#senderOf(meter));
  }

  /**
   * The meter with the number behind the maker's letters, where these are, or are not, those that the meter has said
   * before: makers may give the same numbers.
   */
  #numbered(name: string, isOwn: boolean): FleetMeter | undefined {
    const [letters] = MAKER_LETTERS.exec(name) ?? [];
    if (letters === undefined || this.#fleet.byOwnName(name) !== undefined) return undefined;
    const number = name.slice(letters.length);
    const meter = this.#fleet.byOwnName(number) ?? this.#fleet.byOwnName(withoutZeros(number));
    if (meter === undefined) return undefined;
    const maker = this.#makers.get(meter.key) ?? letters;
    return (maker === letters) === isOwn ? meter : undefined;
  }

  /**
   * The meter whose push bore a name with a maker's letters and was taken, so that others' letters are not its own; undefined
   * for names that are kept already.
   */
  learnMaker(name: string): FleetMeter | undefined {
    const meter = this.#numbered(name, true);
    const [letters] = MAKER_LETTERS.exec(name) ?? [];
    if (meter !== undefined && letters !== undefined) this.#makers.set(meter.key, letters);
    return meter;
  }

  countAt(host: string): number {
    return this.#keysAt(host).size;
  }

  byHost(host: string): PushSender[] {
    const keys = this.#keysAt(host);
    if (keys.size > MOST_AT_HOST) return [];
    return Array.from(keys).flatMap((key) => {
      const meter = this.#fleet.byKey(key);
      return meter === undefined ? [] : [this.#senderOf(meter)];
    });
  }

  #keysAt(host: string): ReadonlySet<number> {
    return this.#byHost.get(host.startsWith(MAPPED_IPV4) ? host.slice(MAPPED_IPV4.length) : host) ?? NO_KEYS;
  }

  #senderOf(meter: FleetMeter): PushSender {
    const target = this.#known.get(meter.key)?.target;
    const zone = target?.zone ?? namedZone(meter.timeZone);
    const security = this.#securityOf(meter.key, target);
    const least = target === undefined ? security && floorOf("authenticated-encrypted", security) : leastOf(target);
    return {
      meterId: meter.id,
      meterKey: meter.key,
      name: meter.name,
      systemTitle: meter.systemTitle === undefined ? undefined : systemTitle(meter.systemTitle),
      companion: target?.companion ?? companionOf(meter.companion),
      clock: target?.clock ?? { deviation: "standard", zone },
      security,
      ...(least !== undefined && { least }),
      layouts: this.#layoutsOf(meter.key, target),
    };
  }

  /** The same object each time, until the meter's secrets are others. */
  #securityOf(meterKey: number, target: MeterTarget | undefined): SenderSecurity | undefined {
    const known = this.#security.get(meterKey);
    if (known !== undefined && (target === undefined || known.of === target.secrets)) return known.security;
    const security = target && securityOf(target);
    if (target !== undefined && security !== undefined) this.#security.set(meterKey, { security, of: target.secrets });
    return security;
  }

  /** What was kept, and of the last version what polls have read by now. */
  #layoutsOf(meterKey: number, target: MeterTarget | undefined): readonly PushLayoutVersion[] {
    const kept = this.#kept.get(meterKey);
    if (target === undefined || target.layouts.size === 0) return kept ?? [];
    const fingerprint = Array.from(target.layouts.values(), (layout) => layout.fingerprint).join();
    const known = this.#layouts.get(meterKey);
    if (known !== undefined && known.fingerprint === fingerprint && known.kept === kept) return known.versions;
    const last = kept?.at(-1);
    const polled = Array.from(target.layouts, ([kind, layout]) => {
      return { logicalName: profileNameOf(target, kind), layout };
    });
    const layout = withPolledLayouts(last?.layout, polled);
    const version = { firmware: last?.firmware, readAt: last?.readAt ?? new Date(0), layout };
    const versions = [...(kept ?? []).slice(0, -1), version];
    this.#layouts.set(meterKey, { kept, fingerprint, versions });
    return versions;
  }
}

function hostOf({ connection: { tcp, udp, serial } }: MeterTarget): string | undefined {
  const address = tcp ?? udp;
  return address === undefined ? serial : tcpAddress(address).host;
}

/** Whether a name is the meter's number behind the letters of a maker. */
function isNumberOf(meter: FleetMeter | undefined, name: string): boolean {
  const number = name.replace(MAKER_LETTERS, "");
  return meter?.number === number || meter?.number === withoutZeros(number);
}

function withoutZeros(number: string): string {
  return number.replace(/^0+/, "");
}

function profileNameOf({ layoutOrigins }: MeterTarget, kind: ProfileKind): string | undefined {
  const from = layoutOrigins?.get(kind)?.from;
  return from?.type === "profile" ? from.logicalName : undefined;
}

function securityOf(target: MeterTarget): SenderSecurity | undefined {
  const { association, secrets, push } = target;
  const { security } = association;
  const { blockCipherKey, authenticationKey } = secrets;
  if (security === undefined || blockCipherKey === undefined) return undefined;
  const own = security.clientSystemTitle;
  return {
    suite: security.suite,
    ownSystemTitle: own === undefined ? NO_TITLE : systemTitle(fromHex(own)),
    blockCipherKey,
    authenticationKey,
    ...(push?.replay === "refuse" && { replay: "strict" as const }),
    ...(target.openCounters && { nextInvocationCounter: confirmationCounters(target) }),
  };
}

/** What the meter's rule asks of its pushes; without one, as much as its association, also while its keys are away. */
function leastOf({ association, secrets, push }: MeterTarget): Protection | undefined {
  const least = push?.least ?? association.security?.protection ?? "none";
  if (least === "none") return undefined;
  return push?.least === undefined ? floorOf(least, secrets) : least;
}

/** Nobody can ask for a tag that can't be checked. */
function floorOf(protection: Protection, { blockCipherKey, authenticationKey }: FloorKeys): Protection | undefined {
  const hasTag = blockCipherKey === undefined || authenticationKey !== undefined;
  const { authenticated, encrypted } = PROTECTIONS[protection];
  const floor = protectionName({ authenticated: authenticated && hasTag, encrypted });
  return floor === "none" ? undefined : floor;
}

type FloorKeys = Pick<MeterSecrets, "blockCipherKey" | "authenticationKey">;

/**
 * Answers are counted with the requests: the meter sees one sender. Which counters these are is asked each time: those of
 * before are used up where another gateway has worked the meter meanwhile.
 */
function confirmationCounters(target: MeterTarget): () => Promise<number> {
  return async () => {
    const counters = await target.openCounters?.();
    if (counters === undefined) throw new Error(`${target.name} has no invocation counters now`);
    await counters.ensure(1);
    return counters.next();
  };
}

function companionOf(text: string): Companion {
  return COMPANIONS.find((companion) => companion === text) ?? "none";
}
