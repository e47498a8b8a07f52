/** Event codes and alarm registers of IDIS, packages 1 to 3. */

import {
  CLOCK_BREAKS,
  COMMON_ALARMS,
  COVER_AND_FIELD_EVENTS,
  MBUS_CHANNELS,
  mbusEvents,
  perChannel,
  rowStatus,
  STANDARD_EVENTS,
} from "./european-events.ts";
import { begins, type CompanionEvents, type EventEntry, ends, happens, lasting, log, word } from "./event-table.ts";

const disputed = { disputed: true };
const PHASES = [1, 2, 3] as const;

function perPhase(firstCode: number, entry: (code: number, phase: number) => EventEntry): EventEntry[] {
  return PHASES.map((phase, index) => entry(firstCode + index, phase));
}

const FRAUD = log(1, [
  COVER_AND_FIELD_EVENTS,
  happens(49, "messages could not be deciphered repeatedly", "alarm", disputed),
  happens(50, "message replayed", "alarm", disputed),
  begins(52, "consumption while disconnected", "alarm"),
]);
const DISCONNECTOR = log(2, [
  begins(60, "disconnected by hand", "warning", { condition: "disconnected" }),
  { ...ends(61, "disconnected"), name: "connected by hand" },
  begins(62, "disconnected remotely", "warning", { condition: "disconnected" }),
  { ...ends(63, "disconnected"), name: "connected remotely" },
  begins(64, "disconnected by the limiter", "warning", { condition: "disconnected" }),
  lasting([65, 66], "limiter threshold exceeded", "warning"),
  happens(67, "limiter threshold changed"),
  happens(68, "disconnector failed to switch", "alarm", disputed),
  { ...ends(69, "disconnected", disputed), name: "connected by the meter" },
  lasting([70, 71], "threshold of supervision monitor 1 exceeded", "warning", disputed),
  lasting([72, 73], "threshold of supervision monitor 2 exceeded", "warning", disputed),
  lasting([74, 75], "threshold of supervision monitor 3 exceeded", "warning", disputed),
]);
const POWER_QUALITY = log(4, [
  perPhase(76, (code, phase) => begins(code, `phase ${phase} voltage too low`, "warning", disputed)),
  perPhase(79, (code, phase) => begins(code, `phase ${phase} voltage too high`, "warning", disputed)),
  perPhase(82, (code, phase) => begins(code, `phase ${phase} voltage missing`, "warning")),
  perPhase(85, (code, phase) => ({
    ...ends(code, `phase ${phase} voltage missing`),
    name: `phase ${phase} voltage normal`,
  })),
  begins(88, "phase sequence wrong", "warning"),
  begins(89, "neutral missing", "alarm"),
  begins(90, "phase asymmetry", "warning"),
  begins(91, "current reversed", "alarm"),
  perPhase(92, (code, phase) => happens(code, `phase ${phase} voltage of bad quality`, "warning")),
]);
const COMMUNICATION = log(5, [
  happens(53, "local communication attempted", "warning"),
  happens(140, "no connection for too long", "warning", disputed),
  happens(141, "modem could not be initialised", "warning", disputed),
  lasting([142, 143], "SIM card failure", "warning", disputed),
  happens(144, "GSM registration failed", "warning", disputed),
  happens(145, "GPRS registration failed", "warning", disputed),
  happens(146, "packet data context established", "info", disputed),
  happens(147, "packet data context closed", "info", disputed),
  happens(148, "packet data context failed", "warning", disputed),
  happens(149, "modem reset by software", "info", disputed),
  happens(150, "modem reset by hardware", "info", disputed),
  happens(151, "outgoing GSM connection", "info", disputed),
  happens(152, "incoming GSM connection", "info", disputed),
  happens(153, "GSM hang-up", "info", disputed),
  happens(154, "diagnostic failure", "warning", disputed),
  happens(155, "user initialisation failed", "warning", disputed),
  happens(156, "signal quality low", "warning", disputed),
  happens(157, "too many calls answered", "warning", disputed),
  happens(158, "local communication attempted", "warning", disputed),
]);

