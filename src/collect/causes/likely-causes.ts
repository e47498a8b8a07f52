/**
 * What may be wrong where a read failed, the likeliest first. Which causes look alike from our side of the line is in this
 * table: a meter says of either key, and of a system title, only that it can't decipher.
 */
import { FAILURE_CAUSES, type FailureCause } from "./failure-cause.ts";

const LIKELY_CAUSES: Readonly<Record<FailureCause, readonly string[]>> = {
  address: ["wrong host name or address", "no route to the meter's network", "modem without coverage"],
  "not connected": ["the meter's next call is not due yet", "modem without coverage", "it calls another address"],
  "port refused": [
    "another client has the meter's only connection",
    "wrong port",
    "a firewall that refuses the connection",
  ],
  "serial port missing": ["the adapter is not plugged in", "wrong path"],
  "serial port taken": ["another program has the port", "this user may not open it"],
  "wrong address": ["wrong HDLC address", "wrong server SAP", "wrong address length"],
  "no answer": [
    "meter or modem without power or coverage",
    "a firewall that drops what is sent",
    "wrong link (wrapper or HDLC)",
    "wrong client or server SAP",
    "wrong HDLC address",
  ],
  "connection lost": ["poor coverage", "the meter ends what it can't decipher", "a firewall or modem that cuts"],
  "line noise": ["wrong speed or parity", "wrong link (wrapper or HDLC)", "echo of the adapter", "a modem that speaks"],
  "opening refused": ["the meter speaks HDLC at once", "the meter is read out by modes A to D"],
  "association refused": ["wrong client SAP", "wrong authentication mechanism", "ciphering wanted, or not wanted"],
  "wrong password": ["wrong password or secret", "wrong client SAP", "the meter has locked itself after wrong tries"],
  "wrong block key": ["wrong block key", "wrong authentication key", "wrong system title"],
  "wrong key or counter": ["invocation counter too low", "wrong block key", "wrong authentication key"],
  "wrong authentication key": ["wrong authentication key"],
  "wrong system title": ["wrong system title of the client", "wrong system title of the meter"],
  "counter too low": ["another head end uses the key", "counters of an earlier installation are lost"],
  "gateway clock": ["the clock of this machine was never set", "NTP does not work"],
  "not kept": ["the spool's disk is full or read-only", "the database is away for long"],
  "counter implausible": ["another head end uses the key", "the answer was changed on its way"],
  "key used up": ["the key has been used for all its messages"],
  "no counters": ["the database is away"],
  "database away": ["the database is away"],
  "access denied": ["this client may not read the object", "an association with more rights is needed"],
  "object missing": ["wrong logical name", "wrong companion specification", "other firmware than expected"],
  "meter busy": ["another association is open in the meter", "the meter is at work on something else"],
  "protocol error": ["a meter that needs a quirk", "damage on the way"],
  limits: ["a longer answer than agreed on", "a slow line"],
  configuration: ["a secret that can't be had", "a setting that this association needs"],
  cancelled: ["somebody gave it up"],
  "internal error": ["a defect of the gateway"],
};

/** None for what is no cause of the closed list. */
export function likelyCauses(cause: string): readonly string[] {
  return isCause(cause) ? LIKELY_CAUSES[cause] : [];
}

function isCause(text: string): text is FailureCause {
  return Object.hasOwn(FAILURE_CAUSES, text);
}
