/** Which profiles of a meter are event logs, by companion specification. */
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import { eventObjects, knowsEvents } from "../../../protocol/cosem/companion/event-meaning.ts";
import { CHANNELS, type ProfileObject } from "./profile-objects.ts";

/** 0-b:96.11.e holds the last code of a log, and is none itself. */
const LAST_CODE = /^0\.[\db]+\.96\.11\./;
const INDIAN_EVENT_SCALERS = "1.0.94.91.7.255";
const INDIAN_LOG = /^0\.0\.99\.98\.\d+\.255$/;

/** Where no companion says which logs there are, the first of the standard's places are tried. */
const USUAL_LOGS = Array.from({ length: 10 }, (_, e) => `0.0.99.98.${e}.255`);
/** Meters that only send have no logs that could be asked for. */
const SENDERS_ONLY: ReadonlySet<Companion> = new Set(["nordic"]);

/** Logical names of the event logs that meters of a companion specification may have. */
export function eventLogNames(companion: Companion): readonly string[] {
  if (SENDERS_ONLY.has(companion)) return [];
  if (!knowsEvents(companion)) return USUAL_LOGS;
  const names = eventObjects(companion).logs.filter((name) => !LAST_CODE.test(name));
  return names.flatMap((name) => {
    return name.includes(".b.") ? CHANNELS.map((each) => name.replace(".b.", `.${each}.`)) : name;
  });
}

/** A log as an object to be read. */
export function eventLogObject(companion: Companion, logicalName: string): ProfileObject {
  const hasScalers = companion === "is15959" && INDIAN_LOG.test(logicalName);
  return { type: "profile", logicalName, ...(hasScalers && { scalerProfile: INDIAN_EVENT_SCALERS }) };
}
