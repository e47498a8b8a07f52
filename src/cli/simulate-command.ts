/** `simulate`: a meter that answers as a description file says, for trying things without one. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { seededSecrets } from "../simulator/meter-identity.ts";
import { listenAsMeter } from "../simulator/meter-listener.ts";
import { meterFromDump } from "../simulator/object-dump.ts";
import { ObjectDumpError } from "../simulator/typed-json.ts";
import type { MeterLink } from "../simulator/wired-meter.ts";
import type { ExitReason } from "./exit-code.ts";
import type { Output } from "./output.ts";

export interface SimulateOptions {
  readonly listen: string;
  readonly link: string;
  readonly physicalAddress?: string;
  readonly seed: string;
}

/** Serves until the signal, or until SIGINT and SIGTERM. */
export async function simulateCommand(
  file: string,
  options: SimulateOptions,
  output: Output,
  signal?: AbortSignal,
): Promise<ExitReason> {
  const link = linkOf(options);
  if (link === undefined) {
    output.err("simulate: --link is wrapper or hdlc, --physical-address a number with hdlc only");
    return "usage";
  }
  try {
    const loaded = meterFromDump(parse(await readFile(file, "utf8")));
    const secrets = seededSecrets(Number(options.seed));
    const { host, port } = tcpAddress(options.listen);
    await using listener = await listenAsMeter({ loaded, secrets, host, port, link });
    const { address } = listener;
    const { objects, associations } = loaded.description;
    output.out(
      `${loaded.identity.serial}: ${objects.length} objects on ${address.host}:${address.port}, ${options.link}`,
    );
    for (const { clientSap, mechanism, protection } of associations) {
      output.out(`client ${clientSap}: ${mechanism}${protection === undefined ? "" : `, ${protection}`}`);
    }
    await stopped(signal);
    return "success";
  } catch (error) {
    if (!(error instanceof ObjectDumpError)) throw error;
    output.err(`${file}: ${error.message}`);
    return "configuration";
  }
}

function linkOf({ link, physicalAddress }: SimulateOptions): MeterLink | undefined {
  if (link === "wrapper") return physicalAddress === undefined ? { type: "wrapper" } : undefined;
  if (link !== "hdlc") return undefined;
  const physicalDevice = physicalAddress === undefined ? undefined : Number(physicalAddress);
  if (physicalDevice === undefined) return { type: "hdlc" };
  return Number.isInteger(physicalDevice) ? { type: "hdlc", physicalDevice } : undefined;
}

async function stopped(signal: AbortSignal | undefined): Promise<void> {
  if (signal !== undefined) {
    if (!signal.aborted) await once(signal, "abort");
    return;
  }
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
}
