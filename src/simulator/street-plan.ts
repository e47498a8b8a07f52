/** Who lives in the street: one row for each house. A longer street begins again with other serials and seeds. */
import type { Protection } from "../../protocol/security/security-control.ts";
import type { AssociationConfig, MeterConfig } from "../config/schema.ts";
import type { MeterDescription } from "./description.ts";
import { dsmrIdentity, idisIdentity, indianIdentity, type MeterIdentity } from "./meter-identity.ts";
import { dsmr } from "./models/dsmr.ts";
import type { EuropeanSecurity } from "./models/european-meter.ts";
import { idis } from "./models/idis.ts";
import { type IndianSecurity, STAMPS } from "./models/is15959.ts";
import { is15959D1 } from "./models/is15959-d1.ts";
import { is15959D2 } from "./models/is15959-d2.ts";
import { is15959D3 } from "./models/is15959-d3.ts";
import type { MeterLink } from "./wired-meter.ts";

/** A house of the street: its meter, how it is wired, and the association that a head end is to use. */
export interface House {
  readonly kind: string;
  readonly companion: MeterConfig["companion"];
  readonly type: string;
  readonly link: MeterLink;
  readonly clientSap: number;
  readonly mechanism: AssociationConfig["mechanism"];
  /** Protection of requests and responses; none where the context is a plain one. */
  readonly protection: Protection | undefined;
  /** Client 16 reads the counter of the association from here. */
  readonly invocationCounter: string | undefined;
  readonly identity: (number: number) => MeterIdentity;
  readonly describe: (identity: MeterIdentity) => MeterDescription;
}

const WRAPPER: MeterLink = { type: "wrapper" };
const HDLC: MeterLink = { type: "hdlc" };
/** A physical device that needs addresses of two octets, and one that needs four. */
const HDLC_17: MeterLink = { type: "hdlc", physicalDevice: 17 };
const HDLC_256: MeterLink = {
  type: "hdlc",
  physicalDevice: 256,
  parameters: { maxInfoTransmit: 512, maxInfoReceive: 512, windowTransmit: 3, windowReceive: 3 },
};

/** How an Indian meter is to be read. */
interface IndianAccess {
  readonly client: "MR" | "US";
  readonly security: IndianSecurity;
}

const PLAIN: IndianSecurity = { ciphered: false, meterReader: "encrypted", utilitySetting: "hls" };
const HABIT: IndianSecurity = { ciphered: true, meterReader: "encrypted", utilitySetting: "hls" };
const STRICT: IndianSecurity = { ciphered: true, meterReader: "authenticated-encrypted", utilitySetting: "hls" };
const GMAC: IndianSecurity = { ciphered: true, meterReader: "authenticated-encrypted", utilitySetting: "hls-gmac" };

const MR_PLAIN: IndianAccess = { client: "MR", security: PLAIN };
const MR_ENCRYPTED: IndianAccess = { client: "MR", security: HABIT };
const MR_STRICT: IndianAccess = { client: "MR", security: STRICT };
const US_PLAIN: IndianAccess = { client: "US", security: PLAIN };
const US_CIPHERED: IndianAccess = { client: "US", security: HABIT };
const US_GMAC: IndianAccess = { client: "US", security: GMAC };

type IndianModel = (identity: MeterIdentity, security: IndianSecurity) => MeterDescription;

const EUROPEAN_GMAC: EuropeanSecurity = { mechanism: "hls-gmac", protection: "authenticated-encrypted" };
const EUROPEAN_LLS: EuropeanSecurity = { mechanism: "lls" };

