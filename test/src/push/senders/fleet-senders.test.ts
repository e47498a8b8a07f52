import { expect, test } from "vitest";
import type { AttributeReference, DataResult } from "../../../../protocol/apdu/descriptors.ts";
import { type CaptureObject, captureObjectsToData } from "../../../../protocol/cosem/capture-object.ts";
import { logicalNameFromOctets } from "../../../../protocol/cosem/obis.ts";
import { fixedZone } from "../../../../protocol/cosem/time-zone.ts";
import { profileLayout } from "../../../../protocol/profile/layout.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { meterSchema } from "../../../../src/config/schema.ts";
import type { FleetMeter } from "../../../../src/fleet/fleet.ts";
import type { PushIdentity } from "../../../../src/profiles/map-push.ts";
import {
  layoutFor,
  type PushLayout,
  type PushLayoutVersion,
  type PushLists,
} from "../../../../src/push/receive/push-layouts.ts";
import { FleetSenders, type KnownMeter } from "../../../../src/push/senders/fleet-senders.ts";
import { SenderLearning } from "../../../../src/push/senders/sender-learning.ts";
import { BLOCK_CIPHER_KEY, title } from "../senders.ts";

function member(key: number, changes: Partial<FleetMeter> = {}): FleetMeter {
  return {
    id: `id-${key}`,
    key,
    number: `1000${key}`,
    name: `meter-${key}`,
    type: "electricity",
    companion: "idis",
    timeZone: "Europe/Vienna",
    systemTitle: title(`VMT0000${key}`),
    ...changes,
  };
}

function known(meterKey: number, host: string, secured = false): KnownMeter {
  const { name, number, companion, connection, association } = meterSchema.parse({
    name: `meter-${meterKey}`,
    number: `1000${meterKey}`,
    companion: "is15959",
    connection: { tcp: `${host}:4059` },
    ...(secured && {
      association: { security: { clientSystemTitle: "4845530000000001", blockCipherKey: "env:NONE" } },
    }),
  });
  const secrets = {
    secret: undefined,
    blockCipherKey: secured ? BLOCK_CIPHER_KEY : undefined,
    authenticationKey: undefined,
  };
  const zone = fixedZone(330);
  return {
    meterKey,
    target: {
      name,
      number,
      companion,
      zone,
      connection,
      association,
      secrets,
      quirks: new Set(),
      ways: new Map(),
      layouts: new Map(),
      clock: undefined,
    },
  };
}

/** A fleet of a few members. */
function fleet(...members: readonly FleetMeter[]) {
  return {
    learned: [] as string[],
    aliases: () => new Map<string, number>(),
    byKey: (key: number) => members.find((each) => each.key === key),
    byOwnName: (number: string) => members.find((each) => each.number === number),
    bySystemTitle: (wanted: Uint8Array) =>
      members.filter((each) => each.systemTitle?.every((octet, at) => octet === wanted[at])),
    async learnSystemTitle(meter: FleetMeter, systemTitle: Uint8Array) {
      this.learned.push(`${meter.name} ${new TextDecoder().decode(systemTitle)}`);
      return true;
    },
  };
}

const NOTHING: PushIdentity = {
  numbers: [],
  logicalDeviceName: undefined,
  meterType: undefined,
  listId: undefined,
  pushSetup: undefined,
};

test("fleet senders: by title, with keys where the configuration has them", () => {
  const senders = new FleetSenders(fleet(member(1), member(2)), [known(1, "192.0.2.1", true)]);
  expect(senders.bySystemTitle(title("VMT00001"))).toMatchObject([
    { meterKey: 1, companion: "is15959", security: { suite: 0, blockCipherKey: BLOCK_CIPHER_KEY } },
  ]);
  expect(senders.bySystemTitle(title("VMT00002"))).toMatchObject([
    { meterKey: 2, companion: "idis", security: undefined },
  ]);
  expect(senders.bySystemTitle(title("VMT00003"))).toEqual([]);
});

