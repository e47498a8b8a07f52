import {
  type AuthenticationKey,
  type BlockCipherKey,
  type HlsSecret,
  SecretKey,
} from "../../protocol/security/secret-key.ts";
import type { AssociationConfig } from "../config/schema.ts";
import { resolveKey, resolvePassword } from "../config/secret.ts";

/** What one association with a meter needs to keep to itself. The objects never print their octets. */
export interface MeterSecrets {
  /** Password of LLS or secret of HLS 2, 3, 4 and 6. */
  readonly secret: HlsSecret | undefined;
  readonly blockCipherKey: BlockCipherKey | undefined;
  readonly authenticationKey: AuthenticationKey | undefined;
}

const KEY_LENGTHS = { 0: [16], 1: [16], 2: [32] } as const;

/** Fetches what the configuration refers to. Throws ConfigError that names the reference, never what is behind it. */
export async function resolveMeterSecrets(association: AssociationConfig): Promise<MeterSecrets> {
  const { secret, security } = association;
  const lengths = KEY_LENGTHS[security?.suite ?? 0];
  const [secretOctets, blockCipherOctets, authenticationOctets] = await Promise.all([
    secret === undefined ? undefined : resolvePassword(secret),
    security === undefined ? undefined : resolveKey(security.blockCipherKey, lengths),
    security?.authenticationKey === undefined ? undefined : resolveKey(security.authenticationKey, lengths),
  ]);
  return {
    secret: secretOctets && new SecretKey("hlsSecret", secretOctets),
    blockCipherKey: blockCipherOctets && new SecretKey("blockCipherKey", blockCipherOctets),
    authenticationKey: authenticationOctets && new SecretKey("authenticationKey", authenticationOctets),
  };
}
