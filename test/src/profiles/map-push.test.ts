import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeApdu } from "../../../protocol/apdu/apdu.ts";
import { type Notification, notificationOf } from "../../../protocol/association/notifications.ts";
import { type Data, dataFromBytes } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import type { CaptureObject } from "../../../protocol/cosem/capture-object.ts";
import { namedZone, UTC } from "../../../protocol/cosem/time-zone.ts";
import { compactTemplate } from "../../../protocol/profile/compact-data.ts";
import type { OtherValue } from "../../../src/profiles/batch.ts";
import {
  type MappedPush,
  mapEvent,
  mapNotification,
  mapPush,
  type PushContext,
} from "../../../src/profiles/map-push.ts";
import { pushRows } from "../../../src/profiles/push-rows.ts";
import { bodyOfBarePush } from "../../../src/push/receive/bare-push.ts";

const RECEIVED = new Date("2024-06-01T12:00:00Z");
const nordic: PushContext = {
  companion: "nordic",
  clock: { deviation: "standard", zone: namedZone("Europe/Oslo") },
  receivedAt: RECEIVED,
};

function body(hex: string): Data {
  return dataFromBytes(fromHex(hex));
}

function values(push: MappedPush): Record<string, unknown> {
  return Object.fromEntries(
    push.values.map(({ captureObject, value, unit }) => [
      captureObject,
      unit === undefined ? value : `${value as string} ${unit}`,
    ]),
  );
}

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

test("map-push: elements with class, name and attribute, as Czech meters send them", () => {
  const push = mapPush(
    {
      dateTime: undefined,
      body: body(
        "0202 1601 0104 0204 120001 0906 0000600100ff 0f02 0904 31323334 0204 120001 0906 0000600e00ff 0f02 0902 5432" +
          "0204 120046 0906 0000600303ff 0f03 1601 0204 120003 0906 0100150700ff 0f02 06 000000c6",
      ),
    },
    { ...nordic, companion: "none" },
  );
  expect(push).toMatchObject({ form: "untagged", family: "Czech list", identity: { numbers: ["1234"] } });
  expect(values(push)).toEqual({
    "1:0.0.96.1.0.255:2": "1234",
    "1:0.0.96.14.0.255:2": "T2",
    "70:0.0.96.3.3.255:3": "1",
    "3:1.0.21.7.0.255:2": "198 W",
  });
});

test("map-push: a body that nobody knows is kept by its places", () => {
  const push = mapPush({ dateTime: undefined, body: body("0203 1107 12 0102 0a02 4f4b") }, nordic);
  expect(values(push)).toEqual({ "push[0]": "7", "push[1]": "258", "push[2]": "OK" });
  expect(values(mapPush({ dateTime: undefined, body: body("0904 00010203") }, nordic))).toEqual({
    "push[0]": "0x00010203",
  });
});

function decoded(hex: string): Notification | undefined {
  return notificationOf(decodeApdu(fromHex(hex)));
}

test("map-push: notifications are mapped as they are decoded", () => {
  const data = decoded("0f 00000001 0c 07e7070604 0a362600ff8880 0201 1107");
  const event = decoded("c2 00 0001 0000616200ff 02 06 00000002");
  expect(data && mapNotification(data, nordic)).toMatchObject({
    time: { instantMs: Date.UTC(2023, 6, 6, 8, 54, 38) },
    values: [{ value: "7" }],
  });
  expect(event && mapNotification(event, nordic)).toMatchObject({
    time: { rule: "received" },
    values: [{ captureObject: "1:0.0.97.98.0.255:2", value: "2", isNumber: true }],
  });
});

test("map-push: an event notification is one value with its name", () => {
  const push = mapEvent(
    {
      dateTime: fromHex("07e7 07 06 04 0a 36 26 00 ff88 80"),
      attribute: { classId: 1, logicalName: fromHex("0000616200ff"), attributeId: 2 },
      value: { type: "double-long-unsigned", value: 2 },
    },
    nordic,
  );
  expect(push.time).toMatchObject({ instantMs: Date.UTC(2023, 6, 6, 8, 54, 38), rule: "deviation" });
  expect(values(push)).toEqual({ "1:0.0.97.98.0.255:2": "2" });
});

function object(classId: number, logicalName: string): CaptureObject {
  return { classId, logicalName, attributeId: 2, dataIndex: 0 };
}

