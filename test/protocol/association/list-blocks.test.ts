/** Lists of attributes and methods by logical names, whole and in blocks, both ways, with and without ciphering. */
import { expect, test } from "vitest";
import type { MethodDescriptor } from "../../../protocol/apdu/descriptors.ts";
import type { ServiceOrder } from "../../../protocol/association/client/client-events.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { ApduPair } from "./pair.ts";
import { CLOCK, FixtureObjects } from "./server-fixture.ts";
import { LONG, octets, serve, settingsOf, VARIANTS } from "./variants.ts";

const clock = { attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 } };
const long = { attribute: { classId: 1, logicalName: LONG, attributeId: 2 } };
const missing = { attribute: { classId: 1, logicalName: CLOCK, attributeId: 9 } };
const method: MethodDescriptor = { classId: 70, logicalName: LONG, methodId: 1 };
const NOTHING: Data = { type: "null-data" };
const SETTINGS = VARIANTS.filter(({ name }) => ["none", "hls-gmac, ciphered, dedicated key"].includes(name));

function associated(name: string) {
  const variant = SETTINGS.find((each) => each.name === name);
  if (variant === undefined) throw new Error("no such variant");
  const { server, objects } = serve(variant.rule());
  const pair = new ApduPair(settingsOf(variant.settings()), server);
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "associated" });
  pair.requests.length = 0;
  return { pair, objects };
}

/** Service and choice of the requests in clear, each change once. */
function choices(pair: ApduPair): string[] {
  const all = pair.requests.map(([tag = 0, choice = 0]) => `${tag.toString(16)} ${choice}`);
  return all.filter((each, index) => each !== all[index - 1]);
}

test.each(SETTINGS)("lists, $name: reads, writes and methods, short and long", ({ name }) => {
  const { pair, objects } = associated(name);
  const values = [octets(12), octets(2500), octets(1)];
  expect(pair.ask({ type: "getList", attributes: [clock, long, missing] })).toMatchObject({
    type: "getList",
    results: [{ type: "data" }, { type: "data", data: octets(3000) }, { dataAccessResult: "object-undefined" }],
  });
  expect(pair.ask({ type: "setList", attributes: [clock, long, missing], values })).toEqual({
    type: "setList",
    results: ["success", "success", "object-undefined"],
  });
  expect(objects.values.get(FixtureObjects.key(1, LONG, 2))).toEqual(octets(2500));
  const parameters = [octets(900), NOTHING, octets(700)];
  const methods = [method, method, method];
  expect(pair.ask({ type: "actionList", methods, parameters })).toMatchObject({
    type: "actionList",
    outcomes: [
      { result: "success", returnParameters: { data: octets(900) } },
      { result: "success" },
      { result: "success", returnParameters: { data: octets(700) } },
    ],
  });
  expect(pair.ask({ type: "getList", attributes: [clock, clock] })).toMatchObject({ results: [{}, {}] });
});

test("lists: long ones go as first block with list, blocks, and next blocks", () => {
  const { pair } = associated("none");
  const seen = (order: ServiceOrder) => {
    pair.requests.length = 0;
    pair.ask(order);
    return choices(pair);
  };
  expect(seen({ type: "getList", attributes: [clock, long] })).toEqual(["c0 3", "c0 2"]);
  expect(seen({ type: "setList", attributes: [clock, long], values: [octets(12), octets(2500)] })).toEqual([
    "c1 5",
    "c1 3",
  ]);
  expect(seen({ type: "setList", attributes: [clock, clock], values: [octets(12), octets(12)] })).toEqual(["c1 4"]);
  expect(seen({ type: "set", attribute: long.attribute, value: octets(2500) })).toEqual(["c1 2", "c1 3"]);
  const parameters = [octets(900), octets(900)];
  expect(seen({ type: "actionList", methods: [method, method], parameters })).toEqual(["c3 5", "c3 6", "c3 2"]);
  expect(seen({ type: "action", method, parameters: octets(1500) })).toEqual(["c3 4", "c3 6", "c3 2"]);
  expect(seen({ type: "actionList", methods: [method, method], parameters: [NOTHING, NOTHING] })).toEqual(["c3 3"]);
});
