/** Event codes of SPODES (GOST R 58940, annex D; Russia). Every journal counts from 1: the log says what a code means. */
import { begins, type CompanionEvents, type EventEntry, ends, happens, lasting, log, word } from "./event-table.ts";

const PHASES = [1, 2, 3] as const;
const CODES_A_CONDITION = 2;

/** A condition with a code for its begin and its end on each phase, from a first code on. */
function perPhase(firstCode: number, condition: string, severity: EventEntry["severity"]): EventEntry[] {
  return PHASES.flatMap((phase, index) => {
    const code = firstCode + CODES_A_CONDITION * index;
    return lasting([code, code + 1], `phase ${phase} ${condition}`, severity);
  });
}

const VOLTAGE = log(0, [
  perPhase(1, "voltage missing", "warning"),
  lasting([7, 8], "voltage too high", "warning"),
  lasting([9, 10], "voltage too low", "warning"),
  lasting([11, 12], "voltage unbalance", "warning"),
  perPhase(13, "overvoltage", "warning"),
  perPhase(19, "voltage sag", "warning"),
  lasting([25, 26], "phase sequence wrong", "warning"),
  lasting([27, 28], "voltage interrupted", "warning"),
]);
const CURRENT = log(1, [
  perPhase(1, "current reversed", "alarm"),
  perPhase(7, "current transformer open", "alarm"),
  lasting([13, 14], "current unbalance", "warning"),
  lasting([15, 16], "current transformer short-circuited", "alarm"),
  lasting([17, 18], "current too high", "warning"),
  perPhase(19, "current without voltage", "alarm"),
  perPhase(25, "current above the maximum", "warning"),
  lasting([31, 32], "current without voltage, neutral broken", "alarm"),
  lasting([33, 34], "power reversed in a meter of one direction", "alarm"),
  lasting([35, 36], "power of the phases in different directions", "alarm"),
  lasting([37, 38], "current while disconnected", "alarm"),
]);

const DISCONNECTED = "disconnected";

function disconnects(code: number, name: string): EventEntry {
  return begins(code, name, "warning", { condition: DISCONNECTED });
}

function connects(code: number, name: string): EventEntry {
  return { ...ends(code, DISCONNECTED), name };
}

const SWITCHING = log(2, [
  lasting([1, 2], "power failure", "warning"),
  disconnects(3, "disconnected remotely"),
  connects(4, "connected remotely"),
  happens(5, "customer allowed to connect"),
  disconnects(6, "disconnected by the customer"),
  connects(7, "connected by the customer"),
  disconnects(8, "disconnected: power limit exceeded"),
  disconnects(9, "disconnected: current above the maximum"),
  disconnects(10, "disconnected: magnetic field"),
  disconnects(11, "disconnected: voltage too high"),
  connects(12, "connected: voltage normal again"),
  disconnects(13, "disconnected: current without voltage"),
  disconnects(14, "disconnected: current unbalance"),
  disconnects(15, "disconnected: temperature"),
  lasting([16, 17], "backup supply in use", "info"),
  disconnects(18, "disconnected: cover opened"),
]);

