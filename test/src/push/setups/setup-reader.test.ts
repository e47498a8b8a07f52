import { expect, test } from "vitest";
import type { AttributeReference, DataResult } from "../../../../protocol/apdu/descriptors.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { captureObjectsToData } from "../../../../protocol/cosem/capture-object.ts";
import { logicalNameFromOctets } from "../../../../protocol/cosem/obis.ts";
import { readPushSetups } from "../../../../src/push/setups/setup-reader.ts";

const CLOCK = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };

function destination(service: number, octets: Uint8Array): Data {
  return {
    type: "structure",
    value: [
      { type: "enum", value: service },
      { type: "octet-string", value: octets },
      { type: "enum", value: 0 },
    ],
  };
}

function pairs(...elements: readonly (readonly Uint8Array[])[]): Data {
  return {
    type: "array",
    value: elements.map((pair) => {
      return { type: "structure", value: pair.map((value) => ({ type: "octet-string", value })) };
    }),
  };
}

function windowTime(hour: number): Uint8Array {
  return Uint8Array.of(255, 255, 255, 255, 255, hour, 0, 0, 255, 0x80, 0, 255);
}

/** Answers attributes by `logical name/attribute`; the rest is refused. */
function meter(values: Readonly<Record<string, Data>>) {
  const asked: string[] = [];
  const get = async ({ attribute }: AttributeReference): Promise<DataResult> => {
    const name = `${logicalNameFromOctets(attribute.logicalName)}/${attribute.attributeId}`;
    asked.push(name);
    const data = values[name];
    if (data !== undefined) return { type: "data", data };
    return { type: "data-access-result", dataAccessResult: "object-undefined" };
  };
  const getList = (references: readonly AttributeReference[]) => Promise.all(references.map(get));
  return { get, getList, asked };
}

test("setup reader: the setups that a meter has, with lists and destinations", async () => {
  const source = meter({
    "0.0.25.9.0.255/2": captureObjectsToData([CLOCK]),
    "0.0.25.9.0.255/3": destination(0, new TextEncoder().encode("[2001:db8::1]:4059")),
    "0.0.25.9.0.255/4": pairs([windowTime(1), windowTime(5)]),
    "0.0.25.9.0.255/5": { type: "long-unsigned", value: 300 },
    "0.0.15.0.4.255/4": pairs([Uint8Array.of(255, 15, 0, 0), Uint8Array.of(255, 255, 255, 255, 255)]),
    "0.4.15.0.4.255/4": pairs([Uint8Array.of(1, 2, 3), Uint8Array.of(255)]),
    "0.4.25.9.0.255/2": captureObjectsToData([CLOCK, CLOCK]),
    "0.4.25.9.0.255/3": destination(1, Uint8Array.of(192, 0, 2, 1, 0x0f, 0xdb)),
    "0.5.25.9.0.255/2": { type: "unsigned", value: 1 },
    "0.6.25.9.0.255/2": captureObjectsToData([CLOCK]),
  });
  expect(await readPushSetups(source, "is15959")).toEqual([
    {
      logicalName: "0.0.25.9.0.255",
      objects: [CLOCK],
      transport: "tcp",
      destination: "[2001:db8::1]:4059",
      randomisationS: 300,
      schedules: [
        {
          kind: "window",
          logicalName: "0.0.25.9.0.255",
          entries: [
            { from: expect.objectContaining({ hour: 1, day: undefined }), to: expect.objectContaining({ hour: 5 }) },
          ],
        },
        {
          kind: "schedule",
          logicalName: "0.0.15.0.4.255",
          entries: [{ from: expect.objectContaining({ hour: undefined, minute: 15, second: 0, month: undefined }) }],
        },
      ],
    },
    {
      logicalName: "0.4.25.9.0.255",
      objects: [CLOCK, CLOCK],
      transport: "udp",
      destination: "0xc00002010fdb",
      schedules: [],
    },
    { logicalName: "0.6.25.9.0.255", objects: [CLOCK], transport: undefined, destination: undefined, schedules: [] },
  ]);
});

test("setup reader: a companion without setups costs no question", async () => {
  const source = meter({});
  expect(await readPushSetups(source, "nordic")).toEqual([]);
  expect(source.asked).toEqual([]);
});
