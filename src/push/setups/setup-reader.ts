/** What a meter's push setups send and where to, read over an association. */
import type { AttributeReference, DataResult } from "../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { type CaptureObject, pushObjectsFromData } from "../../../protocol/cosem/capture-object.ts";
import type { Companion } from "../../../protocol/cosem/companion/companion.ts";
import { integerOf } from "../../../protocol/cosem/integers.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import type { AttributeSource } from "../../collect/session/attribute-source.ts";
import type { StoredPushSetup } from "../../store/push/push-setups.ts";
import { type PushSchedule, scheduleFromData, windowsFromData } from "./push-schedule.ts";

const PUSH_SETUP_CLASS = 40;
const OBJECT_LIST = 2;
const DESTINATION = 3;
const WINDOW = 4;
const RANDOMISATION = 5;
const SCHEDULE_CLASS = 22;
const TIMES = 4;
const SETUP_END = /\.\d+\.255$/;

/** The push setups that meters of a companion specification may have. */
const SETUPS: Readonly<Record<Companion, readonly string[]>> = {
  is15959: names(0, 4, 5, 6, 130, 132, 134),
  idis: names(0, 1, 2, 3, 4, 5, 6, 7),
  dsmr: names(0, 1, 2, 3),
  nordic: [],
  spodes: names(0, 1, 2, 3),
  none: [],
};

function names(...channels: readonly number[]): string[] {
  return channels.map((channel) => `0.${channel}.25.9.0.255`);
}

/** The setups that the meter has and shows, those named beside the companion's too. Throws what the source throws. */
export async function readPushSetups(
  source: AttributeSource,
  companion: Companion,
  others: Iterable<string> = [],
): Promise<StoredPushSetup[]> {
  const setups: StoredPushSetup[] = [];
  for (const logicalName of new Set([...SETUPS[companion], ...others])) {
    const list = valueOf(await source.get(reference(logicalName, OBJECT_LIST)));
    const objects = list === undefined ? undefined : objectsIn(list);
    if (objects === undefined) continue;
    const destination = valueOf(await source.get(reference(logicalName, DESTINATION)));
    const randomisation = valueOf(await source.get(reference(logicalName, RANDOMISATION)));
    const randomisationS = randomisation && integerOf(randomisation);
    const schedules = await readSchedules(source, logicalName);
    setups.push({ logicalName, objects, ...destinationIn(destination), randomisationS, schedules });
  }
  return setups;
}

/** The window of the setup, and the schedule of the same channel that starts it. */
async function readSchedules(source: AttributeSource, logicalName: string): Promise<PushSchedule[]> {
  const window = valueOf(await source.get(reference(logicalName, WINDOW)));
  const scheduleName = logicalName.replace(".25.9.", ".15.0.").replace(SETUP_END, ".4.255");
  const attribute = { classId: SCHEDULE_CLASS, logicalName: logicalNameToOctets(scheduleName), attributeId: TIMES };
  const times = valueOf(await source.get({ attribute }));
  const windows = window === undefined ? undefined : windowsFromData(window);
  const entries = times === undefined ? undefined : scheduleFromData(times);
  return [
    ...(windows === undefined || windows.length === 0
      ? []
      : [{ kind: "window" as const, logicalName, entries: windows }]),
    ...(entries === undefined || entries.length === 0
      ? []
      : [{ kind: "schedule" as const, logicalName: scheduleName, entries }]),
  ];
}

const FIRMWARE = { classId: 1, logicalName: logicalNameToOctets("1.0.0.2.0.255"), attributeId: 2 };
const LONGEST_TEXT = 64;

/** What the meter says of its firmware; undefined where it says nothing. Throws what the source throws. */
export async function readFirmware(source: AttributeSource): Promise<string | undefined> {
  const data = valueOf(await source.get({ attribute: FIRMWARE }));
  if (data === undefined || !("value" in data) || !(data.value instanceof Uint8Array)) return undefined;
  return data.value.length === 0 ? undefined : addressText(data.value.subarray(0, LONGEST_TEXT));
}

function reference(logicalName: string, attributeId: number): AttributeReference {
  const attribute = { classId: PUSH_SETUP_CLASS, logicalName: logicalNameToOctets(logicalName), attributeId };
  return { attribute };
}

function valueOf(result: DataResult): Data | undefined {
  return result.type === "data" ? result.data : undefined;
}

/** A list that is none is no list. */
function objectsIn(list: Data): CaptureObject[] | undefined {
  try {
    return pushObjectsFromData(list).map(({ classId, logicalName, attributeId, dataIndex }) => {
      return { classId, logicalName, attributeId, dataIndex };
    });
  } catch (error) {
    if (error instanceof DlmsError) return undefined;
    throw error;
  }
}

/** transport_service_type of send_destination_and_method. */
const TRANSPORTS: Readonly<Record<number, string>> = {
  0: "tcp",
  1: "udp",
  2: "ftp",
  3: "smtp",
  4: "sms",
  5: "hdlc",
  6: "m-bus",
  7: "zigbee",
};

function destinationIn(data: Data | undefined): Pick<StoredPushSetup, "destination" | "transport"> {
  const [service, address] = data?.type === "structure" ? data.value : [];
  return {
    transport: service?.type === "enum" ? TRANSPORTS[service.value] : undefined,
    destination: address?.type === "octet-string" ? addressText(address.value) : undefined,
  };
}

/** Text, or the octets as they are: some meters hold an address in binary. */
function addressText(octets: Uint8Array): string {
  const text = Buffer.from(octets).toString("latin1");
  return /^[\x20-\x7e]*$/.test(text) ? text : `0x${Buffer.from(octets).toString("hex")}`;
}
