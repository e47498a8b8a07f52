/** What an unknown meter says of itself once it has let us in: each step reads, none changes anything. */
import type { Agreement } from "../../../protocol/association/client/client-events.ts";
import { DATE_TIME_LENGTH, type Data } from "../../../protocol/axdr/data.ts";
import type { ClockPolicy } from "../../../protocol/cosem/date-time.ts";
import { objectListFromData } from "../../../protocol/cosem/object-list.ts";
import type { MeterQuirk } from "../../../protocol/quirks.ts";
import { attributeOf, readLayout } from "../read/layout-reader.ts";
import { CLOCK_TIME } from "../read/meter-clock.ts";
import type { MeterConnection } from "../session/meter-connection.ts";
import type { MeterTarget } from "../session/meter-target.ts";
import { associationOffers } from "./probe-associations.ts";
import { IDENTITY, TRIED_PROFILES } from "./probe-candidates.ts";
import { type ProbeNotes, type ProbeStep, StepBroken } from "./probe-findings.ts";
import { clockFindings, identifierText, listQuirks, rowQuirks } from "./probe-rows.ts";

const PROFILE_CLASS = 7;

/** The meter that has let us in, and what it agreed to. */
export interface ExploredMeter {
  readonly connection: MeterConnection;
  readonly target: MeterTarget;
  readonly conformance: Agreement["conformance"] | undefined;
  readonly nowMs: () => number;
}

/** Throws StepBroken with the step that could not be made. */
export async function exploreMeter(meter: ExploredMeter, notes: ProbeNotes): Promise<void> {
  const { connection } = meter;
  await step("identity", () => readIdentity(connection, notes));
  await step("objects", () => readObjects(connection, notes));
  const clock = await step("clock", () => readClock(meter, notes));
  await step("rows", () => tryRows(meter, clock, notes));
}

async function step<T>(name: ProbeStep["step"], make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw new StepBroken(name, error);
  }
}

async function readIdentity(connection: MeterConnection, notes: ProbeNotes): Promise<void> {
  for (const { key, classId, logicalName } of IDENTITY) {
    const result = await connection.get(attributeOf({ classId, logicalName, attributeId: 2 }));
    const text = result.type === "data" ? identifierText(result.data) : undefined;
    if (text !== undefined) notes.identity[key] = text;
  }
  const said = Object.entries(notes.identity).map(([key, text]) => `${key} ${text}`);
  notes.tell("identity", said.length === 0 ? "does not say who it is" : said.join(", "));
}

async function readObjects(connection: MeterConnection, notes: ProbeNotes): Promise<void> {
  const result = await connection.readObjectList();
  if (result.type !== "data") {
    notes.tell("objects", `does not show its object list to this client (${result.dataAccessResult})`);
    return;
  }
  notes.objects = objectListFromData(result.data);
  const classes = new Set(notes.objects.map(({ classId }) => classId));
  notes.tell("objects", `${notes.objects.length} objects of ${classes.size} classes`);
  const offers = await associationOffers(connection, notes.objects);
  const asked = new Map(notes.offers.map((offer) => [`${offer.clientSap} ${offer.referencing ?? "ln"}`, offer]));
  for (const offer of offers) {
    const known = asked.get(`${offer.clientSap} ln`);
    asked.set(`${offer.clientSap} ln`, { ...offer, ...(known && { says: known.says, outcome: known.outcome }) });
  }
  notes.offers = [...asked.values()];
}

async function readClock({ connection, target, nowMs }: ExploredMeter, notes: ProbeNotes): Promise<ClockPolicy> {
  const { zone } = target;
  const standard: ClockPolicy = { deviation: "standard", zone };
  const result = await connection.get(attributeOf(CLOCK_TIME));
  const stamp = result.type === "data" ? stampOf(result.data) : undefined;
  if (stamp === undefined) {
    notes.tell("clock", "does not show its clock to this client");
    return standard;
  }
  const found = clockFindings(stamp, nowMs(), zone);
  if (found === undefined) {
    notes.tell("clock", `is wrong, or not in the zone ${zone.name}: say --time-zone, and read the clock`);
    return standard;
  }
  notes.addQuirks(found.quirks);
  notes.tell("clock", found.quirks.length === 0 ? `right, in the zone ${zone.name}` : found.quirks.join(", "));
  return found.policy;
}

async function tryRows(
  { connection, target, conformance }: ExploredMeter,
  clock: ClockPolicy,
  notes: ProbeNotes,
): Promise<void> {
  const negotiated = conformance?.has("selective-access") === true;
  const lists = conformance?.has("multiple-references") === true;
  const found: MeterQuirk[] = lists ? [...(await listQuirks(connection, () => connection.listLimit))] : [];
  const names = new Set(
    notes.objects.filter(({ classId }) => classId === PROFILE_CLASS).map((each) => each.logicalName),
  );
  const logicalName = TRIED_PROFILES.find((name) => names.has(name));
  if (logicalName === undefined) {
    notes.tell("rows", "no profile that grows with time is shown to this client");
  } else {
    const layout = await readLayout(connection, { type: "profile", logicalName }, target.quirks);
    found.push(...(await rowQuirks(connection, { logicalName, layout, clock, negotiated })));
    notes.tell("rows", found.length === 0 ? `${logicalName} is read by range and entry` : found.join(", "));
  }
  notes.addQuirks(found);
}

function stampOf(data: Data): Uint8Array | undefined {
  const value = "value" in data ? data.value : undefined;
  return value instanceof Uint8Array && value.length === DATE_TIME_LENGTH ? value : undefined;
}
