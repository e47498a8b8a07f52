/** Certificates that a meter's Security setup keeps (version 1): listed, exported, asked for, imported. */
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { readCertificate } from "../../protocol/security/certificate.ts";
import { certificateListFrom, type KeyPurpose } from "../../protocol/security/security-setup.ts";
import { certificateIn, certificateRequestIn } from "../../protocol/security/security-setup-client.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import type { MeterSecuritySetup } from "./meter-security-setup.ts";

/** What is to be done; certificates and requests are PEM. */
export type CertificateOrder =
  | { readonly type: "list" }
  /** By its serial number, hexadecimal as the list has it. */
  | { readonly type: "export"; readonly serialNumber: string }
  /** A request for a certificate of a key pair that the meter has, or of a new one. */
  | { readonly type: "request"; readonly purpose: KeyPurpose; readonly newKeyPair: boolean }
  | { readonly type: "import"; readonly pem: string };

export interface KeptCertificate {
  readonly entity: string;
  readonly purpose: string;
  /** Hexadecimal, as the meter has it. */
  readonly serialNumber: string;
}

export interface CertificateAnswer {
  readonly certificates: readonly KeptCertificate[];
  readonly pem: string | undefined;
}

const CERTIFICATES = 6;
const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/;
const LINE = /.{1,64}/g;

/**
 * Rejects with SetupRefusedError, and with a DlmsError where what the meter gave is no certificate, or no request that is
 * signed with its own key and names the meter.
 */
export async function workCertificates(setup: MeterSecuritySetup, order: CertificateOrder): Promise<CertificateAnswer> {
  switch (order.type) {
    case "list":
      return { certificates: await listed(setup), pem: undefined };
    case "export": {
      const { issuer, serialNumber } = await entryOf(setup, order.serialNumber);
      const given = await setup.invoke(setup.client.exportCertificate({ type: "serial", serialNumber, issuer }));
      return { certificates: [], pem: pemOf("CERTIFICATE", certificateIn(given).octets) };
    }
    case "request": {
      const title = systemTitle(await setup.serverSystemTitle());
      if (order.newKeyPair) await setup.invoke(setup.client.generateKeyPair(order.purpose));
      const given = await setup.invoke(setup.client.generateCertificateRequest(order.purpose));
      return { certificates: [], pem: pemOf("CERTIFICATE REQUEST", certificateRequestIn(given, title).octets) };
    }
    case "import": {
      await setup.invoke(setup.client.importCertificate(readCertificate(octetsOf(order.pem))));
      return { certificates: await listed(setup), pem: undefined };
    }
  }
}

async function listed(setup: MeterSecuritySetup): Promise<KeptCertificate[]> {
  const entries = certificateListFrom(await setup.read(CERTIFICATES));
  return entries.map(({ entity, purpose, serialNumber }) => ({ entity, purpose, serialNumber: toHex(serialNumber) }));
}

async function entryOf(setup: MeterSecuritySetup, serialNumber: string) {
  const wanted = toHex(fromHex(serialNumber));
  const entries = certificateListFrom(await setup.read(CERTIFICATES));
  const found = entries.find((each) => toHex(each.serialNumber) === wanted);
  if (found === undefined) throw new Error(`the meter has no certificate with the serial number ${serialNumber}`);
  return found;
}

function pemOf(label: string, octets: Uint8Array): string {
  const encoded = Buffer.from(octets).toString("base64").match(LINE) ?? [];
  return [`-----BEGIN ${label}-----`, ...encoded, `-----END ${label}-----`, ""].join("\n");
}

function octetsOf(pem: string): Uint8Array {
  return new Uint8Array(Buffer.from(PEM.exec(pem)?.[1] ?? "", "base64"));
}
