/** A virtual meter's secrets, keys and counters, and the rules of its associations that follow from them. */

import { REFERENCING, type Referencing } from "../../protocol/association/referencing.ts";
import type { AssociationRule } from "../../protocol/association/server/association-rule.ts";
import { type Conformance, type ConformanceBit, conformanceFromNumber } from "../../protocol/ber/conformance.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import {
  type AuthenticationKey,
  type BlockCipherKey,
  type MasterKey,
  SecretKey,
} from "../../protocol/security/secret-key.ts";
import { PROTECTIONS, strongerProtection } from "../../protocol/security/security-control.ts";
import { policyDemands, type SecuritySetupVersion } from "../../protocol/security/security-setup.ts";
import { SecuritySetupServer, type SecuritySetupServerOptions } from "../../protocol/security/security-setup-server.ts";
import type { SecuritySuite } from "../../protocol/security/suites.ts";
import type { SystemTitle } from "../../protocol/security/system-title.ts";
import type { AssociationDescription } from "./description.ts";

export interface MeterSecrets {
  readonly lowLevelSecret: Uint8Array;
  readonly highLevelSecret: Uint8Array;
  readonly blockCipherKey: BlockCipherKey;
  readonly authenticationKey: AuthenticationKey;
  readonly masterKey: MasterKey;
}

export interface MeterSecurityOptions {
  readonly suite: SecuritySuite;
  readonly systemTitle: SystemTitle;
  readonly secrets: MeterSecrets;
  readonly associations: readonly AssociationDescription[];
  /** First counter of what the meter sends. A meter that starts anew must not use counters again. */
  readonly firstInvocationCounter: number;
  /** What the counter objects show before a client has spoken. */
  readonly clientInvocationCounter: number;
  /** By how much the counter objects are behind the truth. */
  readonly shownCounterLag?: number;
  readonly maxReceivePduSize: number;
  readonly referencing?: Referencing;
  /** Key pairs and certificates from the factory; for suites 1 and 2. */
  readonly publicKeys?: Pick<SecuritySetupServerOptions, "keyPairs" | "certificates">;
  readonly randomOctets: (length: number) => Uint8Array;
}

/** Everything that a server usually offers. */
const FULL_CONFORMANCE = {
  "logical-name": conformanceFromNumber(0x40fe1f),
  "short-name": conformanceFromNumber(0x1c1b20),
} as const;
/** What a client that may only read is not offered. */
const WRITING: ReadonlySet<ConformanceBit> = new Set(["set", "write", "unconfirmed-write"]);
const GMAC = "hls-gmac";

export class MeterSecurity {
  readonly #options: MeterSecurityOptions;
  readonly #rules = new Map<string, AssociationRule>();
  /** Counters that an association must not fall behind, from before its rule was made anew. */
  readonly #lowest = new Map<string, number>();
  #secrets: MeterSecrets;
  #nextCounter: number;
  /** By the version of the security setup; 0 requires nothing beyond what the associations want. */
  #policy: { readonly version: SecuritySetupVersion; readonly value: number } = { version: 0, value: 0 };

  constructor(options: MeterSecurityOptions) {
    this.#options = options;
    this.#secrets = options.secrets;
    this.#nextCounter = options.firstInvocationCounter;
  }

  get secrets(): MeterSecrets {
    return this.#secrets;
  }

  get systemTitle(): SystemTitle {
    return this.#options.systemTitle;
  }

  get suite(): SecuritySuite {
    return this.#options.suite;
  }

  get associations(): readonly AssociationDescription[] {
    return this.#options.associations;
  }

  /** Puts new keys or secrets in force; associations that are open keep the old ones. */
  change(secrets: Partial<MeterSecrets>): void {
    this.#secrets = { ...this.#secrets, ...secrets };
    this.#rules.clear();
    // New keys count anew.
    this.#lowest.clear();
  }

  /** The policy that a client has activated; undefined as long as none has. */
  get policy(): number | undefined {
    return this.#policy.value === 0 ? undefined : this.#policy.value;
  }

  /**
   * Takes a policy that is at least as strong as the present one; false refuses it. Signatures are refused: no association
   * of the meter has them. Replay windows stay as they are; associations that are open keep the old policy.
   */
  activate(version: SecuritySetupVersion, value: number): boolean {
    const { requests, responses } = policyDemands(version, value);
    const weaker = version === this.#policy.version && (value & this.#policy.value) !== this.#policy.value;
    if (weaker || requests.signed || responses.signed) return false;
    this.#policy = { version, value };
    for (const [name, { security }] of this.#rules) {
      const lowest = security?.protection.lowestAcceptable("global");
      if (lowest !== undefined) this.#lowest.set(name, lowest);
    }
    this.#rules.clear();
    return true;
  }

