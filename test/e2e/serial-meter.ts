/** The meter that the tests of serial lines put on them, and how a head end gets into it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../protocol/bytes/hex.ts";
import { indianIdentity, seededSecrets } from "../../src/simulator/meter-identity.ts";
import { STAMPS } from "../../src/simulator/models/is15959.ts";
import { is15959D1 } from "../../src/simulator/models/is15959-d1.ts";
import { VirtualMeter } from "../../src/simulator/virtual-meter.ts";

const FIRST_NUMBER = 20_001;

/** Ciphered, with the counter read by the public client first: two links in each visit. */
export const CIPHERED_ASSOCIATION = {
  clientSap: 48,
  mechanism: "hls-2",
  secret: "env:NONE",
  security: {
    clientSystemTitle: "4845530000000001",
    blockCipherKey: "env:NONE",
    invocationCounter: "0.0.43.1.3.255",
  },
} as const;

export function meterNumber(seed: number): string {
  return String(FIRST_NUMBER + seed);
}

export function virtualMeter(seed: number): VirtualMeter {
  const identity = indianIdentity(FIRST_NUMBER + seed);
  return new VirtualMeter({
    description: is15959D1({
      identity,
      security: { ciphered: true, meterReader: "encrypted", utilitySetting: "hls" },
      solar: false,
      amended: false,
      stamps: STAMPS.standard,
      capturePeriodS: 1800,
      energyScaler: 0,
    }),
    identity,
    secrets: seededSecrets(seed),
    seed,
    clock: Date.now,
    randomOctets: (length) => crypto.getRandomValues(new Uint8Array(length)),
    firstInvocationCounter: 1,
  });
}

/** Writes the meter's secrets into files; the association that refers to them. */
export async function associationFiles(seed: number, directory: string) {
  const { highLevelSecret, blockCipherKey, authenticationKey } = seededSecrets(seed);
  const secret = async (name: string, text: string) => {
    const path = join(directory, `${seed}-${name}`);
    await writeFile(path, text, { mode: 0o600 });
    return `file:${path}`;
  };
  return {
    ...CIPHERED_ASSOCIATION,
    secret: await secret("secret", new TextDecoder().decode(highLevelSecret)),
    security: {
      ...CIPHERED_ASSOCIATION.security,
      blockCipherKey: await secret("block-cipher-key", toHex(blockCipherKey.reveal())),
      authenticationKey: await secret("authentication-key", toHex(authenticationKey.reveal())),
    },
  };
}
