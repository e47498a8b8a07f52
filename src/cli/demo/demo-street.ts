/** A simulated street as the meters of a configuration: keys in files, as an operator would have them. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import type { meterSchema } from "../../config/schema.ts";
import type { StreetMeter } from "../../simulator/street.ts";

export type MeterInput = z.input<typeof meterSchema>;

const CLIENT_SYSTEM_TITLE = "444C4D5347570001";
const SECRET_MODE = 0o600;

/** Writes each meter's secrets under `directory` and returns the meters as the configuration file would have them. */
export function streetConfiguration(meters: readonly StreetMeter[], directory: string): Promise<MeterInput[]> {
  return Promise.all(meters.map((meter) => meterInput(meter, join(directory, meter.name))));
}

async function meterInput(meter: StreetMeter, directory: string): Promise<MeterInput> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { link, security } = meter;
  const secret = async (name: string, text: string) => {
    await writeFile(join(directory, name), text, { mode: SECRET_MODE });
    return `file:${join(directory, name)}`;
  };
  return {
    name: meter.name,
    number: meter.serial,
    type: meter.type,
    companion: meter.companion,
    timeZone: meter.timeZone,
    connection: {
      tcp: `${meter.host}:${meter.port}`,
      link: link.type,
      ...(link.type === "hdlc" && link.physicalDevice !== undefined && { physicalAddress: link.physicalDevice }),
    },
    association: {
      clientSap: meter.clientSap,
      serverSap: meter.serverSap,
      mechanism: meter.mechanism,
      ...(meter.secret !== undefined && { secret: await secret("secret", meter.secret) }),
      ...(security && {
        security: {
          suite: security.suite,
          protection: security.protection,
          clientSystemTitle: CLIENT_SYSTEM_TITLE,
          serverSystemTitle: security.serverSystemTitle,
          blockCipherKey: await secret("block-cipher-key", security.blockCipherKey),
          authenticationKey: await secret("authentication-key", security.authenticationKey),
          invocationCounter: security.invocationCounter,
        },
      }),
    },
  };
}
