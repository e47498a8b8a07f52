/** One visit to a meter: connect, read its counter where it has one, associate, work, take leave. */
import type { ByteChannel } from "../../../drivers/channel.ts";
import { sleep } from "../../../drivers/clock.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { diagnose } from "../../../protocol/security/diagnosis.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { ConfigError } from "../../config/config-error.ts";
import { isReadOut } from "../../config/connection-schema.ts";
import { inSpan } from "../../observe/tracing.ts";
import { SessionFailedError } from "../causes/session-failure.ts";
import { associationSettings, publicClientSettings } from "./association-settings.ts";
import { counterCandidates } from "./counter-objects.ts";
import { connectMeter, type InvocationCounters, type MeterAccess } from "./meter-access.ts";
import { type MeterCalls, type MeterChannel, openMeterChannel } from "./meter-channel.ts";
import type { MeterConnection, MeterConnectionSettings } from "./meter-connection.ts";
import { MeterLine } from "./meter-line.ts";
import type { MeterTarget } from "./meter-target.ts";
import { clientChangeMs, listLimitFor, quietMs } from "./quirk-settings.ts";
import { SerialLines } from "./serial-lines.ts";
import { answerTimeoutMs, readRepetitions, receivePduSize } from "./session-link.ts";
import { SYSTEM_ENVIRONMENT, type VisitEnvironment } from "./visit-environment.ts";

/** More than any one order takes that is not in blocks; those reserve as they go. */
const COUNTERS_OF_AN_ORDER = 8;

export interface VisitOptions {
  readonly budgetMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly environment?: VisitEnvironment | undefined;
  /** The serial lines that this process shares among its visits; without them the visit has its own. */
  readonly lines?: SerialLines;
  readonly calls?: MeterCalls | undefined;
  /** Puts something between the channel and the session: a recorder. */
  readonly wrap?: ((channel: ByteChannel) => ByteChannel) | undefined;
  readonly onNotice?: MeterConnectionSettings["onNotice"];
}

/** Rejects with what went wrong on the road, for `causeOf`; the connection is closed whatever happens. */
export async function visitMeter<T>(
  target: MeterTarget,
  options: VisitOptions,
  work: (connection: MeterConnection) => Promise<T>,
): Promise<T> {
  const { lines, signal, environment = SYSTEM_ENVIRONMENT, wrap } = options;
  if (lines === undefined) return visitOnOwnLines(target, options, work);
  if (isReadOut(target.connection)) {
    const message = "the meter is only read out: it has no objects to get at";
    throw new ConfigError(target.name, [{ path: "connection.opening", message }]);
  }
  await target.unlock?.();
  const counters = await target.openCounters?.();
  const way = await inSpan("connect", {}, () => openMeterChannel(target, { ...options, lines }));
  const { clock } = environment;
  const { onlyOthersAnswer } = way;
  const line = new MeterLine(wrap?.(way.channel) ?? way.channel, { clock, signal, onlyOthersAnswer });
  try {
    const pauseMs = quietMs(target.quirks);
    if (pauseMs > 0) await sleep(clock, pauseMs, signal);
    return await workOver(line, { target, options, way, counters }, work);
  } finally {
    await line.close();
  }
}

async function visitOnOwnLines<T>(
  target: MeterTarget,
  options: VisitOptions,
  work: (connection: MeterConnection) => Promise<T>,
): Promise<T> {
  await using lines = new SerialLines();
  return await visitMeter(target, { ...options, lines }, work);
}

interface Visit {
  readonly target: MeterTarget;
  readonly options: VisitOptions;
  readonly way: MeterChannel;
  readonly counters: InvocationCounters | undefined;
}

/** Associates, works, takes leave. */
async function workOver<T>(
  line: MeterLine,
  visit: Visit,
  work: (connection: MeterConnection) => Promise<T>,
): Promise<T> {
  const { target, way } = visit;
  try {
    const connection = await inSpan("associate", {}, () => connectMeter(line, accessOf(visit)));
    try {
      way.noteAnswer?.();
      return await work(connection);
    } finally {
      await connection.close();
    }
  } catch (error) {
    // Whatever it was, a counter or a key may have had a part in it: the next visit asks for both again.
    target.countersAccepted = false;
    if (error instanceof SessionFailedError) target.lock?.();
    throw error;
  }
}

function accessOf({ target, options, way, counters }: Visit): MeterAccess {
  const { association, connection, secrets, quirks } = target;
  const { budgetMs, onNotice, environment = SYSTEM_ENVIRONMENT } = options;
  const { clock, randomOctets } = environment;
  const maxReceivePduSize = receivePduSize(connection, association);
  const responseTimeoutMs = answerTimeoutMs(connection, maxReceivePduSize);
  const context = {
    association,
    secrets,
    maxReceivePduSize,
    responseTimeoutMs,
    repeatReads: readRepetitions(connection),
    nextInvocationCounter: () => requireCounters(counters).next(),
    quirks,
    randomOctets,
    nowMs: () => clock.now(),
  };
  return {
    clientSap: association.clientSap,
    clock,
    link: way.link,
    publicSession: () => ({ client: publicClientSettings(association, responseTimeoutMs, randomOctets), budgetMs }),
    session: () => ({
      client: associationSettings(context),
      listLimit: listLimitFor(quirks),
      budgetMs,
      names: target,
      prepare: counters && (() => counters.ensure(COUNTERS_OF_AN_ORDER)),
      diagnose: diagnosisOf(target),
      onNotice,
    }),
    counter: counters && counterOf(target, counters),
  };
}

function counterOf(target: MeterTarget, counters: InvocationCounters): MeterAccess["counter"] {
  const { clientSap, security } = target.association;
  const named = security?.invocationCounter;
  if (named === undefined) return undefined;
  const names = () => counterCandidates(named, clientSap);
  return { names, counters, memory: target, pauseMs: clientChangeMs(target.quirks) };
}

function diagnosisOf({ association, secrets }: MeterTarget): MeterConnectionSettings["diagnose"] {
  const { blockCipherKey, authenticationKey } = secrets;
  if (blockCipherKey === undefined) return undefined;
  const title = association.security?.serverSystemTitle;
  return (ciphered) => {
    const keys = { blockCipherKey, ...(authenticationKey && { authenticationKey }) };
    return diagnose(ciphered, { keys, ...(title && { systemTitle: systemTitle(fromHex(title)) }) });
  };
}

function requireCounters(counters: InvocationCounters | undefined): InvocationCounters {
  if (counters === undefined) throw new Error("a ciphered association without a key asked for an invocation counter");
  return counters;
}
