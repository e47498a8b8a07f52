/** One visit to a meter: connect, read its counter where it has one, associate, work, take leave. */
import type { ByteChannel } from "../../drivers/channel.ts";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { connectTcp } from "../../drivers/tcp/connect.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { diagnose } from "../../protocol/security/diagnosis.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import { associationSettings, publicClientSettings } from "./association-settings.ts";
import { connectMeter, type InvocationCounters, type MeterAccess } from "./meter-access.ts";
import type { MeterConnection, MeterConnectionSettings } from "./meter-connection.ts";
import { MeterLine } from "./meter-line.ts";
import type { MeterTarget } from "./meter-target.ts";
import { sessionLink } from "./session-link.ts";

export interface VisitOptions {
  readonly budgetMs: number;
  readonly signal?: AbortSignal;
  /** Puts something between the channel and the session: a recorder. */
  readonly wrap?: (channel: ByteChannel) => ByteChannel;
  readonly onTold?: MeterConnectionSettings["onTold"];
}

/** Rejects with what went wrong on the road, for `causeOf`; the connection is closed whatever happens. */
export async function visitMeter<T>(
  target: MeterTarget,
  options: VisitOptions,
  work: (connection: MeterConnection) => Promise<T>,
): Promise<T> {
  const counters = await target.openCounters?.();
  const connectTimeoutMs = target.connection.responseTimeout;
  const channel = await connectTcp(tcpAddress(target.connection.tcp), { connectTimeoutMs, ...signalOf(options) });
  await using line = new MeterLine(options.wrap?.(channel) ?? channel, signalOf(options));
  await using connection = await connectMeter(line, accessOf(target, options, counters));
  return await work(connection);
}

function signalOf({ signal }: VisitOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function accessOf(target: MeterTarget, options: VisitOptions, counters: InvocationCounters | undefined): MeterAccess {
  const { association, connection, secrets } = target;
  const responseTimeoutMs = connection.responseTimeout;
  const { budgetMs, onTold } = options;
  const counterObject = association.security?.invocationCounter;
  const nextInvocationCounter = () => requireCounters(counters).next();
  return {
    clientSap: association.clientSap,
    link: (clientSap) => sessionLink(connection, { clientSap, serverSap: association.serverSap }),
    publicSession: () => ({ client: publicClientSettings(association, responseTimeoutMs), budgetMs }),
    session: () => {
      const client = associationSettings({ association, secrets, responseTimeoutMs, nextInvocationCounter });
      return { client, budgetMs, names: target, ...diagnosisOf(target), ...(onTold && { onTold }) };
    },
    ...(counterObject !== undefined &&
      counters !== undefined && { counter: { logicalName: logicalNameToOctets(counterObject), counters } }),
  };
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
