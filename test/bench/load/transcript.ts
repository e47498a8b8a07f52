/** One whole session with a simulated meter, recorded: what went out, and what came back. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteChannel } from "../../../drivers/channel.ts";
import { encodedOctets } from "../../../protocol/apdu/descriptors.ts";
import type { ClockPolicy } from "../../../protocol/cosem/date-time.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { decodeProfileBuffer } from "../../../protocol/profile/decode.ts";
import type { ProfileLayout } from "../../../protocol/profile/layout.ts";
import { streetConfiguration } from "../../../src/cli/demo/demo-street.ts";
import { knownClock, readProfile } from "../../../src/collect/read/meter-reader.ts";
import type { MeterConnection } from "../../../src/collect/session/meter-connection.ts";
import { visitMeter } from "../../../src/collect/session/meter-session.ts";
import { type MeterTarget, meterTarget, type TargetServices } from "../../../src/collect/session/meter-target.ts";
import { SYSTEM_ENVIRONMENT, type VisitEnvironment } from "../../../src/collect/session/visit-environment.ts";
import { meterSchema } from "../../../src/config/schema.ts";
import { type Street, type StreetMeter, startStreet } from "../../../src/simulator/street.ts";

export type Transcript = readonly { readonly request: Uint8Array; readonly answer: Uint8Array }[];

export interface RecordedSession {
  readonly target: MeterTarget;
  readonly transcript: Transcript;
  /** What the session did, and what does it again. */
  readonly work: (connection: MeterConnection) => Promise<void>;
}

/** Later than this, so that every house has been measuring for days. */
const NOW_MS = Date.UTC(2026, 5, 15, 12);
const BUDGET_MS = 60_000;
const CLOCK = { classId: 8, logicalName: logicalNameToOctets("0.0.1.0.0.255"), attributeId: 2 };
const BLOCK_LOAD = logicalNameToOctets("1.0.99.1.0.255");
const REGISTERS = ["1.0.1.8.0.255", "1.0.9.8.0.255"].map((name) => ({
  attribute: { classId: 3, logicalName: logicalNameToOctets(name), attributeId: 2 },
}));
const HOUSES = 24;
const SLOTS_OF_A_DAY = 48;
/** What meters with small buffers send at a time. */
const SMALL_PDU_SIZE = 1024;

/** What a session does once it is associated: clock, two registers, a day of block load, which becomes columns. */
function workWith(layout: ProfileLayout, clock: ClockPolicy) {
  return async (connection: MeterConnection): Promise<void> => {
    const results = [await connection.get({ attribute: CLOCK }), ...(await connection.getList(REGISTERS))];
    const rows = await connection.readProfile(BLOCK_LOAD, { type: "entries", from: 1, to: SLOTS_OF_A_DAY });
    if (rows.type !== "data" || results.some((result) => result.type !== "data")) {
      throw new Error("the meter refused a part of the session");
    }
    const { rowCount } = decodeProfileBuffer(encodedOctets(rows) ?? rows.data, layout, { clock });
    if (rowCount !== SLOTS_OF_A_DAY) throw new Error(`${rowCount} rows are no day`);
  };
}

/** The meter of the recording, at another port. */
export function at(target: MeterTarget, port: number): MeterTarget {
  return { ...target, connection: { ...target.connection, tcp: `127.0.0.1:${port}` } };
}

/** A plain session over wrapper with a password, in APDUs of a kilobyte: its octets are the same every time. */
export async function recordSession(): Promise<RecordedSession> {
  const meter = await findMeter({
    clock: () => NOW_MS,
    fits: ({ link, security, mechanism }) => link.type === "wrapper" && security === undefined && mechanism === "lls",
    services: { leaseCounters: noKeys, openStoredKey: noKeys },
  });
  await using _ = meter.street;
  const association = { ...meter.target.association, maxReceivePduSize: SMALL_PDU_SIZE };
  const target = { ...meter.target, association };
  const learn = (connection: MeterConnection) => readProfile(connection, target, "block_load");
  const { layout } = await visitMeter(target, { budgetMs: BUDGET_MS }, learn);
  const work = workWith(layout, knownClock(target));
  return { target, transcript: await record(target, SYSTEM_ENVIRONMENT, work), work };
}

export interface FoundMeter {
  readonly target: MeterTarget;
  /** To be disposed of when the meter is no longer needed. */
  readonly street: Street;
}

/** A meter of a street of its own, as the collector knows it before the first visit. */
export async function findMeter(wanted: {
  readonly clock: () => number;
  readonly fits: (meter: StreetMeter) => boolean;
  readonly services: TargetServices;
}): Promise<FoundMeter> {
  const street = await startStreet({ count: HOUSES, clock: wanted.clock });
  const house = street.meters.find(wanted.fits);
  if (house === undefined) throw new Error("the street has no house that fits");
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-bench-"));
  const [config] = await streetConfiguration([house], directory);
  const target = meterTarget(meterSchema.parse(config), wanted.services);
  await target.unlock?.();
  await rm(directory, { recursive: true, force: true });
  return { target, street };
}

/** One visit, as it went over the wire. */
export async function record(
  target: MeterTarget,
  environment: VisitEnvironment,
  work: (connection: MeterConnection) => Promise<unknown>,
): Promise<Transcript> {
  const steps: { request: Uint8Array[]; answer: Uint8Array[] }[] = [];
  await visitMeter(target, { budgetMs: BUDGET_MS, environment, wrap: (channel) => overheard(channel, steps) }, work);
  return steps.map(({ request, answer }) => ({ request: Buffer.concat(request), answer: Buffer.concat(answer) }));
}

function noKeys(): Promise<never> {
  return Promise.reject(new Error("no key here"));
}

function overheard(channel: ByteChannel, steps: { request: Uint8Array[]; answer: Uint8Array[] }[]): ByteChannel {
  return {
    name: channel.name,
    start: (sink) =>
      channel.start({
        bytes: (bytes) => {
          steps.at(-1)?.answer.push(bytes.slice());
          sink.bytes(bytes);
        },
        closed: (cause) => sink.closed(cause),
      }),
    write: (bytes) => {
      const step = steps.at(-1);
      if (step === undefined || step.answer.length > 0) steps.push({ request: [bytes.slice()], answer: [] });
      else step.request.push(bytes.slice());
      channel.write(bytes);
    },
    close: () => channel.close(),
  };
}
