/** Every class and version of the tables is served from a description, over TCP, to the client that the gateway uses. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Pump } from "../../drivers/pump.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { INTERFACE_CLASSES } from "../../protocol/cosem/classes/registry.ts";
import type { InterfaceClass } from "../../protocol/cosem/interface-class.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { objectListFromData } from "../../protocol/cosem/object-list.ts";
import { attributeOf } from "../../src/collect/read/layout-reader.ts";
import type { MeterConnection } from "../../src/collect/session/meter-connection.ts";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import { meterTarget } from "../../src/collect/session/meter-target.ts";
import { meterSchema } from "../../src/config/schema.ts";
import { seededSecrets } from "../../src/simulator/meter-identity.ts";
import { meterFromDump } from "../../src/simulator/object-dump.ts";
import { VirtualMeter } from "../../src/simulator/virtual-meter.ts";
import { WiredMeter } from "../../src/simulator/wired-meter.ts";

const LONG_NAME = new Map<InterfaceClass, string>();
for (const [index, each] of INTERFACE_CLASSES.entries()) {
  LONG_NAME.set(each, `0.${Math.floor(index / 200)}.200.${index % 200}.${each.version}.255`);
}

function nameOf(each: InterfaceClass): string {
  return LONG_NAME.get(each) ?? "";
}

const IMAGE = "0.0.44.0.0.255";
const REGISTER = "1.0.1.8.0.255";
const DAYS = "0.0.11.0.0.255";

let listener: TcpListener;
beforeAll(async () => {
  const { description, identity } = meterFromDump({
    meter: { serial: "1", systemTitle: "5445535400000001" },
    associations: [{ name: "all", clientSap: 1, logicalName: "0.0.40.0.1.255", mechanism: "none", write: true }],
    objects: [
      ...INTERFACE_CLASSES.map((each) => ({ class: each.classId, version: each.version, logicalName: nameOf(each) })),
      { class: 18, version: 0, logicalName: IMAGE, attributes: { 5: { t: "boolean", v: true } }, complete: true },
      {
        class: 3,
        logicalName: REGISTER,
        attributes: {
          2: { t: "double-long-unsigned", v: 4711 },
          3: {
            t: "structure",
            v: [
              { t: "integer", v: -1 },
              { t: "enum", v: 30 },
            ],
          },
        },
      },
      { class: 11, logicalName: DAYS },
    ],
  });
  const meter = new VirtualMeter({
    description,
    identity,
    secrets: seededSecrets(1),
    seed: 1,
    clock: Date.now,
    randomOctets: (length) => crypto.getRandomValues(new Uint8Array(length)),
    firstInvocationCounter: 1,
  });
  listener = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    const machine = new WiredMeter({ meter, link: { type: "wrapper" } });
    const pump = new Pump(machine, channel, {
      event: () => undefined,
      closed: () => machine.command({ type: "channelEnded" }, performance.now()),
    });
    pump.start();
    pump.command({ type: "open" });
  });
});
afterAll(() => listener.close());

function nothing(): Promise<never> {
  return Promise.reject(new Error("no keys"));
}

async function visit<T>(work: (connection: MeterConnection) => Promise<T>): Promise<T> {
  const config = meterSchema.parse({
    name: "m",
    number: "1",
    connection: { tcp: `127.0.0.1:${listener.address.port}` },
    association: { clientSap: 1 },
  });
  const target = meterTarget(config, { leaseCounters: nothing, openStoredKey: nothing });
  return visitMeter(target, { budgetMs: 60_000 }, work);
}

function readAttribute(connection: MeterConnection, each: InterfaceClass, attributeId: number) {
  return connection.get(attributeOf({ classId: each.classId, logicalName: nameOf(each), attributeId }));
}

test("every class: the object list has each of them, with the version of its table", async () => {
  const result = await visit((connection) => connection.readObjectList());
  if (result.type !== "data") throw new Error(result.dataAccessResult);
  const served = objectListFromData(result.data).map(({ classId, version, logicalName }) => [
    classId,
    version,
    logicalName,
  ]);
  for (const each of INTERFACE_CLASSES) expect(served).toContainEqual([each.classId, each.version, nameOf(each)]);
});

test("every class: each attribute is read, and is of the type that its table says", async () => {
  let count = 0;
  await visit(async (connection) => {
    for (const each of INTERFACE_CLASSES) {
      for (const { id, type } of Object.values(each.attributes)) {
        const result = await readAttribute(connection, each, id);
        if (result.type !== "data") throw new Error(`${each.name}/${each.version} ${id}: ${result.dataAccessResult}`);
        type.parse(result.data);
        count++;
      }
    }
  });
  expect(count).toBeGreaterThan(900);
});

test("every class: what a class does not have is refused", async () => {
  const results = await visit(async (connection) => {
    const said: string[] = [];
    for (const each of INTERFACE_CLASSES) {
      const result = await readAttribute(connection, each, 99);
      const method = { classId: each.classId, logicalName: logicalNameToOctets(nameOf(each)), methodId: 99 };
      said.push(result.type === "data" ? "data" : result.dataAccessResult, (await connection.action(method)).result);
    }
    return said;
  });
  expect(new Set(results)).toEqual(new Set(["object-undefined"]));
});

test("every class: each method does its work, or is refused as one that the meter does not have", async () => {
  const results = new Map<string, number>();
  await visit(async (connection) => {
    for (const each of INTERFACE_CLASSES) {
      for (const method of Object.values(each.methods)) {
        const methodId = typeof method === "number" ? method : method.id;
        const parameter: Data = (typeof method === "number" ? undefined : method.parameter?.empty) ?? {
          type: "integer",
          value: 0,
        };
        const name = logicalNameToOctets(nameOf(each));
        const { result } = await connection.action({ classId: each.classId, logicalName: name, methodId }, parameter);
        results.set(result, (results.get(result) ?? 0) + 1);
      }
    }
  });
  expect(results.get("object-undefined") ?? 0).toBeLessThan(2);
  expect(results.get("success")).toBeGreaterThan(5);
  expect(results.get("object-unavailable")).toBeGreaterThan(100);
});

test("every class: what may be written is written, and read back", async () => {
  const written = await visit(async (connection) => {
    let count = 0;
    for (const each of INTERFACE_CLASSES) {
      for (const { id, type, access } of Object.values(each.attributes)) {
        // Data is written where its description says so, recorded rows stay, a clock is set, and what shows nothing yet
        // has no type to be written in.
        if (access !== "read-write" || [1, 7, 8].includes(each.classId) || type.empty.type === "null-data") continue;
        const reference = attributeOf({ classId: each.classId, logicalName: nameOf(each), attributeId: id });
        expect(await connection.set(reference, type.empty)).toBe("success");
        expect(await connection.get(reference)).toEqual({ type: "data", data: type.empty });
        count++;
      }
    }
    return count;
  });
  expect(written).toBeGreaterThan(200);
});

test("methods: a register is reset, a day inserted and deleted again", async () => {
  await visit(async (connection) => {
    const value = attributeOf({ classId: 3, logicalName: REGISTER, attributeId: 2 });
    const register = { classId: 3, logicalName: logicalNameToOctets(REGISTER) };
    expect(await connection.get(value)).toEqual({ type: "data", data: { type: "double-long-unsigned", value: 4711 } });
    expect((await connection.action({ ...register, methodId: 1 })).result).toBe("success");
    expect(await connection.get(value)).toEqual({ type: "data", data: { type: "double-long-unsigned", value: 0 } });

    const days = { classId: 11, logicalName: logicalNameToOctets(DAYS) };
    const entries = attributeOf({ ...days, logicalName: DAYS, attributeId: 2 });
    const day: Data = {
      type: "structure",
      value: [
        { type: "long-unsigned", value: 1 },
        { type: "octet-string", value: Uint8Array.of(0x07, 0xea, 12, 25, 0xff) },
        { type: "unsigned", value: 2 },
      ],
    };
    expect((await connection.action({ ...days, methodId: 1 }, day)).result).toBe("success");
    expect(await connection.get(entries)).toEqual({ type: "data", data: { type: "array", value: [day] } });
    const missing: Data = { type: "long-unsigned", value: 9 };
    expect((await connection.action({ ...days, methodId: 2 }, missing)).result).toBe("object-unavailable");
    expect((await connection.action({ ...days, methodId: 2 }, { type: "long-unsigned", value: 1 })).result).toBe(
      "success",
    );
    expect(await connection.get(entries)).toEqual({ type: "data", data: { type: "array", value: [] } });
  });
});

function block(number: number, length: number): Data {
  const value: Data[] = [
    { type: "double-long-unsigned", value: number },
    { type: "octet-string", value: new Uint8Array(length).fill(number) },
  ];
  return { type: "structure", value };
}

test("methods: an image is transferred in any order, taken up again, verified and activated", async () => {
  const size = 300;
  await visit(async (connection) => {
    const image = { classId: 18, logicalName: logicalNameToOctets(IMAGE) };
    const act = async (methodId: number, parameter: Data = { type: "integer", value: 0 }) =>
      (await connection.action({ ...image, methodId }, parameter)).result;
    const read = async (attributeId: number) => {
      const result = await connection.get(attributeOf({ ...image, logicalName: IMAGE, attributeId }));
      return result.type === "data" && "value" in result.data ? result.data.value : undefined;
    };
    expect(await act(2, block(0, 128))).toBe("object-unavailable");
    const identifier: Data = { type: "octet-string", value: new TextEncoder().encode("FW2") };
    const initiate: Data = { type: "structure", value: [identifier, { type: "double-long-unsigned", value: size }] };
    expect(await act(1, initiate)).toBe("success");
    expect(await act(2, block(2, 44))).toBe("success");
    expect(await act(2, block(0, 128))).toBe("success");
    expect([await read(4), await read(3), await read(6)]).toEqual([1, Uint8Array.of(0b1010_0000), 1]);
    expect(await act(3)).toBe("other-reason");
    expect(await act(2, block(1, 100))).toBe("type-unmatched");
    expect(await act(2, block(3, 128))).toBe("object-unavailable");
    expect(await act(2, block(1, 128))).toBe("success");
    expect(await read(4)).toBe(3);
    expect(await act(4)).toBe("other-reason");
    expect([await act(3), await read(6)]).toEqual(["success", 3]);
    expect([await act(4), await read(6)]).toEqual(["success", 6]);
  });
});
