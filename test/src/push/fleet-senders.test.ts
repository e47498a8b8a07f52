import { expect, test } from "vitest";
import { fixedZone } from "../../../protocol/cosem/time-zone.ts";
import { profileLayout } from "../../../protocol/profile/layout.ts";
import { meterSchema } from "../../../src/config/schema.ts";
import type { FleetMeter } from "../../../src/fleet/fleet.ts";
import type { PushIdentity } from "../../../src/profiles/map-push.ts";
import { FleetSenders, type KnownMeter } from "../../../src/push/fleet-senders.ts";
import { SenderLearning } from "../../../src/push/sender-learning.ts";
import { BLOCK_CIPHER_KEY, title } from "./senders.ts";

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
    byKey: (key: number) => members.find((each) => each.key === key),
    byOwnName: (number: string) => members.find((each) => each.number === number),
    bySystemTitle: (wanted: Uint8Array) =>
      members.filter((each) => each.systemTitle?.every((octet, at) => octet === wanted[at])),
    async learnSystemTitle(meter: FleetMeter, systemTitle: Uint8Array) {
      this.learned.push(`${meter.name} ${new TextDecoder().decode(systemTitle)}`);
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

test("fleet senders: scalers follow what has been read of the meter's profiles", () => {
  const meter = known(1, "192.0.2.1");
  const senders = new FleetSenders(fleet(member(1)), [meter]);
  expect(senders.byHost("192.0.2.1")).toMatchObject([{ scalers: [] }]);
  const voltage = { classId: 3, logicalName: "1.0.12.7.0.255" };
  const scaler = { ...voltage, scalerUnit: { scaler: -2, unit: 35 } };
  const captureObjects = [{ ...voltage, attributeId: 2, dataIndex: 0 }];
  meter.target.layouts.set("instant", profileLayout({ captureObjects, scalers: [scaler] }));
  expect(senders.byHost("192.0.2.1")).toMatchObject([{ scalers: [scaler] }]);
});

test("sender learning: title and lists are asked for once, and kept when they are new", async () => {
  const members = fleet(member(1));
  const meter = known(1, "192.0.2.1");
  const senders = new FleetSenders(members, [meter]);
  const kept: string[] = [];
  const keep = async (meterId: string) => void kept.push(meterId);
  let asked = 0;
  const refused = { type: "data-access-result", dataAccessResult: "object-undefined" } as const;
  const online = {
    agreement: { serverSystemTitle: title("VMT00009") },
    get: async () => {
      asked += 1;
      return refused;
    },
    getList: async () => [],
  };
  const learning = new SenderLearning({ fleet: members, senders, keep });
  await learning.learn(meter, online);
  const first = asked;
  await learning.learn(meter, online);
  expect([members.learned, asked, kept]).toEqual([["meter-1 VMT00009"], first, []]);
  const clock = { classId: 8, logicalName: "0.0.1.0.0.255", attributeId: 2, dataIndex: 0 };
  senders.learnPushLists(1, new Map([["0.0.25.9.0.255", [clock]]]));
  await new SenderLearning({ fleet: members, senders, keep }).learn(meter, online);
  expect(kept).toEqual(["id-1"]);
  expect(senders.byHost("192.0.2.1")).toMatchObject([{ pushLists: new Map() }]);
});