test("fleet senders: by number, by the number behind the maker's letters, the device's name before other numbers", () => {
  const senders = new FleetSenders(fleet(member(1), member(2)), []);
  const find = (identity: Partial<PushIdentity>) => senders.byIdentity({ ...NOTHING, ...identity })[0]?.meterKey;
  expect(find({ numbers: ["10001"] })).toBe(1);
  expect(find({ numbers: ["elsewhere", "VMT10002"] })).toBe(2);
  expect(find({ logicalDeviceName: "VMT0000000010002", numbers: ["10001"] })).toBe(2);
  expect(find({ numbers: ["0000010001"] })).toBeUndefined();
  expect(find({})).toBeUndefined();
});

test("fleet senders: a number with the letters of another maker than those that were taken is of no meter, and points to one", () => {
  const senders = new FleetSenders(fleet(member(1)), []);
  const ours = { ...NOTHING, numbers: ["VMT10001"] };
  const theirs = { ...NOTHING, numbers: ["ELS10001"] };
  expect([senders.byIdentity(theirs), senders.namesakes(theirs)]).toMatchObject([[{ meterKey: 1 }], []]);
  expect(senders.learnMaker("VMT10001")).toMatchObject({ key: 1 });
  expect([senders.byIdentity(ours), senders.namesakes(ours)]).toMatchObject([[{ meterKey: 1 }], []]);
  expect([senders.byIdentity(theirs), senders.namesakes(theirs)]).toMatchObject([[], [{ meterKey: 1 }]]);
  expect([senders.byIdentity(ours), senders.namesakes(ours)]).toMatchObject([[{ meterKey: 1 }], []]);
});

test("fleet senders: letters that were kept of an earlier run are the meter's", () => {
  const senders = new FleetSenders({ ...fleet(member(1)), aliases: () => new Map([["VMT10001", 1]]) }, []);
  const theirs = { ...NOTHING, numbers: ["ELS10001"] };
  expect([senders.byIdentity(theirs), senders.namesakes(theirs)]).toMatchObject([[], [{ meterKey: 1 }]]);
  expect([senders.learnMaker("ELS10001"), senders.learnMaker("VMT10001")]).toMatchObject([undefined, { key: 1 }]);
});

function counters(next: number): NonNullable<KnownMeter["target"]["openCounters"]> {
  return async () => {
    return { ensure: async () => undefined, next: () => next++, raise: async () => undefined, upcoming: next };
  };
}

test("fleet senders: confirmations count with the counters that the meter has now", async () => {
  const { meterKey, target } = known(1, "192.0.2.1", true);
  target.openCounters = counters(7);
  const senders = new FleetSenders(fleet(member(1)), [{ meterKey, target }]);
  const security = senders.byMeter(1)?.security;
  expect(await security?.nextInvocationCounter?.()).toBe(7);
  target.openCounters = counters(4096);
  expect(await security?.nextInvocationCounter?.()).toBe(4096);
});

function least(rule: object, secrets: object = {}): string | undefined {
  const { meterKey, target } = known(1, "192.0.2.1", true);
  const changed = { ...target, ...rule, secrets: { ...target.secrets, ...secrets } };
  return new FleetSenders(fleet(member(1)), [{ meterKey, target: changed }]).byMeter(1)?.least;
}

test("fleet senders: a meter owes what its association has, unless its rule says otherwise", () => {
  const authenticationKey = new SecretKey("authenticationKey", new Uint8Array(16));
  expect(least({}, { authenticationKey })).toBe("authenticated-encrypted");
  expect(least({}, { authenticationKey: undefined })).toBe("encrypted");
  expect(least({}, { blockCipherKey: undefined, authenticationKey: undefined })).toBe("authenticated-encrypted");
  expect(least({ push: { least: "none", replay: "mark" } })).toBeUndefined();
  expect(least({ push: { least: "authenticated", replay: "mark" } })).toBe("authenticated");
});

