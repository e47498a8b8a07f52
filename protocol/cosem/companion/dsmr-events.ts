/** Event codes and alarm registers of DSMR 2.2 to 4.2 and SMR 5 (Netherlands). One code means other things in other logs. */

import {
  CLOCK_BREAKS,
  COMMON_ALARMS,
  COVER_AND_FIELD_EVENTS,
  MBUS_CHANNELS,
  mbusEvents,
  rowStatus,
  STANDARD_EVENTS,
} from "./european-events.ts";
import { begins, type CompanionEvents, type EventEntry, ends, happens, lasting, log, word } from "./event-table.ts";

const PHASES = [1, 2, 3] as const;

function perPhase(entry: (phase: number, index: number) => EventEntry | EventEntry[]): EventEntry[] {
  return PHASES.flatMap((phase, index) => entry(phase, index));
}

const FIRST_OF_CHANNEL = { mbusLog: 107, firmware: 0x1000, status: 0x8080, keys: 0x80a0 };
const CHANNEL_STEP = 0x100;
const MBUS_LOG_STEP = 10;

const FIRMWARE_RESULTS = [
  "firmware upgraded",
  "firmware upgrade refused: block size",
  "firmware upgrade refused: image too big",
  "firmware upgrade refused: block number",
  "firmware upgrade failed: reception",
  "firmware upgrade failed: image not complete",
  "firmware upgrade refused: security",
  "firmware upgrade refused: not for this device",
] as const;

/** Bits of the status of an M-Bus device; those not named are reserved or the maker's. */
const DEVICE_STATUS: readonly (readonly [bit: number, condition: string, severity: EventEntry["severity"]])[] = [
  [0, "battery low", "warning"],
  [1, "battery drained too fast", "warning"],
  [2, "reverse flow", "warning"],
  [3, "tamper at P2", "alarm"],
  [4, "tamper at P0", "alarm"],
  [5, "tamper at the case", "alarm"],
  [6, "tamper by magnet", "alarm"],
  [7, "temperature out of range", "warning"],
  [8, "clock not synchronised", "warning"],
  [9, "software error", "alarm"],
  [10, "watchdog error", "alarm"],
  [11, "hardware error", "alarm"],
  [12, "calibration error", "alarm"],
  [13, "flow above the maximum", "warning"],
  [14, "temperature sensor error", "warning"],
];
const LAST_STATUS_BIT = 31;
const RESERVED_BITS: ReadonlySet<number> = new Set([15, 19]);
const DEVICE_CHANGES: Readonly<Record<number, string>> = {
  16: "P0 enabled",
  17: "new key accepted",
  18: "new key rejected",
};

function auxiliary(channel: number): EventEntry[] {
  const at = (first: number) => first + CHANNEL_STEP * (channel - 1);
  const of = `on M-Bus channel ${channel}`;
  const named = new Set(DEVICE_STATUS.map(([bit]) => bit));
  const unnamed = Array.from({ length: LAST_STATUS_BIT + 1 }, (_, bit) => bit).filter((bit) => !named.has(bit));
  return [
    ...FIRMWARE_RESULTS.map((result, index) =>
      happens(at(FIRST_OF_CHANNEL.firmware) + index, `${result} ${of}`, index === 0 ? "info" : "warning"),
    ),
    ...DEVICE_STATUS.map(([bit, condition, severity]) =>
      begins(at(FIRST_OF_CHANNEL.status) + bit, `${condition} ${of}`, severity),
    ),
    ...unnamed.map((bit) => {
      const use = RESERVED_BITS.has(bit) ? "reserved" : "maker's own";
      return happens(at(FIRST_OF_CHANNEL.status) + bit, `${DEVICE_CHANGES[bit] ?? `status bit ${bit} (${use})`} ${of}`);
    }),
    happens(at(FIRST_OF_CHANNEL.keys), `key sent to the device ${of}`),
    happens(at(FIRST_OF_CHANNEL.keys) + 1, `key acknowledged by the device ${of}`),
  ];
}

