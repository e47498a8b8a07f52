/** The fleet as the directory of senders: what the gateway knows of its meters, found without a scan. */
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { COMPANIONS, type Companion } from "../../protocol/cosem/companion/companion.ts";
import { namedZone, type TimeZone } from "../../protocol/cosem/time-zone.ts";
import type { ProfileLayout, RegisterScaler } from "../../protocol/profile/layout.ts";
import { type SystemTitle, systemTitle } from "../../protocol/security/system-title.ts";
import type { InvocationCounters } from "../collect/meter-access.ts";
import type { MeterTarget } from "../collect/meter-target.ts";
import type { Fleet, FleetMeter } from "../fleet/fleet.ts";
import type { PushIdentity } from "../profiles/map-push.ts";
import type { PushLists } from "../store/push-setups.ts";
import { namesOf } from "./attribution.ts";
import type { PushSender, SenderDirectory, SenderSecurity } from "./sender-directory.ts";

/** A meter of the configuration: the fleet's member, and how it is talked to. */
export interface KnownMeter {
  readonly meterKey: number;
  readonly target: MeterTarget;
}

type FleetLookup = Pick<Fleet, "bySystemTitle" | "byOwnName" | "byKey">;

interface Scalers {
  /** The layouts that they are from. */
  readonly fingerprint: string;
  readonly registers: readonly RegisterScaler[];
}

const NO_TITLE = systemTitle(new Uint8Array(8));
/** How a system writes an IPv4 address on a socket for both. */
const MAPPED_IPV4 = "::ffff:";
/** The maker's letters, with which logical device names and device ids begin. */
const MAKER_LETTERS = /^[A-Za-z]{3}/;

export class FleetSenders implements SenderDirectory {
  readonly #fleet: FleetLookup;
  readonly #known: ReadonlyMap<number, KnownMeter>;
  readonly #byHost = new Map<string, number[]>();
  readonly #security = new Map<number, SenderSecurity>();
  readonly #scalers = new Map<number, Scalers>();
  readonly #pushLists = new Map<number, PushLists>();
  readonly #zones = new Map<string, TimeZone>();

  constructor(fleet: FleetLookup, known: Iterable<KnownMeter>) {
    this.#fleet = fleet;
    this.#known = new Map([...known].map((meter) => [meter.meterKey, meter]));
    for (const { meterKey, target } of this.#known.values()) {
      const { tcp, udp, serial } = target.connection;
      const address = tcp ?? udp;
      const host = address === undefined ? serial : tcpAddress(address).host;
      if (host !== undefined) this.#byHost.set(host, [...(this.#byHost.get(host) ?? []), meterKey]);
    }
  }

  /** What opens a meter's pushes, where that is known. */
  securityOf(meterKey: number): SenderSecurity | undefined {
    return this.#security.get(meterKey);
  }

  /** The lists of a meter's push setups, by logical name. */
  pushListsOf(meterKey: number): PushLists | undefined {
    return this.#pushLists.get(meterKey);
  }

  learnPushLists(meterKey: number, lists: PushLists): void {
    this.#pushLists.set(meterKey, lists);
  }

  bySystemTitle(title: SystemTitle): PushSender[] {
    return this.#fleet.bySystemTitle(title).map((meter) => this.#senderOf(meter));
  }

  byIdentity(identity: PushIdentity): PushSender[] {
    const meters = namesOf(identity).flatMap((name) => {
      const found = deviceNumbers(name).map((number) => this.#fleet.byOwnName(number));
      return found.find((meter) => meter !== undefined) ?? [];
    });
    return [...new Set(meters)].map((meter) => this.#senderOf(meter));
  }

  byHost(host: string): PushSender[] {
    const plain = host.startsWith(MAPPED_IPV4) ? host.slice(MAPPED_IPV4.length) : host;
    return (this.#byHost.get(plain) ?? []).flatMap((key) => {
      const meter = this.#fleet.byKey(key);
      return meter === undefined ? [] : [this.#senderOf(meter)];
    });
  }

  #senderOf(meter: FleetMeter): PushSender {
    const target = this.#known.get(meter.key)?.target;
    const zone = target?.zone ?? this.#zoneOf(meter.timeZone);
    const pushLists = this.#pushLists.get(meter.key);
    return {
      meterId: meter.id,
      meterKey: meter.key,
      name: meter.name,
      systemTitle: meter.systemTitle === undefined ? undefined : systemTitle(meter.systemTitle),
      companion: target?.companion ?? companionOf(meter.companion),
      clock: target?.clock ?? { deviation: "standard", zone },
      security: this.#securityOf(meter.key, target),
      ...(target && { scalers: this.#scalersOf(meter.key, target) }),
      ...(pushLists && { pushLists }),
    };
  }

  /** The same object each time, once the meter's secrets are there. */
  #securityOf(meterKey: number, target: MeterTarget | undefined): SenderSecurity | undefined {
    const known = this.#security.get(meterKey);
    if (known !== undefined || target === undefined) return known;
    const security = securityOf(target);
    if (security !== undefined) this.#security.set(meterKey, security);
    return security;
  }

  #zoneOf(name: string): TimeZone {
    const known = this.#zones.get(name);
    if (known !== undefined) return known;
    const zone = namedZone(name);
    this.#zones.set(name, zone);
    return zone;
  }

  /** Of all profiles that have been read of the meter by now. */
  #scalersOf(meterKey: number, { layouts }: MeterTarget): readonly RegisterScaler[] {
    const fingerprint = [...layouts.values()].map((layout) => layout.fingerprint).join(" ");
    const held = this.#scalers.get(meterKey);
    if (held?.fingerprint === fingerprint) return held.registers;
    const registers = [...layouts.values()].flatMap(registersOf);
    this.#scalers.set(meterKey, { fingerprint, registers });
    return registers;
  }
}

function securityOf({ association, secrets, push, openCounters }: MeterTarget): SenderSecurity | undefined {
  const { security } = association;
  const { blockCipherKey, authenticationKey } = secrets;
  if (security === undefined || blockCipherKey === undefined) return undefined;
  const own = security.clientSystemTitle;
  return {
    suite: security.suite,
    ownSystemTitle: own === undefined ? NO_TITLE : systemTitle(fromHex(own)),
    blockCipherKey,
    authenticationKey,
    ...(push !== undefined && push.least !== "none" && { least: push.least }),
    ...(push?.replay === "refuse" && { replay: "strict" as const }),
    ...(openCounters && { nextInvocationCounter: confirmationCounters(openCounters) }),
  };
}

/** Answers are counted with the requests: the meter sees one sender. */
function confirmationCounters(open: () => Promise<InvocationCounters>): () => Promise<number> {
  return async () => {
    const counters = await open();
    await counters.ensure(1);
    return counters.next();
  };
}

function registersOf({ columns }: ProfileLayout): RegisterScaler[] {
  return columns.flatMap(({ captureObject: { classId, logicalName }, scalerUnit }) => {
    return scalerUnit === undefined ? [] : [{ classId, logicalName, scalerUnit }];
  });
}

/** The whole name, its number behind the maker's letters, and that without leading zeros. */
function deviceNumbers(name: string): string[] {
  const number = name.replace(MAKER_LETTERS, "");
  return number === name ? [name] : [name, number, number.replace(/^0+/, "")];
}

function companionOf(text: string): Companion {
  return COMPANIONS.find((companion) => companion === text) ?? "none";
}
