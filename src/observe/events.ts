/**
 * What happens in the gateway, as typed events. One table says at which level each is logged and in which words; names
 * and fields are stable, because people search for them.
 */
import type { Logger } from "pino";
import { type Clock, systemClock } from "../../drivers/clock.ts";
import type { EventLog } from "../store/records/event-log.ts";

/** Happens anew with each try; `untold` times it was not told since it was the last time. */
interface Repeated {
  readonly reason: string;
  readonly untold?: number;
}

export interface GatewayEvents {
  readonly gatewayStarted: { meters: number; database: string; version: string };
  readonly gatewayStopping: { signal: string };
  readonly gatewayStopped: { durationMs: number };
  /** A part of the gateway has had something to do for so long, and has tried nothing. */
  readonly partStalled: { part: string; forMs: number };
  /** Without an order; it is started again after `retryMs`. */
  readonly workerEnded: { worker: number; code: number | null; signal: string | null; retryMs: number };
  /** It is ended for that. */
  readonly workerSilent: { worker: number; forMs: number };
  /** Systemd holds a socket for which the configuration has no listener. */
  readonly socketUntaken: { address: string; transport: string };
  /** What was taken, and what waits for a new start, each as one line. */
  readonly configReloaded: { taken: readonly string[]; waiting: readonly string[] };
  /** A part of a configuration that is right in itself could not be taken; that is tried again with the next order. */
  readonly settingsRefused: { part: string; reason: string; settings: readonly string[] };
  readonly configRefused: { reason: string };
  readonly databaseReady: { edition: string; migrated: number };
  /** At the start; `goesOn` without it, from what is on record, or else waits for it. */
  readonly databaseAway: { reason: string; nextStep: string; goesOn: boolean; retryMs: number };
  /** The database that came back is not the one that records and spool are of. */
  readonly databaseForeign: { meters: number; nextStep: string };
  /** The embedded server: an orphan ended, the server died, came back, or is lost for good. */
  readonly databaseServer: { what: string; detail: string };
  readonly fleetUnrecorded: { reason: string };
  readonly meterUnknown: { meter: string; nextStep: string };
  readonly addedMeterRefused: { meter: string; reason: string };
  readonly metersAdded: { meters: number };
  readonly meterRemoved: { meter: string };
  readonly countersFew: { meter: string; remaining: number; nextStep: string };
  /** Blocks of meters that this gateway shares with others, and how many it has now. */
  readonly blocksHeld: { taken: number; held: number };
  readonly blocksGiven: { given: number; held: number };
  readonly blocksLost: { lost: number; reason: string };
  /** How long the meters that are held are still worked. */
  readonly sharingLost: { reason: string; forMs: number };
  readonly fleetsDiffer: { others: string };
  readonly jobsFailed: Repeated;
  /** `left` of the 4,294,967,296 that a key has. */
  readonly counterLow: { meter: string; left: number; nextStep: string };
  readonly meterLocked: { meter: string; evidence: string; nextStep: string };
  readonly meterPolled: { meter: string; profiles: readonly string[]; rows: number; durationMs: number };
  readonly meterFailed: { meter: string; cause: string; evidence: string; nextStep: string; durationMs: number };
  readonly meterQuarantined: { meter: string };
  readonly meterReturned: { meter: string };
  /** Both as ISO 8601: what it shows now, and what it would show if nobody had set it. */
  readonly gatewayClockSet: { now: string; before: string };
  /** Meters are not polled until the clock of the gateway is right; both as ISO 8601. */
  readonly gatewayClockWrong: { now: string; known: string; nextStep: string };
  /** What somebody read was answered, but could not be kept. */
  readonly readUnkept: { meter: string; reason: string };
  /** In the unit of the register's column; `swapped` where import and export go on from each other. */
  readonly registerWentBack: {
    meter: string;
    register: string;
    before: string;
    after: string;
    at: Date;
    swapped: boolean;
  };
  readonly profileRefused: { meter: string; profile: string; evidence: string };
  readonly rowsStored: { rows: number; inserted: number; revised: number; setAside: number };
  readonly storeFailed: Repeated & { retryMs: number };
  readonly coverageUnfolded: { reason: string };
  readonly seriesUnlearned: { reason: string };
  readonly spoolBegun: { reason: string };
  readonly spoolDrained: { records: number; durationMs: number };
  readonly spoolRetried: Repeated & { retryMs: number };
  readonly spoolFilling: { octets: number; quota: number };
  /** `lost` is missing where nobody can tell. */
  readonly spoolDamaged: { file: string; from: number; to: number; lost: number | undefined };
  readonly spoolSetAside: { kind: string; reason: string };
  readonly attemptsLost: { reason: string; count: number };
  readonly upkeepFailed: Repeated;
  readonly callsAwaited: { address: string };
  readonly callListenerLeft: { address: string };
  readonly meterCalled: { meter: string; peer: string };
  /** It is held, and on the list of unknown senders. */
  readonly callerUnknown: { peer: string; names: readonly string[] };
  readonly callUnused: { peer: string; names: readonly string[] };
  readonly callFailed: { peer: string; reason: string };
  readonly callRefused: { limit: number };
  readonly pushListening: { address: string; transport: string };
  readonly pushListenerLeft: { address: string; transport: string };
  readonly pushReceived: { peer: string; meter: string | undefined; values: number };
  readonly pushRejected: { peer: string; reason: string };
  readonly pushesDropped: { count: number };
  readonly senderConflict: { meter: string; other: string; clue: string };
  readonly setupDrifted: { meter: string; setup: string; changes: number; state: string };
  readonly setupCarriedOut: {
    meter: string;
    setup: string;
    state: string;
    testPush: string;
    evidence: string | undefined;
  };
  /** `lastAt` is when a push came last, as far as is known. */
  readonly pushMissing: { meter: string; pushSetup: string | undefined; expectedAt: Date; lastAt: Date | undefined };
  readonly pushHeardAgain: { meter: string; pushSetup: string | undefined; silentMs: number };
  readonly noticeLost: { reason: string };
  readonly requestTimeLost: { reason: string };
  readonly notificationsFail: { destination: string; evidence: string };
  readonly notificationsArrive: { destination: string };
  readonly notificationsGivenUp: { destination: string; count: number; evidence: string };
  readonly setupUnrecorded: { meter: string; setup: string; reason: string };
  readonly apiListening: { address: string };
  readonly apiFailed: { reason: string };
  readonly replayFailed: { reason: string };
  /** Held pushes that were understood better, of all that were looked at. */
  readonly pushesReplayed: { held: number; replayed: number; stored: number };
}

