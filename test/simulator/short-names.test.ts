/** Meters with short names: every model can be one, and shows the same as by logical names. */
import { expect, test } from "vitest";
import type { ServiceOrder, ServiceResponse } from "../../protocol/association/client/client-events.ts";
import type { ClientSettings } from "../../protocol/association/client/client-settings.ts";
import { inShortNames } from "../../protocol/association/client/short-name-orders.ts";
import { logicalNameToOctets } from "../../protocol/cosem/obis.ts";
import { ShortNames } from "../../protocol/cosem/short-names.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { dumpMeter, meterFromDump } from "../../src/simulator/object-dump.ts";
import { withShortNames } from "../../src/simulator/objects/short-name-plan.ts";
import { ApduPair } from "../protocol/association/pair.ts";
import { ascii, CLIENT_TITLE } from "../protocol/association/server-fixture.ts";
import { BenchMeter, DESCRIPTIONS, entryAccess, MODELS } from "./meter-fixture.ts";

const CHALLENGE = ascii("K56iVagYK56iVagY");
const OBJECT_LIST = 0xfa08;
const ACCESS_RIGHTS = 0xfa10;

/** The client with the most rights, as its association wants it. */
function settingsFor({ meter, manager }: BenchMeter): ClientSettings {
  const { mechanism, security } = manager.rule;
  const secret = new SecretKey("hlsSecret", meter.security.secrets.highLevelSecret);
  const { blockCipherKey, authenticationKey } = meter.security.secrets;
  let next = meter.security.clientCounter(manager.rule.name) + 1;
  const protection = new ApduProtection({
    suite: 0,
    ownSystemTitle: CLIENT_TITLE,
    peerSystemTitle: meter.security.systemTitle,
    keys: { blockCipherKey, authenticationKey },
    nextInvocationCounter: () => next++,
  });
  return {
    referencing: "short-name",
    authentication: mechanism === "hls-gmac" ? { mechanism } : { mechanism: "hls", secret },
    challenge: () => CHALLENGE,
    maxReceivePduSize: 512,
    ...(security && { protection, ciphering: { request: "authenticated-encrypted" } }),
  };
}

interface Associated {
  readonly pair: ApduPair;
  readonly names: ShortNames;
  readonly ask: (order: ServiceOrder) => ServiceResponse;
}

function associated(bench: BenchMeter): Associated {
  const pair = new ApduPair(settingsFor(bench), bench.meter.associationServer(bench.manager.clientSap));
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({ type: "associated" });
  const names = ShortNames.fromObjectList(read(pair, OBJECT_LIST));
  const ask = (order: ServiceOrder) => {
    const { orders, responseOf } = inShortNames(order, names);
    return responseOf(orders.map((each) => pair.ask(each)));
  };
  return { pair, names, ask };
}

function read(pair: ApduPair, variableName: number) {
  const response = pair.ask({ type: "read", variables: [{ variableName }] });
  const result = response.type === "read" ? response.results[0] : undefined;
  if (result?.type !== "data") throw new Error(`${variableName} is not to be read`);
  return result.data;
}

test.each(MODELS)("short names: %s shows every attribute as by logical names", (model) => {
  const bench = new BenchMeter(withShortNames(DESCRIPTIONS[model]));
  const { names, ask } = associated(bench);
  let compared = 0;
  for (const { classId, logicalName, attributeIds } of bench.meter.objects.list()) {
    for (const attributeId of attributeIds) {
      const attribute = { classId, logicalName: logicalNameToOctets(logicalName), attributeId };
      const access = classId === 7 && attributeId === 2 ? entryAccess(1, 3) : undefined;
      const reference = { attribute, ...(access && { access }) };
      const result = bench.meter.objects.get(reference, bench.manager);
      expect(ask({ type: "get", ...reference })).toEqual({ type: "get", result });
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(90);
  expect(names.objects.length).toBeGreaterThan(30);
});

test("short names: the access rights list has each visible object by its base name", () => {
  const bench = new BenchMeter(withShortNames(DESCRIPTIONS.idis));
  const { pair, names } = associated(bench);
  const rights = read(pair, ACCESS_RIGHTS);
  if (rights.type !== "array") throw new Error("no list");
  expect(rights.value).toHaveLength(names.objects.length);
  expect(rights.value.at(-1)).toMatchObject({
    type: "structure",
    value: [
      { type: "long", value: 0xfa00 - 0x1_0000 },
      { type: "array", value: [{ type: "structure" }, { type: "structure" }, { type: "structure" }] },
      { type: "array", value: [{ type: "structure" }, { type: "structure" }] },
    ],
  });
});

test("short names: the clock is set, the load is switched, and the secret is changed", () => {
  const bench = new BenchMeter(withShortNames(DESCRIPTIONS.d1));
  const { ask } = associated(bench);
  const shift = { classId: 8, logicalName: logicalNameToOctets("0.0.1.0.0.255"), methodId: 6 };
  expect(ask({ type: "action", method: shift, parameters: { type: "long", value: -60 } })).toEqual({
    type: "action",
    outcome: { result: "success" },
  });
  expect(bench.meter.model.state.clockOffsetMs).toBe(-60_000);
  expect(ask({ type: "action", method: shift, parameters: { type: "long", value: 9999 } })).toEqual({
    type: "action",
    outcome: { result: "scope-of-access-violated" },
  });
  const association = { classId: 12, logicalName: logicalNameToOctets("0.0.40.0.0.255"), methodId: 5 };
  const secret = ascii("another secret 1");
  expect(ask({ type: "action", method: association, parameters: { type: "octet-string", value: secret } })).toEqual({
    type: "action",
    outcome: { result: "success" },
  });
  expect(bench.meter.security.secrets.highLevelSecret).toEqual(secret);
});

test("short names: such a meter refuses a client with logical names", () => {
  const bench = new BenchMeter(withShortNames(DESCRIPTIONS.d1));
  const { referencing: _, ...settings } = settingsFor(bench);
  const pair = new ApduPair(settings, bench.meter.associationServer(bench.manager.clientSap));
  expect(pair.run({ type: "associate" }).at(-1)).toMatchObject({
    failure: { evidence: { diagnostic: { diagnostic: "application-context-name-not-supported" } } },
  });
});

test("short names: a dump keeps base names", () => {
  const bench = new BenchMeter(withShortNames(DESCRIPTIONS.dsmr));
  const dump: unknown = JSON.parse(JSON.stringify(dumpMeter(bench.meter)));
  const { shortNames } = meterFromDump(dump).description;
  const described = bench.meter.objects.list().map(({ logicalName }) => logicalName);
  expect(Object.keys(shortNames ?? {}).sort()).toEqual(described.sort());
  for (const logicalName of described)
    expect(shortNames?.[logicalName]).toBe(bench.meter.description.shortNames?.[logicalName]);
});
