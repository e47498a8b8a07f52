/** A meter that is worked without daemon and database: as the options of the command line say. */
import { randomBytes } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { ByteChannel } from "../../../drivers/channel.ts";
import { ReadRefusedError } from "../../api/read-answer.ts";
import { causeOf } from "../../collect/causes/failure-cause.ts";
import type { MeterConnection } from "../../collect/session/meter-connection.ts";
import { visitMeter } from "../../collect/session/meter-session.ts";
import { type MeterTarget, meterTarget } from "../../collect/session/meter-target.ts";
import { withKnownModel } from "../../config/model-quirks.ts";
import { type MeterConfig, meterSchema } from "../../config/schema.ts";
import { CounterFile } from "../../keys/counter-file.ts";
import { leaseKeyCounters } from "../../keys/key-counters.ts";
import { KeyError } from "../../keys/key-error.ts";
import { tapped } from "../../trace/session-tap.ts";
import type { Output } from "../terminal/output.ts";
import { type TraceOptions, TraceOutput } from "../terminal/trace-output.ts";
import { ownSystemTitle } from "./own-title.ts";

/** Options of the command line, as commander gives them. */
export interface DirectOptions extends Omit<TraceOptions, "json" | "to"> {
  /** Frames as they pass. */
  readonly trace?: true;
  readonly tcp?: string;
  readonly serial?: string;
  readonly opening?: string;
  readonly speed?: string;
  readonly echo?: true;
  readonly turnaround?: string;
  readonly deviceAddress?: string;
  readonly link?: string;
  readonly physicalAddress?: string;
  readonly addressLength?: string;
  readonly timeout?: string;
  readonly clientSap?: string;
  readonly serverSap?: string;
  readonly referencing?: string;
  readonly auth?: string;
  readonly secret?: string;
  readonly suite?: string;
  readonly protection?: string;
  readonly clientTitle?: string;
  readonly serverTitle?: string;
  readonly blockCipherKey?: string;
  readonly authenticationKey?: string;
  readonly signingKey?: string;
  readonly serverSigningKey?: string;
  readonly general?: true;
  readonly counter?: string;
  readonly counters?: string;
  readonly companion?: string;
  readonly quirk?: readonly string[];
  readonly model?: string;
  readonly timeZone?: string;
  readonly record?: string;
}

/** What is wrong where a meter is named and options say how to reach it; `byName` are those that go with a name. */
export function idleOptions(options: DirectOptions, byName: ReadonlySet<string>): string | undefined {
  if ((options.tcp ?? options.serial) !== undefined) return undefined;
  const idle = Object.keys(options)
    .filter((name) => !byName.has(name))
    .map((name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  if (idle.length === 0) return undefined;
  return `${idle.join(", ")} without --tcp or --serial: by name, the daemon's configuration says how the meter is reached`;
}

const BUDGET_MS = 600_000;

/** Works with a meter as long as it takes; each visit is an association. Throws ReadRefusedError. */
export async function withDirectMeter<T>(
  name: string,
  options: DirectOptions,
  output: Output,
  work: (meter: {
    readonly target: MeterTarget;
    readonly visit: <V>(work: (connection: MeterConnection) => Promise<V>) => Promise<V>;
  }) => Promise<T>,
): Promise<T> {
  const path = options.counters ?? defaultCounterFile();
  await using counters = await CounterFile.open({ path, randomOctets: randomBytes });
  const clientTitle = options.clientTitle ?? (await ownSystemTitle(path));
  const target = targetOf(name, { ...options, clientTitle }, counters);
  const trace = tracing(options, output);
  const visiting = {
    budgetMs: BUDGET_MS,
    ...(trace && { wrap: (channel: ByteChannel) => tapped(channel, target, trace.tell) }),
  };
  try {
    return await work({ target, visit: (visited) => visitMeter(target, visiting, visited) });
  } catch (cause) {
    const { says, evidence, nextStep, cause: kind } = causeOf(cause);
    throw new ReadRefusedError({ meter: name, cause: kind, evidence: `${says}: ${evidence}`, nextStep }, { cause });
  } finally {
    await trace?.close();
  }
}

/** Undefined when nobody wants to see what passes. */
export function tracing(options: DirectOptions, output: Output): TraceOutput | undefined {
  const { trace, octets, all, record, pcapng } = options;
  if (trace === undefined && record === undefined && pcapng === undefined) return undefined;
  // What was asked for goes to the standard output.
  const shown = { out: trace === undefined ? () => undefined : output.err, err: output.err, width: output.width };
  return new TraceOutput({ ...(octets && { octets }), ...(all && { all }), to: record, pcapng }, shown);
}

function targetOf(name: string, options: DirectOptions, reservations: CounterFile): MeterTarget {
  const parsed = meterSchema.safeParse(meterInput(options));
  if (!parsed.success) throw new Error(`read: ${z.prettifyError(parsed.error)}`);
  return directTarget({ ...withKnownModel(parsed.data), name }, reservations);
}

/** A meter that is read without daemon and database. */
export function directTarget(config: MeterConfig, reservations: CounterFile): MeterTarget {
  return meterTarget(config, {
    leaseCounters: (key, title) => leaseKeyCounters(reservations, { key, clientSystemTitle: title }),
    openStoredKey: () => Promise.reject(new KeyError("KEY_STORE_CLOSED")),
  });
}

/** The options in the form of a meter of the configuration, so that one schema checks both. */
export function meterInput(options: DirectOptions) {
  // These prove themselves with a system title, and need no key to cipher with.
  const needsTitle = options.auth === "hls-6" || options.auth === "hls-7";
  const security = (options.blockCipherKey !== undefined || needsTitle) && {
    suite: numberOf(options.suite),
    protection: options.protection ?? (options.blockCipherKey === undefined ? "none" : undefined),
    clientSystemTitle: options.clientTitle,
    serverSystemTitle: options.serverTitle,
    blockCipherKey: options.blockCipherKey,
    authenticationKey: options.authenticationKey,
    signingKey: options.signingKey,
    serverSigningKey: options.serverSigningKey,
    general: options.general,
    invocationCounter: options.counter,
  };
  return {
    name: "direct",
    number: "direct",
    companion: options.companion,
    model: options.model,
    quirks: options.quirk,
    timeZone: options.timeZone,
    connection: {
      tcp: options.tcp,
      serial: options.serial,
      opening: options.opening,
      speed: numberOf(options.speed),
      echo: options.echo,
      turnaround: options.turnaround,
      deviceAddress: options.deviceAddress,
      link: options.link,
      physicalAddress: numberOf(options.physicalAddress),
      addressLength: numberOf(options.addressLength),
      responseTimeout: options.timeout,
    },
    association: {
      clientSap: numberOf(options.clientSap),
      serverSap: numberOf(options.serverSap),
      referencing: options.referencing,
      mechanism: options.auth,
      secret: options.secret,
      ...(security && { security }),
    },
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Counters must not be used twice, so the field tool remembers them in the user's own state directory. */
export function defaultCounterFile(): string {
  const state = process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state");
  return join(state, "dlms-gateway", "counters");
}
