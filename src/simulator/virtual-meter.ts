/** A virtual meter: its model, objects and associations, without a wire. */
import { AssociationServer } from "../../protocol/association/server/server.ts";
import type { SecuritySuite } from "../../protocol/security/suites.ts";
import { type SystemTitle, systemTitle } from "../../protocol/security/system-title.ts";
import type { MeterDescription } from "./description.ts";
import { effectsOf, type FaultEffects, type MeterFault } from "./faults.ts";
import { type MeterIdentity, seededSecrets } from "./meter-identity.ts";
import { MeterModel } from "./meter-model.ts";
import { type MeterSecrets, MeterSecurity, type MeterSecurityOptions } from "./meter-security.ts";
import type { MeterState } from "./meter-state.ts";
import { hash } from "./noise.ts";
import { MeterObjects } from "./objects/meter-objects.ts";

export interface VirtualMeterOptions {
  readonly description: MeterDescription;
  readonly identity: MeterIdentity;
  readonly secrets: MeterSecrets;
  readonly seed: number;
  /** The true time, ms since 1970. */
  readonly clock: () => number;
  readonly randomOctets: (length: number) => Uint8Array;
  /** First invocation counter of what the meter sends. */
  readonly firstInvocationCounter: number;
  readonly maxReceivePduSize?: number;
  /** 0 when left out. */
  readonly suite?: SecuritySuite;
  readonly publicKeys?: MeterSecurityOptions["publicKeys"];
  readonly installedMs?: number;
  /** By how much the meter's clock is ahead, in ms. */
  readonly clockOffsetMs?: number;
  /** Hears that a client wants a push to be sent. */
  readonly push?: (logicalName: string) => void;
  readonly fault?: MeterFault;
  /** The memory of this very meter from before: it goes on where it stopped. */
  readonly memory?: MeterMemory;
}

/** All that a meter must not forget: what clients have changed, its keys and its counters. */
export interface MeterMemory {
  readonly state: MeterState;
  readonly security: MeterSecurity;
}

/** Every meter was installed at the start of this month, in its own time zone. */
const INSTALLED_MONTH = 2023 * 12 + 3;
const MAX_PDU = 1024;
/** The management logical device, and the only one. */
export const SERVER_SAP = 1;
/** By how much a stale counter object is behind. */
const STALE_BY = 500;

export class VirtualMeter {
  readonly identity: MeterIdentity;
  readonly description: MeterDescription;
  readonly model: MeterModel;
  readonly security: MeterSecurity;
  readonly objects: MeterObjects;
  readonly effects: FaultEffects;
  readonly #randomOctets: (length: number) => Uint8Array;

  constructor(options: VirtualMeterOptions) {
    const { identity, seed } = options;
    const effects = effectsOf(options.fault);
    const description = faulty(options.description, effects);
    this.identity = identity;
    this.description = description;
    this.effects = effects;
    this.#randomOctets = options.randomOctets;
    const installedMs = options.installedMs ?? installed(description);
    const memory = options.memory;
    this.model = new MeterModel({ description, seed, installedMs, ...(memory && { state: memory.state }) });
    if (memory === undefined) this.model.state.clockOffsetMs = options.clockOffsetMs ?? 0;
    this.security = memory?.security ?? security(options, description, effects);
    this.objects = new MeterObjects({
      model: this.model,
      security: this.security,
      clock: options.clock,
      busy: effects.busy ?? false,
      ...(options.push && { push: options.push }),
    });
  }

  get memory(): MeterMemory {
    return { state: this.model.state, security: this.security };
  }

  /** The server's side of one client's association; a link needs one for each client that talks over it. */
  associationServer(clientSap: number, inactivityTimeoutMs?: number): AssociationServer {
    return new AssociationServer({
      clientSap,
      serverSap: SERVER_SAP,
      rule: () => (this.effects.refuses ? undefined : this.security.ruleFor(clientSap)),
      objects: this.objects,
      ...(this.objects.shortNames && { shortNames: this.objects.shortNames }),
      randomOctets: this.#randomOctets,
      ...(inactivityTimeoutMs !== undefined && { inactivityTimeoutMs }),
    });
  }
}

function installed({ zoneMinutes }: MeterDescription): number {
  return Date.UTC(Math.floor(INSTALLED_MONTH / 12), INSTALLED_MONTH % 12, 1) - zoneMinutes * 60_000;
}

function security(options: VirtualMeterOptions, description: MeterDescription, effects: FaultEffects): MeterSecurity {
  const { identity, seed } = options;
  return new MeterSecurity({
    suite: options.suite ?? 0,
    randomOctets: options.randomOctets,
    ...(options.publicKeys && { publicKeys: options.publicKeys }),
    systemTitle: effects.otherSystemTitle ? otherTitle(identity.systemTitle) : identity.systemTitle,
    secrets: effects.otherKeys ? seededSecrets(seed + 1) : options.secrets,
    associations: description.associations,
    firstInvocationCounter: options.firstInvocationCounter,
    clientInvocationCounter: 1000 + (hash(seed, 6) % 1000),
    shownCounterLag: effects.staleCounter ? STALE_BY : 0,
    maxReceivePduSize: options.maxReceivePduSize ?? MAX_PDU,
    referencing: description.shortNames === undefined ? "logical-name" : "short-name",
  });
}

function faulty(
  description: MeterDescription,
  { compression, withoutProfiles, selection, outages }: FaultEffects,
): MeterDescription {
  const profiles = description.profiles.filter(({ logicalName }) => !withoutProfiles?.includes(logicalName));
  return {
    ...description,
    profiles,
    ...(compression && { compression }),
    ...(selection && { selection }),
    ...(outages && { outages }),
  };
}

function otherTitle(title: SystemTitle): SystemTitle {
  const octets = new Uint8Array(title);
  octets[7] = (octets[7] ?? 0) ^ 1;
  return systemTitle(octets);
}
