/** `simulate`: a meter that answers as a description file says, for trying things without one. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { hostPort, type TcpAddress, tcpAddress } from "../../../drivers/tcp/address.ts";
import { callAsMeter, type MeterCallOptions } from "../../simulator/meter-call.ts";
import { seededSecrets } from "../../simulator/meter-identity.ts";
import { describedMeter, listenAsMeter } from "../../simulator/meter-listener.ts";
import { meterFromDump } from "../../simulator/object-dump.ts";
import { withShortNames } from "../../simulator/objects/short-name-plan.ts";
import { ObjectDumpError } from "../../simulator/typed-json.ts";
import type { MeterLink } from "../../simulator/wired-meter.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";

const REDIAL_MS = 5000;

export interface SimulateOptions {
  readonly listen: string;
  readonly call?: string;
  readonly greeting?: string;
  readonly link: string;
  readonly physicalAddress?: string;
  readonly shortNames?: boolean;
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
    const description = options.shortNames ? withShortNames(loaded.description) : loaded.description;
    const meter = describedMeter({ ...loaded, description }, seededSecrets(Number(options.seed)));
    const { objects, associations } = loaded.description;
    const tell = (where: string) => {
      output.out(`${loaded.identity.serial}: ${objects.length} objects ${where}, ${options.link}`);
      for (const { clientSap, mechanism, protection } of associations) {
        output.out(`client ${clientSap}: ${mechanism}${protection === undefined ? "" : `, ${protection}`}`);
      }
    };
    if (options.call === undefined) {
      await using listener = await listenAsMeter({ meter, link, ...tcpAddress(options.listen) });
      tell(`on ${hostPort(listener.address)}`);
      await stopped(signal);
    } else {
      tell(`calling ${options.call}`);
      await callAgain(tcpAddress(options.call), { meter, link, greeting: options.greeting }, stopped(signal));
    }
    return "success";
  } catch (error) {
    if (!(error instanceof ObjectDumpError)) throw error;
    output.err(`${file}: ${error.message}`);
    return "configuration";
  }
}

/** Calls whenever there is no call, until `end`. */
async function callAgain(address: TcpAddress, options: MeterCallOptions, end: Promise<void>): Promise<void> {
  const over = new AbortController();
  const ended = end.then(() => over.abort());
  while (!over.signal.aborted) {
    const call = await callAsMeter(address, options).catch(() => undefined);
    await Promise.race([ended, call?.ended]);
    if (over.signal.aborted) call?.hangUp();
    else await Promise.race([ended, sleep(REDIAL_MS, undefined, { ref: false })]);
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
