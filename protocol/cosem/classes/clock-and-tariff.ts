/** Time and what is bound to it: clock, scripts, schedules, calendars. */
import { interfaceClass } from "../interface-class.ts";
import {
  anyData,
  arrayOf,
  bitString,
  boolean,
  date,
  dateTime,
  enumeration,
  integer,
  logicalName,
  long,
  longUnsigned,
  octetString,
  structure,
  time,
  unsigned,
} from "../value-type.ts";
import { scriptReference } from "./shared-types.ts";

/** Clock. The time zone is in minutes to add to the local time to get UTC: UTC+1 is -60. */
export const clock = interfaceClass({
  classId: 8,
  version: 0,
  name: "Clock",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    time: { id: 2, type: dateTime, access: "read-write" },
    timeZone: { id: 3, type: long, access: "read-write" },
    status: { id: 4, type: unsigned },
    daylightSavingsBegin: { id: 5, type: dateTime, access: "read-write" },
    daylightSavingsEnd: { id: 6, type: dateTime, access: "read-write" },
    daylightSavingsDeviation: { id: 7, type: integer, access: "read-write" },
    daylightSavingsEnabled: { id: 8, type: boolean, access: "read-write" },
    clockBase: {
      id: 9,
      type: enumeration({
        0: "not defined",
        1: "internal crystal",
        2: "mains 50 Hz",
        3: "mains 60 Hz",
        4: "GPS",
        5: "radio controlled",
      }),
    },
  },
  methods: {
    adjustToQuarter: 1,
    adjustToMeasuringPeriod: 2,
    adjustToMinute: 3,
    adjustToPresetTime: 4,
    presetAdjustingTime: {
      id: 5,
      parameter: structure({
        presetTime: dateTime,
        validityIntervalStart: dateTime,
        validityIntervalEnd: dateTime,
      }),
    },
    shiftTime: { id: 6, parameter: long },
  },
  methodOffset: 0x60,
});

/** Script table: sequences of writes and method calls, run by number. */
export const scriptTable = interfaceClass({
  classId: 9,
  version: 0,
  name: "Script table",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    scripts: {
      id: 2,
      type: arrayOf(
        structure({
          scriptIdentifier: longUnsigned,
          actions: arrayOf(
            structure({
              serviceId: enumeration({ 1: "write attribute", 2: "execute method" }),
              classId: longUnsigned,
              logicalName,
              index: integer,
              parameter: anyData,
            }),
          ),
        }),
      ),
      access: "read-write",
    },
  },
  methods: { execute: { id: 1, parameter: longUnsigned } },
  methodOffset: 0x20,
});

const scheduleEntry = structure({
  index: longUnsigned,
  enable: boolean,
  scriptLogicalName: logicalName,
  scriptSelector: longUnsigned,
  switchTime: time,
  validityWindow: longUnsigned,
  execWeekdays: bitString,
  execSpecialDays: bitString,
  beginDate: date,
  endDate: date,
});

/** Schedule: scripts at times of chosen days. */
export const schedule = interfaceClass({
  classId: 10,
  version: 0,
  name: "Schedule",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    entries: { id: 2, type: arrayOf(scheduleEntry), access: "read-write" },
  },
  methods: {
    enableDisable: {
      id: 1,
      parameter: structure({
        firstIndexA: longUnsigned,
        lastIndexA: longUnsigned,
        firstIndexB: longUnsigned,
        lastIndexB: longUnsigned,
      }),
    },
    insert: { id: 2, parameter: scheduleEntry },
    delete: { id: 3, parameter: structure({ firstIndex: longUnsigned, lastIndex: longUnsigned }) },
  },
  methodOffset: 0x20,
});

const specialDay = structure({ index: longUnsigned, specialDayDate: date, dayId: unsigned });

/** Special days table: dates that have a day profile of their own. */
export const specialDaysTable = interfaceClass({
  classId: 11,
  version: 0,
  name: "Special days table",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    entries: { id: 2, type: arrayOf(specialDay), access: "read-write" },
  },
  methods: {
    insert: { id: 1, parameter: specialDay },
    delete: { id: 2, parameter: longUnsigned },
  },
  methodOffset: 0x10,
});

const seasonProfile = arrayOf(
  structure({ seasonProfileName: octetString, seasonStart: dateTime, weekName: octetString }),
);
const weekProfileTable = arrayOf(
  structure({
    weekProfileName: octetString,
    monday: unsigned,
    tuesday: unsigned,
    wednesday: unsigned,
    thursday: unsigned,
    friday: unsigned,
    saturday: unsigned,
    sunday: unsigned,
  }),
);
const dayProfileTable = arrayOf(
  structure({
    dayId: unsigned,
    daySchedule: arrayOf(structure({ startTime: time, scriptLogicalName: logicalName, scriptSelector: longUnsigned })),
  }),
);

/** Activity calendar: seasons, weeks and days, active and waiting to be. */
export const activityCalendar = interfaceClass({
  classId: 20,
  version: 0,
  name: "Activity calendar",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    calendarNameActive: { id: 2, type: octetString },
    seasonProfileActive: { id: 3, type: seasonProfile },
    weekProfileTableActive: { id: 4, type: weekProfileTable },
    dayProfileTableActive: { id: 5, type: dayProfileTable },
    calendarNamePassive: { id: 6, type: octetString, access: "read-write" },
    seasonProfilePassive: { id: 7, type: seasonProfile, access: "read-write" },
    weekProfileTablePassive: { id: 8, type: weekProfileTable, access: "read-write" },
    dayProfileTablePassive: { id: 9, type: dayProfileTable, access: "read-write" },
    activatePassiveCalendarTime: { id: 10, type: dateTime, access: "read-write" },
  },
  methods: { activatePassiveCalendar: 1 },
  methodOffset: 0x50,
});

/** Single action schedule: one script at given times. */
export const singleActionSchedule = interfaceClass({
  classId: 22,
  version: 0,
  name: "Single action schedule",
  attributes: {
    logicalName: { id: 1, type: logicalName, static: true },
    executedScript: { id: 2, type: scriptReference, access: "read-write" },
    type: {
      id: 3,
      type: enumeration({
        1: "one time, wildcards in the date",
        2: "several dates, one time, no wildcards",
        3: "several dates, one time, wildcards in the date",
        4: "several dates, several times, no wildcards",
        5: "several dates, several times, wildcards in the date",
      }),
      access: "read-write",
    },
    executionTime: { id: 4, type: arrayOf(structure({ time, date })), access: "read-write" },
  },
  methods: {},
});