/** The order is that of a walk down the street. */
export const HOUSES: readonly House[] = [
  indian("d1", WRAPPER, US_CIPHERED, d1({ solar: true, amended: true })),
  indian("d2", WRAPPER, US_CIPHERED, d2({ solar: false })),
  indian("d3", WRAPPER, US_CIPHERED, d3({ solar: true })),
  european("idis", WRAPPER, EUROPEAN_GMAC),
  european("dsmr", HDLC, EUROPEAN_GMAC),
  indian("d1", HDLC, MR_PLAIN, d1({ solar: false, amended: false })),
  indian("d1", HDLC_256, US_CIPHERED, d1({ solar: true, amended: true })),
  indian("d1", WRAPPER, MR_ENCRYPTED, d1({ solar: false, amended: true })),
  indian("d2", HDLC_17, US_GMAC, d2({ solar: true })),
  indian("d1", WRAPPER, US_CIPHERED, d1({ solar: false, amended: false, stamps: "inverted" })),
  indian("d1", HDLC_17, MR_ENCRYPTED, d1({ solar: false, amended: true, stamps: "unspecified" })),
  indian("d3", HDLC_256, US_CIPHERED, d3({ solar: false })),
  indian("d1", WRAPPER, MR_PLAIN, d1({ solar: false, amended: false, tens: true })),
  indian("d2", WRAPPER, MR_STRICT, d2({ solar: false, stamps: "inverted" })),
  indian("d1", HDLC, US_PLAIN, d1({ solar: false, amended: true, tens: true })),
  indian("d1", WRAPPER, US_GMAC, d1({ solar: true, amended: true })),
  indian("d2", HDLC_256, US_CIPHERED, d2({ solar: false })),
  indian("d3", WRAPPER, MR_STRICT, d3({ solar: false, stamps: "unspecified" })),
  european("idis", HDLC_17, EUROPEAN_LLS),
  indian("d1", HDLC, US_CIPHERED, d1({ solar: false, amended: false })),
  indian("d2", WRAPPER, US_CIPHERED, d2({ solar: true, stamps: "unspecified" })),
  indian("d1", WRAPPER, MR_STRICT, d1({ solar: true, amended: true })),
  indian("d3", HDLC_17, US_GMAC, d3({ solar: true })),
  indian("d2", HDLC, MR_ENCRYPTED, d2({ solar: false })),
];

type Stamps = keyof typeof STAMPS;

function d1(options: { solar: boolean; amended: boolean; tens?: boolean; stamps?: Stamps }): IndianModel {
  const { solar, amended, tens, stamps } = options;
  return (identity, security) =>
    is15959D1({
      identity,
      security,
      solar,
      amended,
      stamps: STAMPS[stamps ?? "standard"],
      capturePeriodS: 1800,
      energyScaler: tens === true ? 1 : 0,
    });
}

function d2({ solar, stamps }: { solar: boolean; stamps?: Stamps }): IndianModel {
  return (identity, security) =>
    is15959D2({ identity, security, solar, stamps: STAMPS[stamps ?? "standard"], capturePeriodS: 1800 });
}

function d3({ solar, stamps }: { solar: boolean; stamps?: Stamps }): IndianModel {
  return (identity, security) =>
    is15959D3({ identity, security, solar, stamps: STAMPS[stamps ?? "standard"], capturePeriodS: 900 });
}

function indian(kind: string, link: MeterLink, { client, security }: IndianAccess, model: IndianModel): House {
  const reader = client === "MR";
  const utilityMechanism = security.utilitySetting === "hls" ? "hls-2" : "hls-5";
  return {
    kind,
    companion: "is15959",
    type: kind.toUpperCase(),
    link,
    clientSap: reader ? 32 : 48,
    mechanism: reader ? "lls" : utilityMechanism,
    protection: security.ciphered ? (reader ? security.meterReader : "authenticated-encrypted") : undefined,
    invocationCounter: security.ciphered ? `0.0.43.1.${reader ? 2 : 3}.255` : undefined,
    identity: indianIdentity,
    describe: (identity) => model(identity, security),
  };
}

function european(kind: "idis" | "dsmr", link: MeterLink, security: EuropeanSecurity): House {
  return {
    kind,
    companion: kind,
    type: "three-phase",
    link,
    clientSap: 1,
    mechanism: security.mechanism === "lls" ? "lls" : "hls-5",
    protection: security.protection,
    invocationCounter: security.protection === undefined ? undefined : "0.0.43.1.0.255",
    identity: kind === "idis" ? idisIdentity : dsmrIdentity,
    describe: (identity) =>
      kind === "idis" ? idis({ identity, security, timeZone: "Europe/Vienna" }) : dsmr({ identity, security }),
  };
}