const MBUS_CONTROL_FIRST = 160;
const MBUS_CONTROL_STEP = 10;
const MBUS_CONTROL = MBUS_CHANNELS.map((channel) => {
  const base = MBUS_CONTROL_FIRST + MBUS_CONTROL_STEP * (channel - 1);
  const of = `on M-Bus channel ${channel}`;
  const condition = `disconnected ${of}`;
  return word(
    [`0.${channel}.24.5.0.255`, `0.${channel}.96.11.4.255`],
    [
      begins(base, `disconnected by hand ${of}`, "warning", { condition }),
      { ...ends(base + 1, condition), name: `connected by hand ${of}` },
      begins(base + 2, `disconnected remotely ${of}`, "warning", { condition }),
      { ...ends(base + 3, condition), name: `connected remotely ${of}` },
      begins(base + 4, `valve alarm ${of}`, "alarm"),
    ],
  );
});

/** A register tells what lasts, a descriptor what has been since it was acknowledged. */
function alarms(e: number, entries: readonly (EventEntry | readonly EventEntry[])[]) {
  return word([`0.0.97.98.${e}.255`, `0.0.97.98.2${e}.255`], entries);
}

const ALARMS_1 = alarms(0, [
  COMMON_ALARMS,
  perChannel(24, "permanent error", "alarm"),
  perChannel(28, "battery low", "warning"),
]);
const ALARMS_2 = alarms(1, [
  begins(0, "power failure", "warning"),
  ends(1, "power failure"),
  perPhase(2, (bit, phase) => begins(bit, `phase ${phase} voltage missing`, "warning")),
  perPhase(5, (bit, phase) => ({
    ...ends(bit, `phase ${phase} voltage missing`),
    name: `phase ${phase} voltage normal`,
  })),
  begins(8, "neutral missing", "alarm"),
  begins(9, "phase asymmetry", "warning"),
  begins(10, "current reversed", "alarm"),
  begins(11, "phase sequence wrong", "warning"),
  begins(12, "consumption while disconnected", "alarm"),
  happens(13, "global keys changed", "warning"),
  perPhase(14, (bit, phase) => happens(bit, `phase ${phase} voltage of bad quality`, "warning")),
  happens(17, "external alert", "warning"),
  happens(18, "local communication attempted", "warning"),
  MBUS_CHANNELS.map((channel, index) => happens(19 + index, `new device on M-Bus channel ${channel}`)),
  perChannel(27, "valve alarm", "alarm"),
  happens(31, "disconnector failed to switch", "alarm", disputed),
]);
const ALARMS_3 = alarms(2, [
  MBUS_CHANNELS.map((channel, index) =>
    happens(4 + index, `device removed from M-Bus channel ${channel}`, "warning", disputed),
  ),
  MBUS_CHANNELS.map((channel, index) =>
    begins(10 + index, `temporary error on M-Bus channel ${channel}`, "warning", disputed),
  ),
  ends(14, "fraud attempt", disputed),
  begins(15, "certificate about to expire", "warning", disputed),
]);

export const IDIS_EVENTS: CompanionEvents = {
  logs: [
    log(0, [
      STANDARD_EVENTS,
      happens(20, "external alert", "warning"),
      happens(47, "parameters changed"),
      happens(48, "global keys changed", "warning"),
    ]),
    FRAUD,
    DISCONNECTOR,
    log(3, MBUS_CHANNELS.map(mbusEvents)),
    POWER_QUALITY,
    COMMUNICATION,
    ...MBUS_CONTROL,
  ],
  everyLog: [happens(255, "event log cleared", "warning")],
  oneNumbering: true,
  words: [ALARMS_1, ALARMS_2, ALARMS_3, rowStatus([])],
  clockBreaks: CLOCK_BREAKS,
  latched: ["0.0.97.98.20.255", "0.0.97.98.21.255", "0.0.97.98.22.255"],
};