const STANDARD = log(0, [
  STANDARD_EVENTS,
  happens(20, "self-check passed after firmware update"),
  lasting([21, 22], "communication module removed", "alarm"),
  happens(23, "error register 2 cleared"),
  happens(24, "alarm register 2 cleared"),
  happens(25, "last gasp tested"),
]);
const FRAUD = log(1, [
  COVER_AND_FIELD_EVENTS,
  happens(47, "configuration changed", "warning"),
  lasting([48, 49], "module cover open", "alarm"),
]);
const MBUS = log(
  3,
  MBUS_CHANNELS.map((channel) => [
    ...mbusEvents(channel),
    begins(
      FIRST_OF_CHANNEL.mbusLog + MBUS_LOG_STEP * (channel - 1),
      `battery dead on M-Bus channel ${channel}`,
      "alarm",
    ),
  ]),
);
const SESSIONS = log(4, [
  happens(71, "session for metrological maintenance"),
  happens(72, "session for technical maintenance"),
  happens(73, "session for electricity readings"),
  happens(74, "session for gas readings"),
  happens(75, "session for electricity interval values"),
  happens(76, "session for gas interval values"),
]);
const POWER_QUALITY = log(5, [
  perPhase((phase, index) => [
    begins(77 + index, `phase ${phase} voltage too low`, "warning", { condition: `phase ${phase} voltage abnormal` }),
    begins(80 + index, `phase ${phase} voltage too high`, "warning", { condition: `phase ${phase} voltage abnormal` }),
    { ...ends(83 + index, `phase ${phase} voltage abnormal`), name: `phase ${phase} voltage normal` },
    begins(86 + index, `phase ${phase} voltage missing`, "warning"),
    ends(90 + index, `phase ${phase} voltage missing`),
    happens(93 + index, `phase ${phase} voltage sag`, "warning"),
    happens(96 + index, `phase ${phase} voltage swell`, "warning"),
  ]),
  happens(89, "phase outage tested"),
  begins(99, "power failure", "warning"),
]);
const EXTENDED_POWER_QUALITY = log(
  7,
  perPhase((phase, index) => [
    happens(80 + index, `phase ${phase} voltage sag, with magnitude and duration`, "warning"),
    happens(83 + index, `phase ${phase} voltage swell, with magnitude and duration`, "warning"),
  ]),
);
const HARMONICS = log(
  8,
  perPhase((phase, index) => [
    ...lasting([51 + index, 54 + index], `phase ${phase} harmonic distortion over the limit`, "warning"),
    happens(57 + index, `phase ${phase} harmonic distortion over the limit for long`, "warning"),
  ]),
);

const MANUFACTURER_CODES = { first: 230, last: 249 };
const MANUFACTURERS = Array.from({ length: MANUFACTURER_CODES.last - MANUFACTURER_CODES.first + 1 }, (_, index) =>
  happens(MANUFACTURER_CODES.first + index, "maker's own event"),
);

const ALARMS_1 = word(
  ["0.0.97.98.0.255"],
  [
    COMMON_ALARMS,
    { ...ends(2, "power failure"), name: "power up" },
    happens(3, "auxiliary event"),
    happens(4, "configuration changed", "warning"),
    MBUS_CHANNELS.map((channel, index) => happens(24 + index, `new device on M-Bus channel ${channel}`)),
    perPhase((phase, index) => begins(28 + index, `phase ${phase} voltage missing`, "warning")),
    happens(31, "phase outage tested"),
  ],
);
const ALARMS_2 = word(
  ["0.0.97.98.1.255"],
  perPhase((phase, index) => [
    happens(index, `phase ${phase} voltage sag`, "warning"),
    happens(3 + index, `phase ${phase} voltage swell`, "warning"),
    begins(8 + index, `phase ${phase} harmonic distortion over the limit`, "warning"),
    happens(11 + index, `phase ${phase} harmonic distortion over the limit for long`, "warning"),
  ]),
);
const ALARMS_3 = word(["0.0.97.98.2.255"], [begins(0, "power failure", "warning"), happens(1, "last gasp tested")]);

export const DSMR_EVENTS: CompanionEvents = {
  logs: [
    STANDARD,
    FRAUD,
    MBUS,
    SESSIONS,
    POWER_QUALITY,
    log(6, [...MBUS_CHANNELS.map(auxiliary), happens(0xffff, "event log cleared", "warning")]),
    EXTENDED_POWER_QUALITY,
    HARMONICS,
  ],
  everyLog: [happens(255, "event log cleared", "warning"), ...MANUFACTURERS],
  oneNumbering: false,
  words: [ALARMS_1, ALARMS_2, ALARMS_3, rowStatus([happens(6, "value recovered")])],
  clockBreaks: CLOCK_BREAKS,
  latched: [],
};
