import { SecretKey } from "../../protocol/security/secret-key.ts";
import { type SystemTitle, systemTitle } from "../../protocol/security/system-title.ts";
import type { MeterSecrets } from "./meter-security.ts";
import { hash } from "./noise.ts";

/** What tells one virtual meter from another of its model. */
export interface MeterIdentity {
  /** As printed on the meter. */
  readonly serial: string;
  readonly manufacturer: string;
  readonly logicalDeviceName: string;
  readonly systemTitle: SystemTitle;
  readonly firmware: string;
  readonly yearOfManufacture: number;
}

const UTF8 = new TextEncoder();
/** Three letters that no maker has. */
const MAKER = "VMT";
const MAKER_NAME = "Virtual Meters";

/** Indian habit: the title is the maker's letters and the last five digits of the meter number. */
export function indianIdentity(number: number): MeterIdentity {
  const digits = String(number).padStart(5, "0").slice(-5);
  return {
    serial: `VM${String(number).padStart(7, "0")}`,
    manufacturer: MAKER_NAME,
    logicalDeviceName: `${MAKER}${String(number).padStart(13, "0")}`,
    systemTitle: systemTitle(UTF8.encode(MAKER + digits)),
    firmware: "1.4.2",
    yearOfManufacture: 2023,
  };
}

/** IDIS habit: letters, device type, and a nibble of functions before the serial number in binary. */
export function idisIdentity(number: number): MeterIdentity {
  const serial = String(number).padStart(8, "0");
  const title = Uint8Array.of(...UTF8.encode(MAKER), 101, 0x40, ...binary(number, 3));
  return {
    serial,
    manufacturer: MAKER_NAME,
    logicalDeviceName: `${MAKER}101${String(number).padStart(10, "0")}`,
    systemTitle: systemTitle(title),
    firmware: "V2.1.0",
    yearOfManufacture: 2022,
  };
}

/** DSMR habit: equipment identifiers of seventeen characters, and the serial number behind the letters. */
export function dsmrIdentity(number: number): MeterIdentity {
  return {
    serial: `E00${String(number).padStart(14, "0")}`,
    manufacturer: MAKER_NAME,
    logicalDeviceName: `${MAKER}${String(number).padStart(13, "0")}`,
    systemTitle: systemTitle(Uint8Array.of(...UTF8.encode(MAKER), 0, ...binary(number, 4))),
    firmware: "SMR5-01",
    yearOfManufacture: 2021,
  };
}

function binary(number: number, length: number): number[] {
  return Array.from({ length }, (_, index) => Math.floor(number / 256 ** (length - 1 - index)) & 0xff);
}

/** Secrets and keys that follow from a seed: for simulation only, as anybody can work them out. */
export function seededSecrets(seed: number): MeterSecrets {
  return {
    lowLevelSecret: UTF8.encode(`PW${String(hash(seed, 1) % 1_000_000).padStart(6, "0")}`),
    highLevelSecret: UTF8.encode(`HLS${String(hash(seed, 2) % 10_000_000).padStart(13, "0")}`),
    blockCipherKey: new SecretKey("blockCipherKey", seededOctets(seed, 3)),
    authenticationKey: new SecretKey("authenticationKey", seededOctets(seed, 4)),
    masterKey: new SecretKey("masterKey", seededOctets(seed, 5)),
  };
}

function seededOctets(seed: number, kind: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, index) => hash(seed, kind, index) & 0xff);
}
