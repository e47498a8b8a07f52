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
import { clientChangeMs, listLimitFor, quietMs, quirkyClient } from "./quirk-settings.ts";
import { SerialLines } from "./serial-lines.ts";
import { answerTimeoutMs, readRepetitions } from "./session-link.ts";
import { SYSTEM_ENVIRONMENT, type VisitEnvironment } from "./visit-environment.ts";

/** More than any one order takes that is not in blocks; those reserve as they go. */
const COUNTERS_OF_AN_ORDER = 8;
const NO_OCTETS = new Uint8Array(0);

export interface VisitOptions {
  readonly budgetMs: number;
  readonly signal?: AbortSignal;
  readonly environment?: VisitEnvironment;
  /** The serial lines that this process shares among its visits; without them the visit has its own. */
  readonly lines?: SerialLines;
  readonly calls?: MeterCalls;
  /** Puts something between the channel and the session: a recorder. */
  readonly wrap?: (channel: ByteChannel) => ByteChannel;
  readonly onNotice?: MeterConnectionSettings["onNotice"];
}

/** Rejects with what went wrong on the road, for `causeOf`; the connection is closed whatever happens. */
export async function visitMeter<T>(
  target: MeterTarget,
  options: VisitOptions,
  work: (connection: MeterConnection) => Promise<T>,
): Promise<T> {
  if (options.lines === undefined) {
    await using lines = new SerialLines();
    return await visitMeter(target, { ...options, lines }, work);
  }
  if (isReadOut(target.connection)) {
    const message = "the meter is only read out: it has no objects to get at";
    throw new ConfigError(target.name, [{ path: "connection.opening", message }]);
  }
  await target.unlock?.();
  const counters = await target.openCounters?.();
  const { environment = SYSTEM_ENVIRONMENT, lines, calls } = options;
  const { clock } = environment;
  const way = { lines, environment, ...(calls && { calls }), ...signalOf(options) };
  const opened = await inSpan("connect", {}, () => openMeterChannel(target, way));
  const { channel, onlyOthersAnswer, noteAnswer } = opened;
  const lineOptions = { clock, ...signalOf(options), ...(onlyOthersAnswer && { onlyOthersAnswer }) };
  await using line = new MeterLine(options.wrap?.(channel) ?? channel, lineOptions);
  const pauseMs = quietMs(target.quirks);
  if (pauseMs > 0) await sleep(clock, pauseMs, options.signal);
  try {
    const access = accessOf(target, { ...options, opened }, counters);
    await using connection = await inSpan("associate", {}, () => connectMeter(line, access));
    noteAnswer?.();
    return await work(connection);
  } catch (error) {
    // Whatever it was, a counter or a key may have had a part in it: the next visit asks for both again.
    target.countersAccepted = false;
    if (error instanceof SessionFailedError) target.lock?.();
    throw error;
  }
}

function signalOf({ signal }: VisitOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function accessOf(
  target: MeterTarget,
  options: VisitOptions & { readonly opened: MeterChannel },
  counters: InvocationCounters | undefined,
): MeterAccess {
  const { association, connection, secrets, quirks } = target;
  const responseTimeoutMs = answerTimeoutMs(connection, association.maxReceivePduSize);
  const { budgetMs, onNotice, opened, environment = SYSTEM_ENVIRONMENT } = options;
  const { clock, randomOctets } = environment;
  const changeMs = clientChangeMs(quirks);
  const counterObject = association.security?.invocationCounter;
  const nextInvocationCounter = () => requireCounters(counters).next();
  return {
    clientSap: association.clientSap,
    clock,
    link: opened.link,
    publicSession: () => ({ client: publicClientSettings(association, responseTimeoutMs, randomOctets), budgetMs }),
    session: () => {
      const repeatReads = readRepetitions(connection);
      const context = {
        association,
        secrets,
        responseTimeoutMs,
        repeatReads,
        nextInvocationCounter,
        quirks,
        randomOctets,
        nowMs: () => clock.now(),
      };
      return {
        client: { ...associationSettings(context), ...quirkyClient(quirks) },
        ...listLimitFor(quirks),
        budgetMs,
        names: target,
        ...(counters && { prepare: () => counters.ensure(COUNTERS_OF_AN_ORDER) }),
        ...diagnosisOf(target),
        ...(onNotice && { onNotice }),
      };
    },
    ...(counterObject !== undefined &&
      counters !== undefined && {
        counter: {
          ...counterObjects(counterObject, association.clientSap),
          counters,
          memory: target,
          ...(changeMs !== undefined && { pauseMs: changeMs }),
        },
      }),
  };
}

function counterObjects(named: string, clientSap: number) {
  const [logicalName = NO_OCTETS, ...otherNames] = counterCandidates(named, clientSap);
  return { logicalName, otherNames };
}

function diagnosisOf({ association, secrets }: MeterTarget): Partial<Pick<MeterConnectionSettings, "diagnose">> {
  const { blockCipherKey, authenticationKey } = secrets;
  if (blockCipherKey === undefined) return {};
  const keys = { blockCipherKey, ...(authenticationKey && { authenticationKey }) };
  const title = association.security?.serverSystemTitle;
  return {
    diagnose: (ciphered) => diagnose(ciphered, { keys, ...(title && { systemTitle: systemTitle(fromHex(title)) }) }),
  };
}

function requireCounters(counters: InvocationCounters | undefined): InvocationCounters {
  if (counters === undefined) throw new Error("a ciphered association without a key asked for an invocation counter");
  return counters;
}
