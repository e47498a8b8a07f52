import { expect, test } from "vitest";
import { Pump } from "../../../../drivers/pump.ts";
import { decodeApdu } from "../../../../protocol/apdu/apdu.ts";
import type { AttributeReference } from "../../../../protocol/apdu/descriptors.ts";
import { AssociationServer } from "../../../../protocol/association/server/server.ts";
import type { Data } from "../../../../protocol/axdr/data.ts";
import { conformanceFromNumber } from "../../../../protocol/ber/conformance.ts";
import { fromHex } from "../../../../protocol/bytes/hex.ts";
import { objectListFromData } from "../../../../protocol/cosem/object-list.ts";
import { ShortNames } from "../../../../protocol/cosem/short-names.ts";
import { WrapperLink } from "../../../../protocol/link/wrapper-link.ts";
import { MeterConnection } from "../../../../src/collect/session/meter-connection.ts";
import { MeterLine } from "../../../../src/collect/session/meter-line.ts";
import type { ShortNameMemory } from "../../../../src/collect/session/name-resolver.ts";
import { channelPair } from "../../../drivers/channel-pair.ts";
import { ServedLink } from "../../../protocol/association/served-link.ts";
import { CLOCK, FixtureObjects, OPEN_RULE } from "../../../protocol/association/server-fixture.ts";

const COUNTER = fromHex("00002b0103ff");
const SECOND = fromHex("0000600100ff");
const ASSOCIATION = fromHex("0000280000ff");
const TIME: Data = { type: "octet-string", value: fromHex("07E9071703081E18FF014A00") };
const RULE = {
  ...OPEN_RULE,
  applicationContexts: ["short-name"],
  conformance: conformanceFromNumber(0x1c1b20),
} as const;
const NAMES = [
  { baseName: 0x0100, classId: 8, version: 0, logicalName: "0.0.1.0.0.255" },
  { baseName: 0x0200, classId: 1, version: 0, logicalName: "0.0.43.1.3.255" },
  { baseName: 0x0300, classId: 70, version: 0, logicalName: "0.0.96.3.10.255" },
];

const clock: AttributeReference = { attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 } };
const counter: AttributeReference = { attribute: { classId: 1, logicalName: COUNTER, attributeId: 2 } };
const absent: AttributeReference = { attribute: { classId: 1, logicalName: SECOND, attributeId: 2 } };

interface Meter {
  readonly objects: FixtureObjects;
  /** What was asked within the association. */
  readonly requests: string[];
  connect(memory: ShortNameMemory): Promise<MeterConnection>;
}

/** A meter with short names; each connection is one to the same meter. */
function meter(names = new ShortNames(NAMES)): Meter {
  const objects = new FixtureObjects();
  objects.values.set(FixtureObjects.key(8, CLOCK, 2), TIME);
  objects.values.set(FixtureObjects.key(1, COUNTER, 2), { type: "double-long-unsigned", value: 1000 });
  for (const { classId, logicalName } of names.objects) {
    const octets = Uint8Array.from(logicalName.split("."), Number);
    objects.values.set(FixtureObjects.key(classId, octets, 1), { type: "octet-string", value: octets });
  }
  objects.values.set(FixtureObjects.key(12, ASSOCIATION, 2), names.toObjectList());
  const requests: string[] = [];
  const heard = (apdu: Uint8Array) => {
    const request = decodeApdu(apdu);
    if (request.apdu !== "aarq") requests.push(request.apdu);
    return undefined;
  };
  return {
    objects,
    requests,
    async connect(memory) {
      const [near, far] = channelPair();
      const server = new AssociationServer({
        clientSap: 16,
        serverSap: 1,
        rule: () => RULE,
        objects,
        shortNames: names,
        randomOctets: (length) => new Uint8Array(length),
      });
      const served = new ServedLink(new WrapperLink({ role: "server" }), () => server, { instead: heard });
      new Pump(served, far, { event: () => {}, closed: () => {} }, { ended: { type: "channelEnded" } }).start();
      const connection = await MeterConnection.open(new MeterLine(near), {
        link: new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 }),
        client: {
          referencing: "short-name",
          authentication: { mechanism: "none" },
          challenge: () => new Uint8Array(16),
          responseTimeoutMs: 500,
        },
        names: memory,
      });
      await connection.associate();
      return connection;
    },
  };
}

test("name resolver: callers say logical names; the list of short ones is read once", async () => {
  const each = meter();
  const connection = await each.connect({});
  const [time, value] = await Promise.all([connection.get(clock), connection.get(counter)]);
  expect(time).toEqual({ type: "data", data: TIME });
  expect(value).toEqual({ type: "data", data: { type: "double-long-unsigned", value: 1000 } });
  expect(await connection.getList([counter, absent, clock])).toEqual([
    { type: "data", data: { type: "double-long-unsigned", value: 1000 } },
    { type: "data-access-result", dataAccessResult: "object-undefined" },
    { type: "data", data: TIME },
  ]);
  expect(await connection.set(counter, { type: "double-long-unsigned", value: 7 })).toBe("success");
  const disconnect = { classId: 70, logicalName: fromHex("000060030aff"), methodId: 1 };
  expect(await connection.action(disconnect)).toEqual({ result: "success" });
  expect(each.requests).toEqual([
    "read-request",
    "read-request",
    "read-request",
    "read-request",
    "write-request",
    "write-request",
  ]);
  await connection.close();
});

test("name resolver: whoever wants the object list of Association LN gets what there is", async () => {
  const connection = await meter().connect({});
  const list = await connection.readObjectList();
  if (list.type !== "data") throw new Error("no list");
  expect(objectListFromData(list.data).map(({ classId, logicalName }) => `${classId} ${logicalName}`)).toEqual([
    "8 0.0.1.0.0.255",
    "1 0.0.43.1.3.255",
    "70 0.0.96.3.10.255",
    "12 0.0.40.0.0.255",
  ]);
  await connection.close();
});

test("name resolver: remembered names are proved by each object's logical name, once in a session", async () => {
  const each = meter();
  const memory: ShortNameMemory = {};
  const first = await each.connect(memory);
  await first.get(clock);
  await first.close();
  each.requests.length = 0;
  const second = await each.connect(memory);
  expect(await second.get(clock)).toEqual({ type: "data", data: TIME });
  expect(await second.get(clock)).toEqual({ type: "data", data: TIME });
  // The logical name, and twice the time; the list is not read again.
  expect(each.requests).toHaveLength(3);
  await second.close();
});

test("name resolver: names that are those of other objects by now are read anew", async () => {
  const memory: ShortNameMemory = {
    shortNames: new ShortNames([
      { baseName: 0x0200, classId: 8, version: 0, logicalName: "0.0.1.0.0.255" },
      { baseName: 0x0100, classId: 1, version: 0, logicalName: "0.0.43.1.3.255" },
    ]),
  };
  const connection = await meter().connect(memory);
  expect(await connection.get(clock)).toEqual({ type: "data", data: TIME });
  expect(memory.shortNames?.objects).toHaveLength(4);
  await connection.close();
});

test("name resolver: a meter that does not tell its names says why", async () => {
  const each = meter();
  each.objects.values.delete(FixtureObjects.key(12, ASSOCIATION, 2));
  const connection = await each.connect({});
  await expect(connection.get(clock)).rejects.toThrow(expect.objectContaining({ name: "AccessRefusedError" }));
  // Nothing is remembered of the failure.
  each.objects.values.set(FixtureObjects.key(12, ASSOCIATION, 2), new ShortNames(NAMES).toObjectList());
  expect(await connection.get(clock)).toEqual({ type: "data", data: TIME });
  await connection.close();
});
