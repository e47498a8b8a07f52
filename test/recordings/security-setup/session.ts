/**
 * What is done to the Security setup of a peer, the same whether the peer answers or a recording of it does: its
 * certificates are listed and exported, and it is given a new key, under the right master key and under a wrong one.
 */
import type { ByteChannel } from "../../../drivers/channel.ts";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import { certificateListFrom } from "../../../protocol/security/security-setup.ts";
import { certificateIn } from "../../../protocol/security/security-setup-client.ts";
import { visitMeter } from "../../../src/collect/session/meter-session.ts";
import { meterTarget } from "../../../src/collect/session/meter-target.ts";
import { SYSTEM_ENVIRONMENT } from "../../../src/collect/session/visit-environment.ts";
import { meterSchema } from "../../../src/config/schema.ts";
import { MeterSecuritySetup, SetupRefusedError } from "../../../src/keys/meter-security-setup.ts";

/** Keys and counters are chosen so that a replay sends the same octets. */
const FIRST_COUNTER = 1;
const CERTIFICATES = 6;

export interface SetupReading {
  readonly serverSystemTitle: string;
  /** Entity, purpose and serial number of each, in hexadecimal; then the common names of those that were exported. */
  readonly certificates: readonly string[];
  readonly exported: readonly string[];
  readonly wrongMasterKey: string;
  readonly rightMasterKey: string;
}

/** Of GMAC associations of a peer whose keys count up, as its example program has them. */
export async function workSetup(
  suite: 0 | 1 | 2,
  clientSap: number,
  connect: () => Promise<ByteChannel>,
): Promise<SetupReading> {
  const length = suite === 2 ? 32 : 16;
  const counted = (first: number) => Uint8Array.from({ length }, (_, index) => first + index);
  const config = meterSchema.parse({
    name: "peer",
    number: "1",
    connection: { tcp: "127.0.0.1:4660" },
    association: {
      clientSap,
      mechanism: "hls-5",
      maxReceivePduSize: 1024,
      security: {
        suite,
        clientSystemTitle: "4447570000000001",
        blockCipherKey: "stored",
        authenticationKey: "stored",
      },
    },
  });
  let counter = FIRST_COUNTER;
  const keys = {
    blockCipherKey: new SecretKey("blockCipherKey", counted(0)),
    authenticationKey: new SecretKey("authenticationKey", counted(0xd0)),
  };
  const target = meterTarget(config, {
    leaseCounters: async () => ({
      upcoming: counter,
      next: () => counter++,
      raise: async () => undefined,
      ensure: () => undefined,
    }),
    openStoredKey: async (role) => {
      const key: SecretKey | undefined = role === "blockCipherKey" ? keys.blockCipherKey : keys.authenticationKey;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only these two roles are stored.
      return key as never;
    },
  });
  const environment = { ...SYSTEM_ENVIRONMENT, randomOctets: counted, connectTcp: connect };
  return await visitMeter(target, { budgetMs: 60_000, environment }, async (connection) => {
    const setup = await MeterSecuritySetup.find(connection);
    const title = await setup.serverSystemTitle();
    const list = certificateListFrom(await setup.read(CERTIFICATES));
    const exported: string[] = [];
    for (const { serialNumber, issuer } of list) {
      const order = setup.client.exportCertificate({ type: "serial", serialNumber, issuer });
      const { subject, keyUsages } = certificateIn(await setup.invoke(order));
      exported.push(`${subject.commonName} ${keyUsages.join(" ")}`);
    }
    const transfer = async (masterKey: Uint8Array): Promise<string> => {
      const fresh = new SecretKey("blockCipherKey", counted(0x80));
      const order = setup.client.transferKeys(new SecretKey("masterKey", masterKey), [fresh]);
      return await setup.invoke(order).then(
        () => "success",
        (error: unknown) => {
          if (error instanceof SetupRefusedError) return error.result;
          throw error;
        },
      );
    };
    return {
      serverSystemTitle: toHex(title),
      certificates: list.map((each) => `${each.entity} ${each.purpose} ${toHex(each.serialNumber)}`),
      exported,
      wrongMasterKey: await transfer(new Uint8Array(length).fill(0x32)),
      rightMasterKey: await transfer(new Uint8Array(length).fill(0x31)),
    };
  });
}