test("fleet senders: by host, however the system writes it", () => {
  const senders = new FleetSenders(fleet(member(1), member(2), member(3)), [
    known(1, "192.0.2.1"),
    known(2, "192.0.2.9"),
    known(3, "192.0.2.9"),
  ]);
  const find = (host: string) => senders.byHost(host).map(({ meterKey }) => meterKey);
  expect([find("192.0.2.1"), find("::ffff:192.0.2.1"), find("192.0.2.9"), find("192.0.2.8")]).toEqual([
    [1],
    [1],
    [2, 3],
    [],
  ]);
});

test("fleet senders: an address where very many are reached is that of nobody", () => {
  const numbers = Array.from({ length: 1001 }, (_, index) => index + 1);
  const meters = numbers.map((number) => known(number, "192.0.2.1"));
  const senders = new FleetSenders(fleet(member(1), member(2)), meters);
  expect(senders.byHost("192.0.2.1")).toEqual([]);
  expect(senders.countAt("192.0.2.1")).toBe(1001);
  senders.remove(known(3, "192.0.2.1"));
  expect(senders.byHost("192.0.2.1").map(({ meterKey }) => meterKey)).toEqual([1, 2]);
});

const VOLTAGE = { classId: 3, logicalName: "1.0.12.7.0.255" };
const CLOCK = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
const SETUP = "0.0.25.9.0.255";

function version(firmware: string, lists: PushLists, changes: Partial<PushLayout> = {}): PushLayoutVersion {
  return { firmware, readAt: new Date(0), layout: { lists, scalers: [], profiles: new Map(), ...changes } };
}

test("fleet senders: scalers and profiles follow what has been read, and go before what was kept", () => {
  const meter = known(1, "192.0.2.1");
  const senders = new FleetSenders(fleet(member(1)), [meter]);
  expect(senders.byHost("192.0.2.1")).toMatchObject([{ layouts: [] }]);
  const scaler = (exponent: number) => ({ ...VOLTAGE, scalerUnit: { scaler: exponent, unit: 35 } });
  const lists = new Map([[SETUP, [CLOCK]]]);
  senders.learnLayouts(1, [version("1", new Map()), version("2", lists, { scalers: [scaler(-1)] })]);
  expect(senders.byHost("192.0.2.1")[0]?.layouts?.at(-1)?.layout.scalers).toEqual([scaler(-1)]);
  const captureObjects = [{ ...VOLTAGE, attributeId: 2, dataIndex: 0 }];
  meter.target.layouts.set("block_load", profileLayout({ captureObjects, scalers: [scaler(-2)], capturePeriodS: 900 }));
  meter.target.layoutOrigins = new Map([
    ["block_load", { from: { type: "profile", logicalName: "1.0.99.1.0.255" }, readAtMs: 0 }],
  ]);
  const [found] = senders.byHost("192.0.2.1");
  expect(found?.layouts).toMatchObject([
    { firmware: "1" },
    { firmware: "2", layout: { lists, scalers: [scaler(-2)] } },
  ]);
  expect(found?.layouts?.at(-1)?.layout.profiles.get("1.0.99.1.0.255")).toMatchObject({ capturePeriodS: 900 });
  expect(senders.byHost("192.0.2.1")[0]?.layouts).toBe(found?.layouts);
});

/** Says what its firmware is, and has one push setup. */
function online(firmware: { text: string }, list: readonly CaptureObject[]) {
  const asked: string[] = [];
  const refused = { type: "data-access-result", dataAccessResult: "object-undefined" } as const;
  return {
    asked,
    agreement: { serverSystemTitle: title("VMT00009") },
    get: async ({ attribute }: AttributeReference): Promise<DataResult> => {
      const name = `${logicalNameFromOctets(attribute.logicalName)}/${attribute.attributeId}`;
      asked.push(name);
      if (name === `${SETUP}/2`) return { type: "data", data: captureObjectsToData(list) };
      if (name !== "1.0.0.2.0.255/2") return refused;
      return { type: "data", data: { type: "visible-string", value: new TextEncoder().encode(firmware.text) } };
    },
    getList: async () => [],
  };
}

