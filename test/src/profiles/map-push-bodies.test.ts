import fc from "fast-check";
import { expect, test } from "vitest";
import type { Data } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { UTC } from "../../../protocol/cosem/time-zone.ts";
import { compactTemplate } from "../../../protocol/profile/compact-data.ts";
import type { OtherValue } from "../../../src/profiles/batch.ts";
import { mapEvent, mapNotification, mapPush, type PushContext } from "../../../src/profiles/map-push.ts";
import { pushRows } from "../../../src/profiles/push-rows.ts";
import { bodyOfBarePush } from "../../../src/push/receive/bare-push.ts";
import { body, decoded, nordic, object, RECEIVED, values } from "./push-examples.ts";

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