test("map-push: compact data is opened with its template", () => {
  const context: PushContext = {
    companion: "none",
    clock: { deviation: "standard", zone: UTC },
    receivedAt: RECEIVED,
    pushLists: new Map([
      ["0.1.25.9.0.255", [object(1, "0.0.42.0.0.255"), object(40, "0.1.25.9.0.255"), object(62, "0.0.66.0.1.255")]],
    ]),
    compactData: new Map([
      [
        "0.0.66.0.1.255",
        {
          template: compactTemplate(5, fromHex("0202 06 06")),
          captureObjects: [object(1, "0.0.1.1.0.255"), object(3, "1.0.1.8.0.255")],
        },
      ],
    ]),
    scalers: [{ classId: 3, logicalName: "1.0.1.8.0.255", scalerUnit: { scaler: 1, unit: 30 } }],
  };
  const opened = mapPush(
    { dateTime: undefined, body: body("0203 0902 4142 0906 0001190900ff 0909 05 65937580 0000000a") },
    context,
  );
  expect(values(opened)).toMatchObject({ "1:0.0.1.1.0.255:2": "1704162688", "3:1.0.1.8.0.255:2": "100 W.h" });
  const other = mapPush(
    { dateTime: undefined, body: body("0203 0902 4142 0906 0001190900ff 0909 06 65937580 0000000a") },
    context,
  );
  expect(values(other)["62:0.0.66.0.1.255:2"]).toBe("0x06659375800000000a");
});

test("map-push: a push of DSMR 4 without any APDU", () => {
  const context: PushContext = { ...nordic, companion: "dsmr" };
  const identifier = "45303031303030303030303030303031 37";
  const alarm = bodyOfBarePush(fromHex(`${identifier} 2c 00000002`));
  const push = mapPush({ dateTime: undefined, body: alarm ?? { type: "null-data" } }, context);
  expect(push.identity).toMatchObject({ numbers: ["E0010000000000017"], pushSetup: "0.1.25.9.0.255" });
  expect(values(push)["1:0.0.97.98.0.255:2"]).toBe("2");
  const wakeUp = bodyOfBarePush(fromHex(`${identifier} 2c 0002190900ff`));
  expect(mapPush({ dateTime: undefined, body: wakeUp ?? { type: "null-data" } }, context).identity).toMatchObject({
    numbers: ["E0010000000000017"],
    pushSetup: "0.2.25.9.0.255",
  });
  for (const other of ["", identifier, `${identifier} 2c`, `${identifier} 2d 00000002`, "0f00000000 00 0201 1101"]) {
    expect(bodyOfBarePush(fromHex(other))).toBeUndefined();
  }
});

const anyBody = fc.letrec<{ data: Data }>((tie) => ({
  data: fc.oneof(
    { depthSize: "small" },
    fc.constant<Data>({ type: "null-data" }),
    fc.nat(70_000).map((value): Data => ({ type: "double-long-unsigned", value })),
    fc
      .constantFrom(6, 12, 17)
      .chain((length) =>
        fc.uint8Array({ minLength: length, maxLength: length }).map((value): Data => ({ type: "octet-string", value })),
      ),
    fc
      .constantFrom("0100010800ff", "0000190900ff", "0001190900ff", "000042000 1ff".replace(" ", ""))
      .map((hex): Data => {
        return { type: "octet-string", value: fromHex(hex) };
      }),
    fc.array(tie("data"), { maxLength: 4 }).map((value): Data => ({ type: "structure", value })),
    fc.array(tie("data"), { maxLength: 4 }).map((value): Data => ({ type: "array", value })),
  ),
})).data;

/** Values that are no structures; a null inside a structure keeps its place, one on its own says nothing. */
function leaves(data: Data): number {
  return data.type === "structure" || data.type === "array"
    ? data.value.reduce((sum, each) => sum + (each.type === "null-data" ? 1 : leaves(each)), 0)
    : Number(data.type !== "null-data");
}

function leavesKept(value: OtherValue): number {
  return typeof value === "object" ? value.reduce((sum, each) => sum + leavesKept(each), 0) : 1;
}