/** Code 1 first; all of them say that something was set, cleared or changed. */
const PROGRAMMED: readonly string[] = [
  "address or speed of RS-485 port 1 changed",
  "address or speed of RS-485 port 2 changed",
  "clock set",
  "daylight saving changed",
  "season profiles changed",
  "week profiles changed",
  "day profiles changed",
  "activation date of the tariff calendar changed",
  "tariff calendar activated",
  "billing day and hour changed",
  "display parameters changed",
  "display rotation changed",
  "password for reading changed",
  "secret for writing changed",
  "metering point data changed",
  "current transformer ratio changed",
  "voltage transformer ratio changed",
  "line parameters for loss calculation changed",
  "power limit for disconnection changed",
  "delay of disconnection by power changed",
  "delay of disconnection by current changed",
  "delay of disconnection by voltage changed",
  "delay of disconnection by magnetic field changed",
  "threshold of interruptions changed",
  "threshold of overvoltage changed",
  "threshold of sags changed",
  "threshold of tan φ changed",
  "threshold of voltage unbalance changed",
  "agreed voltage changed",
  "integration period of peak power changed",
  "capture period of profile 1 changed",
  "capture period of profile 2 changed",
  "display light changed",
  "telemetry mode changed",
  "monthly profile cleared",
  "daily profile cleared",
  "voltage journal cleared",
  "current journal cleared",
  "switching journal cleared",
  "external influence journal cleared",
  "communication journal cleared",
  "access journal cleared",
  "power quality journal cleared",
  "tan φ journal cleared",
  "input and output journal cleared",
  "profile 1 cleared",
  "profile 2 cleared",
  "profile 3 cleared",
  "special days changed",
  "relay control mode changed",
  "month closed by command",
  "initiative output mode changed",
  "unicast key of low security changed",
  "broadcast key of low security changed",
  "unicast key of high security changed",
  "broadcast key of high security changed",
  "authentication key of high security changed",
  "master key changed",
  "security policy of low security changed",
  "security policy of high security changed",
  "number of the remote display changed",
  "counting of active energy changed",
  "clock set by satellite",
  "disconnection by broken neutral changed",
  "new firmware active",
  "disconnection by current unbalance changed",
  "disconnection by temperature changed",
  "clock adjusted",
  "authentication key of low security changed",
  "initiative output flags cleared",
  "HDLC timeout changed",
  "hours of high load changed",
  "hours of maximum control changed",
  "connection scheme changed",
  "telemetry mode 2 changed",
  "telemetry mode 3 changed",
  "telemetry mode 4 changed",
  "disconnection by opened cover changed",
  "communication profile of ports changed",
  "monthly power quality journal cleared",
  "integration interval of network parameters changed",
  "time threshold of tan φ changed",
  "time threshold of differential current changed",
  "time threshold of voltage unbalance changed",
  "address or speed of optical port P1 changed",
  "address or speed of port P4 changed",
];
const WORTH_A_WARNING = /cleared|key|secret|password|transformer/u;

const PROGRAMMING = log(
  3,
  PROGRAMMED.map((name, index) => happens(index + 1, name, WORTH_A_WARNING.test(name) ? "warning" : "info")),
);
const INFLUENCES = log(4, [
  lasting([1, 2], "magnetic influence", "alarm"),
  begins(3, "terminal cover opened", "alarm"),
  begins(4, "meter cover opened", "alarm"),
]);
const COMMUNICATION = log(5, [happens(1, "connection closed"), happens(2, "connection opened")]);
const ACCESS = log(6, [
  happens(1, "access without authority attempted", "alarm"),
  happens(2, "protocol violated", "warning"),
]);
const SELF_CHECK = log(7, [
  happens(1, "meter initialised"),
  lasting([2, 3], "measuring unit error", "alarm"),
  lasting([4, 19], "computing unit error", "alarm"),
  lasting([5, 6], "clock error", "alarm"),
  lasting([7, 8], "supply unit error", "alarm"),
  lasting([9, 10], "display error", "warning"),
  lasting([11, 12], "memory error", "alarm"),
  lasting([13, 14], "program memory error", "alarm"),
  lasting([15, 16], "core oscillator error", "alarm"),
  lasting([17, 18], "clock oscillator error", "alarm"),
]);
const REACTIVE = log(8, [lasting([1, 2], "tan φ above its threshold", "warning")]);

const DAILY_QUALITY = word(
  ["0.0.96.5.1.255"],
  [begins(0, "voltage off by more than 10 %", "warning"), begins(1, "frequency off by more than 0.4 Hz", "warning")],
);
const QUALITY = word(
  ["0.0.96.5.4.255"],
  [
    begins(0, "voltage low by more than 10 %", "warning"),
    begins(3, "voltage high by more than 10 %", "warning"),
    begins(4, "frequency low by more than 0.4 Hz", "warning"),
    begins(5, "frequency low by more than 0.2 Hz", "warning"),
    begins(6, "frequency high by more than 0.2 Hz", "warning"),
    begins(7, "frequency high by more than 0.4 Hz", "warning"),
  ],
);

export const SPODES_EVENTS: CompanionEvents = {
  logs: [VOLTAGE, CURRENT, SWITCHING, PROGRAMMING, INFLUENCES, COMMUNICATION, ACCESS, SELF_CHECK, REACTIVE],
  everyLog: [],
  oneNumbering: false,
  words: [DAILY_QUALITY, QUALITY],
  latched: [],
};
