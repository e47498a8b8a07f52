import { expect, test } from "vitest";
import type { Data } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { namedZone, UTC } from "../../../protocol/cosem/time-zone.ts";
import { mapPush, type PushContext } from "../../../src/profiles/map-push.ts";
import { pushRows } from "../../../src/profiles/push-rows.ts";
import { body, nordic, RECEIVED, values } from "./push-examples.ts";

test("map-push: values with name, scaler and unit", () => {
  const push = mapPush(
    {
      dateTime: undefined,
      body: body(
        "0104 0202 0906 0101000281ff 0a0b 4149444f4e5f5630303031 0202 0906 0000600100ff 0a04 31323334" +
          "0203 0906 0100010700ff 06 00000118 0202 0f00 161b 0203 0906 01001f0700ff 10 000d 0202 0fff 1621",
      ),
    },
    nordic,
  );
  expect(push).toMatchObject({
    form: "complete",
    family: undefined,
    identity: { numbers: ["1234"], listId: "AIDON_V0001" },
    time: { instantMs: RECEIVED.getTime(), rule: "received" },
  });
  expect(values(push)).toEqual({
    "1:1.1.0.2.129.255:2": "AIDON_V0001",
    "1:0.0.96.1.0.255:2": "1234",
    "3:1.0.1.7.0.255:2": "280 W",
    "3:1.0.31.7.0.255:2": "1.3 A",
  });
  expect(push.values[2]).toMatchObject({ column: "active_power_import", name: "active import power", isNumber: true });
  const [mapped] = pushRows(push, 5, nordic);
  expect(mapped?.batch).toMatchObject({
    meterKey: 5,
    profile: "instant",
    source: "push",
    timeRules: ["received"],
    columns: [
      { column: "active_power_import", values: BigInt64Array.of(280_000n) },
      { column: "current_l1", values: BigInt64Array.of(1300n) },
    ],
    others: [],
  });
});

function text(value: string): Data {
  return { type: "octet-string", value: new TextEncoder().encode(value) };
}

test("map-push: a Kaifa list without names is read by its length", () => {
  const numbers = [2816, 0, 0, 66, 6781, 790, 6125, 2322, 2300, 2289].map(
    (value): Data => ({ type: "double-long-unsigned", value }),
  );
  const push = mapPush(
    {
      dateTime: fromHex("07e8 01 0f 01 0c 00 0a ff 8000 00"),
      body: { type: "structure", value: [text("KFM_001"), text("6970000000000001"), text("MA304H3E"), ...numbers] },
    },
    nordic,
  );
  expect(push).toMatchObject({
    family: "Kaifa",
    identity: { numbers: ["6970000000000001"], meterType: "MA304H3E", listId: "KFM_001" },
    time: { instantMs: Date.UTC(2024, 0, 15, 11, 0, 10), rule: "zone" },
  });
  expect(values(push)).toMatchObject({
    "3:1.0.1.7.0.255:2": "2816 W",
    "3:1.0.4.7.0.255:2": "66 V.A{reactive}",
    "3:1.0.31.7.0.255:2": "6.781 A",
    "3:1.0.32.7.0.255:2": "232.2 V",
  });
});

test("map-push: Kamstrup's names without units, gaps, and an invalid clock", () => {
  const push = mapPush(
    {
      dateTime: fromHex("07d0 01 01 06 16 21 00 ff 8000 01"),
      body: body(
        "020b 0a0e 4b616d73747275705f5630303031 0906 0101010700ff 06 00000768 00 00 0906 01011f0700ff 06 00000380" +
          "0906 0101200700ff 12 00e1 0906 0101010800ff 06 00000001",
      ),
    },
    nordic,
  );
  expect(values(push)).toEqual({
    "1:1.1.0.2.129.255:2": "Kamstrup_V0001",
    "3:1.1.1.7.0.255:2": "1896 W",
    "3:1.1.31.7.0.255:2": "8.96 A",
    "3:1.1.32.7.0.255:2": "225 V",
    "3:1.1.1.8.0.255:2": "10 W.h",
  });
  expect(push.time).toMatchObject({ instantMs: RECEIVED.getTime(), rule: "received", stamp: { length: 12 } });
  const [mapped] = pushRows(push, 1, nordic);
  expect(mapped?.batch).toMatchObject({ instantsMs: [RECEIVED.getTime()], timeRules: ["received"] });
  expect(mapped?.batch.meterTimes?.at(0)).toHaveLength(12);
});

test("map-push: a push that begins with its own object list", () => {
  const push = mapPush(
    {
      dateTime: undefined,
      body: body(
        "0204 0104 0204 120028 0906 0008190900ff 0f02 120000 0204 120001 0906 00002a0000ff 0f02 120000" +
          "0204 120003 0906 0100200700ff 0f02 120000 0204 120003 0906 0100630000ff 0f02 120000" +
          "0906 4c475a313233 12 00e6 11 07",
      ),
    },
    nordic,
  );
  expect(push).toMatchObject({
    form: "listed",
    family: "Landis+Gyr E450, Swiss list",
    identity: { logicalDeviceName: "LGZ123", pushSetup: "0.8.25.9.0.255" },
  });
  expect(values(push)).toEqual({
    "1:0.0.42.0.0.255:2": "LGZ123",
    "3:1.0.32.7.0.255:2": "230 V",
    "3:1.0.99.0.0.255:2@raw": "7",
  });
});

