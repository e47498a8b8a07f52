import { type Data, dataFromBytes } from "../../protocol/axdr/data.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import { joinOctets } from "../../protocol/bytes/octets.ts";
import { Reader } from "../../protocol/bytes/reader.ts";
import { decodeDateTime } from "../../protocol/cosem/date-time.ts";
import { logicalNameFromOctets, logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { UTC } from "../../protocol/cosem/time-zone.ts";
import { decodeProfileBuffer } from "../../protocol/profile/decode.ts";
import { profileLayout } from "../../protocol/profile/layout.ts";
import { type CorpusCase, type Facts, isFacts } from "./case.ts";
import { hexInput, hexList } from "./input.ts";
import { normaliseData } from "./normalise-data.ts";
import { objectsOf } from "./pushed.ts";
import { isoText } from "./read-date-time.ts";
import type { LayerReader } from "./reading.ts";

const MINUTE_MS = 60_000;

/** One tagged value of the Data CHOICE, whole or in blocks; a profile's buffer where the case says its columns. */
export const axdrReader: LayerReader = (each) => {
  const blocks = "blocks" in each.input ? hexList(each, "blocks") : [hexInput(each)];
  const octets = joinOctets(blocks);
  const data = dataFromBytes(octets);
  return {
    data: normaliseData(data),
    dataType: data.type,
    blockCount: blocks.length,
    totalBytes: octets.length,
    obis: objectsOf(data),
    ...elementFacts(data),
    ...timeFacts(data),
    ...profileFacts(each, data),
  };
};

function elementFacts(data: Data): Facts {
  if (data.type !== "array" && data.type !== "structure") return {};
  const [first] = data.value;
  const rows = first?.type === "structure" ? { rows: data.value.length, columns: first.value.length } : {};
  return {
    elements: data.value.length,
    objects: data.value.length,
    ...rows,
    ...(first === undefined ? {} : { first: normaliseData(first) }),
    ...(data.value.length === 0 ? {} : { last: normaliseData(data.value.at(-1) ?? data) }),
  };
}

function timeFacts(data: Data): Facts {
  if (data.type !== "date" && data.type !== "time") return {};
  const open = data.value.every((octet) => octet === 0xff);
  if (open) return { [data.type]: null };
  const stamp = new Uint8Array(12).fill(0xff);
  stamp.set(data.value, data.type === "date" ? 0 : 5);
  const { year, month, day, hour, minute, second, hundredths } = decodeDateTime(stamp);
  if (data.type === "date") return { date: `${year}-${digits(month)}-${digits(day)}` };
  return { time: `${digits(hour)}:${digits(minute)}:${digits(second)}.${digits(hundredths)}` };
}

function digits(value: number | undefined): string {
  return String(value ?? "").padStart(2, "0");
}

function profileFacts(each: CorpusCase, data: Data): Facts {
  const { captureObjects, capturePeriodSeconds } = each.input;
  if (!Array.isArray(captureObjects) || typeof capturePeriodSeconds !== "number") return {};
  const layout = profileLayout({
    captureObjects: captureObjects.filter(isFacts).map(({ classId, obis, attribute }) => ({
      classId: Number(classId),
      logicalName: logicalNameFromOctets(logicalNameToOctets(String(obis))),
      attributeId: Number(attribute),
      dataIndex: 0,
    })),
    capturePeriodS: capturePeriodSeconds,
  });
  const { rowCount, clock, columns } = decodeProfileBuffer(data, layout, {
    clock: { deviation: "standard", zone: UTC },
  });
  const instants = clock === undefined ? [] : Array.from(clock.instantsMs, Number);
  const [first, second] = instants;
  return {
    rows: rowCount,
    columns: columns.length,
    rowSpacingSeconds: first === undefined || second === undefined ? undefined : (second - first) / 1000,
    rowTimestamps: instants.map((instant) => localText(instant, data)),
  };
}

/** The instant as local time with the deviation of the buffer's first stamp. */
function localText(instantMs: number, data: Data): string | undefined {
  const [row] = data.type === "array" ? data.value : [];
  const [stamp] = row?.type === "structure" ? row.value : [];
  if (stamp?.type !== "octet-string") return undefined;
  const { deviationMinutes = 0 } = decodeDateTime(stamp.value);
  const text = isoText(stamp.value, decodeDateTime(stamp.value)) ?? "";
  const wall = new Date(instantMs - deviationMinutes * MINUTE_MS).toISOString().slice(0, 19);
  return wall + text.slice(19);
}

/** A length field on its own. */
export const axdrLengthReader: LayerReader = (each) => {
  const reader = new Reader(fromHex(String(each.input["hex"])));
  const length = reader.length();
  const size = reader.offset;
  reader.end();
  return { length, value: length, size, bytes: size };
};
