import { DlmsError } from "../../../protocol/errors.ts";
import { type Certificate, readCertificate } from "../../../protocol/security/certificate.ts";
import {
  type EllipticPrivateKey,
  type EllipticPublicKey,
  privateKeyFromPem,
  publicKeyFromDer,
} from "../../../protocol/security/elliptic-key.ts";
import {
  type AuthenticationKey,
  type BlockCipherKey,
  type HlsSecret,
  type KeyRole,
  type MasterKey,
  SecretKey,
} from "../../../protocol/security/secret-key.ts";
import type { AssociationConfig } from "../../config/schema.ts";
import { resolveKey, resolvePassword, resolveSecretAs, STORED_KEY } from "../../config/secret.ts";

/** What one association with a meter needs to keep to itself. The objects never print their octets. */
export interface MeterSecrets {
  /** Password of LLS or secret of HLS 2, 3, 4 and 6. */
  readonly secret: HlsSecret | undefined;
  readonly blockCipherKey: BlockCipherKey | undefined;
  readonly authenticationKey: AuthenticationKey | undefined;
  readonly masterKey?: MasterKey | undefined;
  /** Keys of suites 1 and 2: our own, and the meter's public ones. */
  readonly signingKey?: EllipticPrivateKey | undefined;
  readonly serverSigningKey?: EllipticPublicKey | undefined;
  /** Our certificate for signatures, and that of the authority which vouches for the meter's. */
  readonly certificate?: Certificate | undefined;
  readonly authority?: Certificate | undefined;
  readonly agreementKey?: EllipticPrivateKey | undefined;
  readonly serverAgreementKey?: EllipticPublicKey | undefined;
}

const KEY_LENGTHS = { 0: [16], 1: [16], 2: [32] } as const;

/** Opens a key of the meter in the sealed key store. Rejects with KeyError. */
export type OpenStoredKey = <R extends KeyRole>(role: R) => Promise<SecretKey<R>>;

/**
 * Fetches what the configuration refers to. Throws ConfigError that names the reference, never what is behind it, and
 * KeyError for a key that should be in the key store.
 */
export async function resolveMeterSecrets(
  association: AssociationConfig,
  openStoredKey: OpenStoredKey,
): Promise<MeterSecrets> {
  const { secret, security } = association;
  const lengths = KEY_LENGTHS[security?.suite ?? 0];
  const key = async <R extends KeyRole>(role: R, reference: string | undefined) => {
    if (reference === undefined) return undefined;
    if (reference === STORED_KEY) return openStoredKey(role);
    const octets = role === "hlsSecret" ? resolvePassword(reference) : resolveKey(reference, lengths);
    return new SecretKey(role, await octets);
  };
  const [hlsSecret, blockCipherKey, authenticationKey, masterKey] = await Promise.all([
    key("hlsSecret", secret),
    key("blockCipherKey", security?.blockCipherKey),
    key("authenticationKey", security?.authenticationKey),
    key("masterKey", security?.masterKey),
  ]);
  return {
    secret: hlsSecret,
    blockCipherKey,
    authenticationKey,
    masterKey,
    signingKey: await privateKey(security?.signingKey),
    serverSigningKey: await publicKey(security?.serverSigningKey, "digitalSignature"),
    certificate: await certificate(security?.certificate),
    authority: await certificate(security?.authority),
    agreementKey: await privateKey(security?.agreementKey),
    serverAgreementKey: await publicKey(security?.serverAgreementKey, "keyAgreement"),
  };
}

async function privateKey(reference: string | undefined): Promise<EllipticPrivateKey | undefined> {
  return reference === undefined ? undefined : resolveSecretAs(reference, privateKeyFromPem);
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/;
const PUBLIC_KEY = /-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/;

/** Of a certificate that is given here by hand, only the usage is checked: whoever gave it vouches for it. */
async function publicKey(
  reference: string | undefined,
  usage: "digitalSignature" | "keyAgreement",
): Promise<EllipticPublicKey | undefined> {
  if (reference === undefined) return undefined;
  return resolveSecretAs(reference, (pem) => {
    const [, encoded] = CERTIFICATE.exec(pem) ?? [];
    if (encoded === undefined) return publicKeyFromDer(octetsOfBase64(PUBLIC_KEY.exec(pem)?.[1] ?? ""), "caller");
    const { publicKey: key, keyUsages } = readCertificate(octetsOfBase64(encoded));
    if (!keyUsages.includes(usage)) throw new DlmsError("CERTIFICATE_USAGE_WRONG", "caller", { usage });
    return key;
  });
}

async function certificate(reference: string | undefined): Promise<Certificate | undefined> {
  if (reference === undefined) return undefined;
  return resolveSecretAs(reference, (pem) => readCertificate(octetsOfBase64(CERTIFICATE.exec(pem)?.[1] ?? "")));
}

function octetsOfBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