const INDIAN_ALERT =
  "0204 0904 41424331 0906 0004190900ff 090c 07e907170308 1e18ff014a00 048180 00000800000000000000000000000000";

test("map-push: an alert of IS 15959 is known by its push setup and makes no row", () => {
  const context: PushContext = {
    companion: "is15959",
    clock: { deviation: "inverted", zone: namedZone("Asia/Kolkata") },
    receivedAt: RECEIVED,
  };
  const push = mapPush({ dateTime: undefined, body: body(INDIAN_ALERT) }, context);
  expect(push).toMatchObject({
    identity: { numbers: ["ABC1"], pushSetup: "0.4.25.9.0.255" },
    time: { instantMs: Date.UTC(2025, 6, 23, 3, 0, 24), rule: "deviation" },
  });
  expect(values(push)["1:0.0.94.91.18.255:2"]).toBe(`0b${"0".repeat(20)}1${"0".repeat(107)}`);
  expect(pushRows(push, 1, context)).toEqual([]);
});

test("map-push: without a list that fits, a push still says who sends it and when", () => {
  const object = { classId: 1, logicalName: "0.0.96.1.2.255", attributeId: 2, dataIndex: 0 };
  const context: PushContext = {
    companion: "is15959",
    clock: { deviation: "inverted", zone: namedZone("Asia/Kolkata") },
    receivedAt: RECEIVED,
    pushLists: new Map([["0.5.25.9.0.255", [object, object]]]),
  };
  const hex = "0204 0904 41424331 0906 0005190900ff 090c 07e907170308 1e00ff014a00 12 5ba0";
  const push = mapPush({ dateTime: undefined, body: body(hex) }, context);
  expect(push.identity).toMatchObject({ numbers: ["ABC1"], pushSetup: "0.5.25.9.0.255" });
  expect(push.time).toMatchObject({ instantMs: Date.UTC(2025, 6, 23, 3, 0, 0), rule: "deviation" });
  expect(values(push)).toMatchObject({ "push[3]": "23456" });
});

test("map-push: a periodic push is read by the meter's own list and scalers", () => {
  const names = ["0.0.96.1.2.255", "0.0.25.9.0.255", "0.0.1.0.0.255", "1.0.12.7.0.255", "1.0.1.8.0.255"];
  const classes = [1, 40, 8, 3, 3];
  const list = names.map((logicalName, index) => {
    return { classId: classes[index] ?? 1, logicalName, attributeId: index === 1 ? 1 : 2, dataIndex: 0 };
  });
  const context: PushContext = {
    companion: "is15959",
    clock: { deviation: "ignored", zone: namedZone("Asia/Kolkata") },
    receivedAt: RECEIVED,
    pushLists: new Map([["0.0.25.9.0.255", list]]),
    scalers: [{ classId: 3, logicalName: "1.0.12.7.0.255", scalerUnit: { scaler: -2, unit: 35 } }],
  };
  const hex = "0205 0904 41424331 0906 0000190900ff 090c 07e907170308 1e18ff014a00 12 5ba0 06 00000064";
  const push = mapPush({ dateTime: undefined, body: body(hex) }, context);
  expect(values(push)).toMatchObject({ "3:1.0.12.7.0.255:2": "234.56 V", "3:1.0.1.8.0.255:2@raw": "100" });
  const [mapped] = pushRows(push, 1, context);
  expect(mapped?.batch).toMatchObject({
    profile: "instant",
    instantsMs: [Date.UTC(2025, 6, 23, 3, 0, 24)],
    columns: [{ column: "voltage_l1", values: BigInt64Array.of(234_560n) }],
    others: [{ captureObject: "3:1.0.1.8.0.255:2@raw", values: ["100"] }],
  });
});

test("map-push: a profile that is pushed whole becomes its rows", () => {
  const block = {
    captureObjects: [
      { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 },
      { classId: 3, logicalName: "1.0.1.8.0.255", attributeId: 2, dataIndex: 0 },
    ],
    scalers: [{ classId: 3, logicalName: "1.0.1.8.0.255", scalerUnit: { scaler: 0, unit: 30 } }],
    capturePeriodS: 900,
  };
  const context: PushContext = {
    companion: "idis",
    clock: { deviation: "standard", zone: UTC },
    receivedAt: RECEIVED,
    pushLists: new Map([
      [
        "0.1.25.9.0.255",
        [
          { classId: 1, logicalName: "0.0.42.0.0.255", attributeId: 2, dataIndex: 0 },
          { classId: 40, logicalName: "0.1.25.9.0.255", attributeId: 1, dataIndex: 0 },
          { classId: 7, logicalName: "1.0.99.1.0.255", attributeId: 2, dataIndex: 0 },
        ],
      ],
    ]),
    profiles: new Map([["1.0.99.1.0.255", block]]),
  };
  const hex =
    "0203 0904 45584d50 0906 0001190900ff 0102 0202 090c 07e8060101000000ff000000 06 00000064 0202 00 06 00000065";
  const [mapped, ...more] = pushRows(mapPush({ dateTime: undefined, body: body(hex) }, context), 9, context);
  expect(more).toEqual([]);
  expect(mapped?.batch).toMatchObject({
    meterKey: 9,
    profile: "block_load",
    source: "push",
    rowCount: 2,
    intervalS: 900,
    instantsMs: [Date.UTC(2024, 5, 1), Date.UTC(2024, 5, 1, 0, 15)],
    columns: [{ column: "active_import_total", values: BigInt64Array.of(100_000n, 101_000n) }],
  });
});
