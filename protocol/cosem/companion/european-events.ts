/** What IDIS and DSMR number alike: the first codes of the standard log, covers and fields, M-Bus, the row status. */
import { begins, type EventEntry, type EventLog, ends, happens, lasting, word } from "./event-table.ts";

export const MBUS_CHANNELS = [1, 2, 3, 4] as const;

export const STANDARD_EVENTS: readonly EventEntry[] = [
  begins(1, "power failure", "warning"),
  ends(2, "power failure"),
  happens(3, "daylight saving time began or ended"),
  happens(4, "clock adjusted: time before"),
  happens(5, "clock adjusted: time after"),
  begins(6, "clock invalid", "alarm"),
  begins(7, "battery to be replaced", "warning"),
  begins(8, "battery voltage low", "warning"),
  happens(9, "tariff calendar activated"),
  happens(10, "error register cleared"),
  happens(11, "alarm register cleared"),
  begins(12, "program memory error", "alarm"),
  begins(13, "working memory error", "alarm"),
  begins(14, "non-volatile memory error", "alarm"),
  begins(15, "watchdog error", "alarm"),
  begins(16, "measurement system error", "alarm"),
  happens(17, "firmware ready for activation"),
  happens(18, "new firmware active"),
  happens(19, "tariff calendar programmed"),
];

export const COVER_AND_FIELD_EVENTS: readonly EventEntry[] = [
  ...lasting([40, 41], "terminal cover open", "alarm"),
  ...lasting([42, 43], "strong magnetic field", "alarm"),
  ...lasting([44, 45], "meter cover open", "alarm"),
  happens(46, "associations failed authentication repeatedly", "alarm"),
];

const MBUS_STEP = 10;
const MBUS_FIRST = 100;

/** Codes of one M-Bus channel in the M-Bus log. */
export function mbusEvents(channel: number): EventEntry[] {
  const base = MBUS_FIRST + MBUS_STEP * (channel - 1);
  const of = `on M-Bus channel ${channel}`;
  return [
    ...lasting([base, base + 1], `communication failure ${of}`, "warning"),
    begins(base + 2, `battery to be replaced ${of}`, "warning"),
    begins(base + 3, `fraud attempt ${of}`, "alarm"),
    happens(base + 4, `clock adjusted ${of}`),
    happens(base + 5, `new device ${of}`),
    begins(base + 6, `permanent error ${of}`, "alarm"),
  ];
}

/** One bit for each M-Bus channel, beginning with the bit given. */
export function perChannel(firstBit: number, condition: string, severity: EventEntry["severity"]): EventEntry[] {
  return MBUS_CHANNELS.map((channel, index) =>
    begins(firstBit + index, `${condition} on M-Bus channel ${channel}`, severity),
  );
}

const FRAUD_ATTEMPT = "fraud attempt";
/** Conditions which only say that something has happened that the log names. */
export const SUMMARIES: readonly { readonly condition: string; readonly log: string }[] = [
  { condition: FRAUD_ATTEMPT, log: "0.0.99.98.1.255" },
];

/** Bits of alarm register 1 that both have. */
export const COMMON_ALARMS: readonly EventEntry[] = [
  begins(0, "clock invalid", "alarm"),
  begins(1, "battery to be replaced", "warning"),
  begins(8, "program memory error", "alarm"),
  begins(9, "working memory error", "alarm"),
  begins(10, "non-volatile memory error", "alarm"),
  begins(11, "measurement system error", "alarm"),
  begins(12, "watchdog error", "alarm"),
  begins(13, FRAUD_ATTEMPT, "alarm"),
  ...perChannel(16, "communication failure", "warning"),
  ...perChannel(20, FRAUD_ATTEMPT, "alarm"),
];

/** Clock invalid, clock adjusted, power down. */
export const CLOCK_BREAKS = 0b1010_0010;

/** Status of a profile row: what was the matter while its interval ran. */
export function rowStatus(bit6: readonly EventEntry[]): EventLog {
  return word(
    [1, 2, 3, 4, 5, 6, 7].map((e) => `0.b.96.10.${e}.255`),
    [
      begins(0, "critical error", "alarm"),
      begins(1, "clock invalid", "alarm"),
      begins(2, "values not valid", "warning"),
      begins(3, "daylight saving time", "info"),
      happens(5, "clock adjusted"),
      bit6,
      begins(7, "power failure", "warning"),
    ],
  );
}