  /** What the methods of a security setup do. */
  setup(version: SecuritySetupVersion): SecuritySetupServer {
    const { suite, systemTitle, publicKeys, randomOctets } = this.#options;
    return new SecuritySetupServer({
      version,
      suite,
      systemTitle,
      randomOctets,
      masterKey: () => this.#secrets.masterKey,
      useKeys: (keys) => this.change(Object.fromEntries(keys.map((key) => [key.role, key]))),
      activate: (policy) => this.activate(version, policy),
      ...publicKeys,
    });
  }

  /** Puts the secret of a client's association in force; false for an association that has none. */
  changeSecret(clientSap: number, octets: Uint8Array): boolean {
    const kind = this.#options.associations.find((each) => each.clientSap === clientSap)?.secret;
    if (kind === undefined) return false;
    const copy = new Uint8Array(octets);
    this.change(kind === "low-level" ? { lowLevelSecret: copy } : { highLevelSecret: copy });
    return true;
  }

  /** The rule for a client, or undefined for one that the meter does not know. */
  ruleFor(clientSap: number): AssociationRule | undefined {
    const description = this.#options.associations.find((each) => each.clientSap === clientSap);
    return description && this.#rule(description);
  }

  /** The last counter that the client of an association used, as its counter object shows it. */
  clientCounter(name: string): number {
    const lowest = this.#rules.get(name)?.security?.protection.lowestAcceptable("global") ?? this.#lowest.get(name);
    const last = lowest === undefined ? this.#options.clientInvocationCounter : lowest - 1;
    return last - (this.#options.shownCounterLag ?? 0);
  }

  /** Protection for what the meter sends by itself. */
  pushProtection(): ApduProtection {
    return this.#protection(undefined);
  }

  #rule(description: AssociationDescription): AssociationRule {
    const known = this.#rules.get(description.name);
    if (known !== undefined) return known;
    const rule = this.#makeRule(description);
    this.#rules.set(description.name, rule);
    return rule;
  }

  #makeRule(description: AssociationDescription): AssociationRule {
    const { name, clientSap, mechanism, protection: required } = description;
    const { requests, responses } = policyDemands(this.#policy.version, this.#policy.value);
    const protects = required !== undefined || mechanism === GMAC;
    const referencing = this.#options.referencing ?? "logical-name";
    const { plainContext, cipheredContext } = REFERENCING[referencing];
    return {
      name,
      clientSap,
      logicalName: logicalNameToOctets(description.logicalName),
      applicationContexts: [required === undefined ? plainContext : cipheredContext],
      mechanism,
      ...this.#secret(description),
      conformance: conformanceOf(description, referencing),
      maxReceivePduSize: this.#options.maxReceivePduSize,
      ...(protects && {
        security: {
          protection: this.#protection(required && strongerProtection(PROTECTIONS[required], requests)),
          lowestCounter: this.#lowest.get(name) ?? this.#options.clientInvocationCounter + 1,
          ...(required && { response: strongerProtection(PROTECTIONS[required], responses) ?? required }),
        },
      }),
    };
  }

  #secret({ secret }: AssociationDescription): { secret?: SecretKey<"hlsSecret"> } {
    if (secret === undefined) return {};
    const octets = secret === "low-level" ? this.#secrets.lowLevelSecret : this.#secrets.highLevelSecret;
    return { secret: new SecretKey("hlsSecret", octets) };
  }

  #protection(required: AssociationDescription["protection"]): ApduProtection {
    const { suite, systemTitle } = this.#options;
    const { blockCipherKey, authenticationKey } = this.#secrets;
    return new ApduProtection({
      suite,
      ownSystemTitle: systemTitle,
      keys: { blockCipherKey, authenticationKey },
      nextInvocationCounter: () => this.#nextCounter++,
      ...(required && { minimum: { received: required } }),
    });
  }
}

function conformanceOf({ access }: AssociationDescription, referencing: Referencing): Conformance {
  const full = FULL_CONFORMANCE[referencing];
  return access.write ? full : new Set([...full].filter((bit) => !WRITING.has(bit)));
}