export type GatewayEventName = keyof GatewayEvents;
export type GatewayEvent = {
  [K in GatewayEventName]: { readonly event: K } & Readonly<GatewayEvents[K]>;
}[GatewayEventName];

/** Takes events; must not throw and must not wait. */
export type EventSink = (event: GatewayEvent) => void;

interface EventWords {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  /** The table that has a row for each of them, so that dlms.event_logs need not. */
  readonly keptIn?: string;
  /** Happens anew with each try, for as long as the database is away. */
  readonly isRepeated?: true;
}

const EVENTS = {
  gatewayStarted: { level: "info", text: "gateway started" },
  gatewayStopping: { level: "info", text: "gateway stops: no new work, what runs may finish" },
  gatewayStopped: { level: "info", text: "gateway stopped" },
  partStalled: {
    level: "error",
    text: "a part of the gateway does nothing more; systemd starts it anew if it goes on",
  },
  workerEnded: { level: "error", text: "a worker process has ended without an order; it is started again" },
  workerSilent: { level: "error", text: "a worker process gives no sign of life: it hangs, and is ended" },
  socketUntaken: {
    level: "warn",
    text: "systemd passed a socket that no entry of push.listen wants: nobody hears what comes there",
  },
  configReloaded: { level: "info", text: "the configuration was read again; what waits needs a new start" },
  settingsRefused: { level: "error", text: "this part of the new configuration can't be had now; the old one holds" },
  configRefused: { level: "error", text: "the new configuration can't be used; the old one holds" },
  databaseReady: { level: "info", text: "database is ready" },
  databaseAway: {
    level: "error",
    text: "the database is away at the start; that is tried again until a stop is ordered",
  },
  databaseForeign: {
    level: "error",
    text: "the database knows the meters under other keys than the spool: nothing is brought in, all is kept",
  },
  fleetUnrecorded: { level: "warn", text: "the record for a start without the database could not be written" },
  meterUnknown: { level: "warn", text: "the meter is new to the gateway: it is read when the database is there" },
  addedMeterRefused: { level: "warn", text: "a meter that was added is not worked: see meters remove" },
  metersAdded: { level: "info", text: "further meters are worked" },
  meterRemoved: { level: "info", text: "a meter that somebody removed is not worked any more" },
  counterLow: { level: "warn", text: "most of the invocation counters of a key are used up" },
  countersFew: { level: "error", text: "invocation counters run low, and the database that keeps them is away" },
  databaseServer: { level: "warn", text: "the embedded database server" },
  blocksHeld: { level: "info", text: "this gateway works the meters of further blocks" },
  blocksGiven: { level: "info", text: "blocks of meters were given to other gateways" },
  blocksLost: { level: "warn", text: "the meters are no longer this gateway's: their sessions are cut" },
  sharingLost: { level: "warn", text: "no sign of life to the database; the meters that are held are worked on" },
  jobsFailed: {
    level: "warn",
    text: "what gateways ask of each other could not be looked at; it is tried again",
    isRepeated: true,
  },
  fleetsDiffer: {
    level: "error",
    text: "gateways of the same network have different meters: what only one of them has may be worked by none",
  },
  meterLocked: { level: "error", text: "the meter's secrets can't be had; tried again with each visit" },
  meterPolled: { level: "debug", text: "meter polled" },
  meterFailed: { level: "warn", text: "meter could not be read", keptIn: "dlms.read_attempts" },
  meterQuarantined: { level: "warn", text: "the meter keeps failing: it is tried seldom until it answers or sends" },
  meterReturned: { level: "info", text: "the meter is back among those that are read as planned" },
  gatewayClockSet: { level: "warn", text: "the gateway's clock was set; every meter is asked for what is open" },
  gatewayClockWrong: { level: "error", text: "the gateway's clock is before times that are known; polling waits" },
  readUnkept: { level: "warn", text: "what was read on demand could not be kept" },
  profileRefused: { level: "info", text: "the meter has no such profile for us; the others were read" },
  registerWentBack: {
    level: "warn",
    text: "an energy register shows less than before: it was reset or swapped, or the meter was exchanged",
  },
  rowsStored: { level: "debug", text: "rows stored" },
  storeFailed: { level: "error", text: "rows could not be stored; they are kept and tried again", isRepeated: true },
  coverageUnfolded: { level: "warn", text: "the ledger's journal was not folded; it grows, but is whole" },
  seriesUnlearned: { level: "warn", text: "series were not put into the catalogue; that is tried again" },
  spoolBegun: {
    level: "warn",
    text: "the database does not take what comes: it goes to the spool, and counts as kept",
  },
  spoolDrained: { level: "info", text: "the spool has been brought into the database" },
  spoolRetried: {
    level: "warn",
    text: "the spool can't be brought into the database yet; it is tried again",
    isRepeated: true,
  },
  spoolFilling: { level: "error", text: "the spool is nearly full: meters are not polled until the database answers" },
  spoolDamaged: { level: "error", text: "the spool's disk has damaged records; their octets are set aside beside it" },
  spoolSetAside: { level: "error", text: "a record of the spool can't be stored; its octets are set aside beside it" },
  attemptsLost: { level: "warn", text: "the record of read attempts has a gap; readings are not concerned" },
  upkeepFailed: {
    level: "warn",
    text: "the database's upkeep failed and is tried again; views are exact without it",
    isRepeated: true,
  },
  callsAwaited: { level: "info", text: "listening for meters that call in" },
  callListenerLeft: { level: "info", text: "nobody new may call there any more; calls that are held stay" },
  meterCalled: { level: "debug", text: "meter has called in" },
  callerUnknown: { level: "warn", text: "somebody called who is no meter of ours: see push unknown, meters adopt" },
  callUnused: { level: "warn", text: "a meter called in whose connection is not configured with callsIn" },
  callFailed: { level: "info", text: "a call ended before it was known whose it was, or by a fault" },
  callRefused: { level: "error", text: "a call was not taken, for so many are held already" },
  pushListening: { level: "info", text: "listening for pushes" },
  pushListenerLeft: { level: "info", text: "no longer listening for pushes there; connections that are held stay" },
  pushReceived: { level: "debug", text: "push received" },
  pushRejected: { level: "warn", text: "push kept without being understood", keptIn: "dlms.push_history" },
  senderConflict: {
    level: "warn",
    text: "a push points to two meters; the more telling clue goes before: push conflicts",
  },
  setupDrifted: { level: "warn", text: "a meter no longer has its push setup" },
  setupCarriedOut: { level: "info", text: "push setup compared with the meter, or carried out" },
  pushMissing: {
    level: "warn",
    text: "a push that the meter should have sent has not come; what is missing is polled",
  },
  pushHeardAgain: { level: "info", text: "the meter pushes again" },
  notificationsFail: { level: "warn", text: "notifications do not arrive; they are kept and tried again" },
  notificationsArrive: { level: "info", text: "notifications arrive again" },
  notificationsGivenUp: { level: "error", text: "notifications were given up; they are kept as dead in the outbox" },
  requestTimeLost: { level: "warn", text: "how long somebody waited for a meter could not be kept" },
  noticeLost: { level: "error", text: "something that was noticed about a meter could not be kept" },
  setupUnrecorded: { level: "error", text: "what was done to a push setup could not be recorded" },
  apiListening: { level: "info", text: "the HTTP API and the pages are there" },
  apiFailed: { level: "error", text: "a request to the HTTP API failed" },
  replayFailed: { level: "warn", text: "held pushes could not be replayed; the next start tries again" },
  pushesReplayed: { level: "info", text: "held pushes were replayed" },
  pushesDropped: {
    level: "error",
    text: "connections or datagrams were turned away: more come than the limits and the database allow",
  },
} as const satisfies Record<GatewayEventName, EventWords>;