test("map-push: any body is mapped, and every leaf of its items is in a value", () => {
  const forms = new Set<string>();
  fc.assert(
    fc.property(anyBody, (data) => {
      const push = mapPush({ dateTime: undefined, body: data }, nordic);
      forms.add(push.form);
      const said = push.values.reduce((sum, { value }) => sum + leavesKept(value), 0);
      expect(said).toBe(push.items.reduce((sum, item) => sum + leaves(item.data), 0));
      const elements = data.type === "structure" || data.type === "array" ? data.value : [data];
      const inBody = elements.reduce((sum, each) => sum + leaves(each), 0);
      // In the other forms, names and scalers are leaves of the body too.
      const isWhole = push.form === "bare" || push.form === "opaque";
      expect(isWhole ? said === inBody : said <= inBody).toBe(true);
      expect(pushRows(push, 1, nordic).length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 1000 },
  );
  expect([...forms].sort()).toEqual(expect.arrayContaining(["bare", "listed", "named", "opaque"]));
});

interface FieldCase {
  readonly id: string;
  readonly layer: string;
  readonly input: { readonly hex?: string };
  readonly expect: {
    readonly outcome: string;
    readonly stated?: {
      readonly obis?: Readonly<Record<string, unknown>>;
      readonly decoded?: Readonly<Record<string, unknown>>;
    };
    readonly derived?: unknown;
  };
}

const FIELD = join(import.meta.dirname, "../../../../shared/corpus/field/push.json");
/** The captures of other projects are read in place and are not part of this repository. */
const isThere = existsSync(FIELD);
const cases: readonly FieldCase[] = isThere ? (JSON.parse(readFileSync(FIELD, "utf8")) as FieldCase[]) : [];

/** The notification inside a case, as the corpus' own decoder derived it. */
function derivedNotification(node: unknown): { dateTime: Uint8Array | undefined; body: Data } | undefined {
  if (typeof node !== "object" || node === null) return undefined;
  if ("body" in node) {
    const { body: value, dateTime } = node as { body: TypedValue; dateTime?: { hex: string } | null };
    return { dateTime: dateTime == null ? undefined : fromHex(dateTime.hex), body: dataOf(value) };
  }
  for (const each of Object.values(node)) {
    const found = derivedNotification(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface TypedValue {
  readonly t: string;
  readonly v?: unknown;
}

function dataOf({ t, v }: TypedValue): Data {
  if (t === "array" || t === "structure") return { type: t, value: (v as TypedValue[]).map(dataOf) };
  if (t === "octet-string") return { type: t, value: fromHex(v as string) };
  if (t === "visible-string") return { type: t, value: new TextEncoder().encode(v as string) };
  if (t === "null-data") return { type: t };
  if (t === "boolean") return { type: t, value: v as boolean };
  return { type: t, value: v } as Data;
}

/** Names by which another project calls the columns. */
const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  active_power_import_total: "active_import_total",
  active_power_export_total: "active_export_total",
  reactive_power_import_total: "reactive_import_total",
  reactive_power_export_total: "reactive_export_total",
};

test.skipIf(!isThere)(
  "map-push: captured pushes give the numbers that their sources state (field corpus, if there)",
  () => {
    const wrong: string[] = [];
    let compared = 0;
    for (const each of cases) {
      const notification = derivedNotification(each.expect.derived);
      // The source of this one states the numbers as sent, before their scaler.
      if (notification === undefined || each.id === "dlmsparser-kamstrup-omnipower") continue;
      const push = mapPush(notification, nordic);
      for (const [name, stated] of Object.entries(each.expect.stated?.obis ?? {})) {
        if (typeof stated !== "number") continue;
        const value = push.values.find(({ logicalName }) => logicalName === name)?.value;
        compared++;
        if (Number(value) !== stated) wrong.push(`${each.id} ${name}: ${String(value)}, stated ${stated}`);
      }
      for (const [name, stated] of Object.entries(each.expect.stated?.decoded ?? {})) {
        if (typeof stated !== "number") continue;
        const column = FOREIGN_NAMES[name] ?? name;
        const value = push.values.find((one) => one.column === column)?.value;
        compared++;
        if (Number(value) !== stated) wrong.push(`${each.id} ${name}: ${String(value)}, stated ${stated}`);
      }
    }
    // Two single-phase captures of one project are stated with values of another capture.
    expect(wrong.filter((line) => !line.startsWith("amshan-kamstrup-no-list-2-single-phase "))).toEqual([]);
    expect(compared).toBeGreaterThan(150);
  },
);

test.skipIf(!isThere)("map-push: no value of a captured push is without a name but those of opaque bodies", () => {
  const nameless: string[] = [];
  for (const each of cases) {
    const notification = derivedNotification(each.expect.derived);
    if (notification === undefined) continue;
    const push = mapPush(notification, nordic);
    const lost = push.values.filter(({ logicalName }) => logicalName === undefined).length;
    if (lost > 0) nameless.push(`${each.id}: ${lost} of ${push.values.length}`);
    const raw = push.values.filter(({ captureObject }) => captureObject.endsWith("@raw"));
    if (raw.length > 0) nameless.push(`${each.id}: raw ${raw.map(({ captureObject }) => captureObject).join(" ")}`);
  }
  expect(nameless).toEqual(["u9n-datanotif: 1 of 1"]);
});