function learningOver(members: ReturnType<typeof fleet>, senders: FleetSenders) {
  const kept: (string | undefined)[] = [];
  const learned: string[] = [];
  const learn = () =>
    new SenderLearning({
      fleet: members,
      senders,
      readLayout: async (_source, _target, lists) => ({ lists, scalers: [], profiles: new Map() }),
      keep: async (_meterId, _setups, each) => void kept.push(each?.firmware),
      onLearned: (meterId) => learned.push(meterId),
    });
  return { kept, learned, learn };
}

test("sender learning: lists are asked for once for each firmware, by whatever run of the gateway", async () => {
  const members = fleet(member(1));
  const meter = known(1, "192.0.2.1");
  const senders = new FleetSenders(members, [meter]);
  const firmware = { text: "1.02" };
  const line = online(firmware, [CLOCK]);
  const { kept, learned, learn } = learningOver(members, senders);
  const first = learn();
  await first.learn(meter, line);
  const asked = line.asked.length;
  await first.learn(meter, line);
  expect([members.learned, line.asked.length, kept, learned]).toEqual([
    ["meter-1 VMT00009"],
    asked,
    ["1.02"],
    ["id-1"],
  ]);
  await learn().learn(meter, line);
  expect(line.asked.slice(asked)).toEqual(["1.0.0.2.0.255/2"]);
  firmware.text = "1.03";
  await learn().learn(meter, line);
  expect(senders.layoutsOf(1).map((each) => each.firmware)).toEqual(["1.02", "1.03"]);
  expect(kept).toEqual(["1.02", "1.03"]);
});

test("sender learning: a push that does not fit has the meter asked again, once within an hour", async () => {
  const members = fleet(member(1));
  const meter = known(1, "192.0.2.1");
  const senders = new FleetSenders(members, [meter]);
  const list = [CLOCK];
  const line = online({ text: "1.02" }, list);
  const { kept, learned, learn } = learningOver(members, senders);
  const learning = learn();
  await learning.learn(meter, line);
  list.push(CLOCK);
  senders.doubt(1, SETUP);
  senders.doubt(1, "0.77.25.9.0.255");
  await learning.learn(meter, line);
  expect(line.asked).toContain("0.77.25.9.0.255/2");
  expect(senders.layoutsOf(1).map(({ layout }) => layout.lists.get(SETUP)?.length)).toEqual([1, 2]);
  const asked = line.asked.length;
  senders.doubt(1, SETUP);
  await learning.learn(meter, line);
  expect([line.asked.length, kept.length, learned.length]).toEqual([asked, 2, 2]);
});

test("push layouts: a push is decoded with the list of its time, or the next that has as many objects", () => {
  const at = (ms: number, objects: number, firmware: string) => {
    const list = Array.from({ length: objects }, () => CLOCK);
    return { ...version(firmware, new Map([[SETUP, list]])), readAt: new Date(ms) };
  };
  const versions = [at(10, 3, "a"), at(20, 4, "b"), at(30, 3, "c")];
  const listOf = (ms: number, width: number | undefined) => layoutFor(versions, new Date(ms), width)?.lists.get(SETUP);
  expect(listOf(25, 4)).toBe(versions[1]?.layout.lists.get(SETUP));
  expect(listOf(25, 3)).toBe(versions[2]?.layout.lists.get(SETUP));
  expect(listOf(35, 4)).toBe(versions[1]?.layout.lists.get(SETUP));
  expect(listOf(5, 3)).toBe(versions[0]?.layout.lists.get(SETUP));
  expect(listOf(25, 9)).toBe(versions[1]?.layout.lists.get(SETUP));
  expect(layoutFor([], new Date(0), 1)).toBeUndefined();
});