const REPEAT_MS = 300_000;
/** Of reasons; some name what changes each time. */
const MOST_REASONS = 100;

/** Of what is repeated, passes on the first for a reason and then one every 5 minutes. */
export function withoutRepeats(sink: EventSink, clock: Clock = systemClock): EventSink {
  const told = new Map<string, { readonly atMs: number; untold: number }>();
  return (event) => {
    if (!isRepeated(event)) return sink(event);
    const key = `${event.event} ${event.reason}`;
    const last = told.get(key);
    if (last !== undefined && clock.elapsed() - last.atMs < REPEAT_MS) {
      last.untold += 1;
      return;
    }
    if (told.size >= MOST_REASONS) told.clear();
    told.set(key, { atMs: clock.elapsed(), untold: 0 });
    const untold = last?.untold ?? 0;
    sink(untold > 0 ? { ...event, untold } : event);
  };
}

function isRepeated(event: GatewayEvent): event is GatewayEvent & Repeated {
  const words: EventWords = EVENTS[event.event];
  return words.isRepeated === true;
}

/** Writes each event as one log line; what is repeated now and then. */
export function logSink(log: Logger): EventSink {
  return withoutRepeats((event) => {
    const { level, text } = EVENTS[event.event];
    log[level](event, text);
  });
}

/** Puts what is worth keeping into the log in the database; what is repeated now and then. */
export function eventLogSink(log: Pick<EventLog, "add">): EventSink {
  return withoutRepeats(({ event, ...details }) => {
    const { level, text, keptIn }: EventWords = EVENTS[event];
    if (level === "debug" || keptIn !== undefined) return;
    const subject = "meter" in details ? details.meter : undefined;
    log.add({
      occurredAt: new Date(),
      level,
      event,
      message: text,
      details,
      ...(subject !== undefined && { subject }),
    });
  });
}

/** Tells several. */
export function tellAll(...sinks: readonly EventSink[]): EventSink {
  return (event) => {
    for (const sink of sinks) sink(event);
  };
}
