/** The secret of an association is changed in either way, and the meter takes the new one. */
import { expect, test } from "vitest";
import { type SECRET_CHANGE_WAYS, secretChangeOrder } from "../../../../protocol/association/client/secret-change.ts";
import { fromHex } from "../../../../protocol/bytes/hex.ts";
import { unwrapKey } from "../../../../protocol/security/key-wrap.ts";
import { SecretKey } from "../../../../protocol/security/secret-key.ts";
import { idisIdentity, seededSecrets } from "../../../../src/simulator/meter-identity.ts";
import { idis } from "../../../../src/simulator/models/idis.ts";
import { VirtualMeter } from "../../../../src/simulator/virtual-meter.ts";
import { ApduPair } from "../pair.ts";
import { ascii } from "../server-fixture.ts";
import { settingsOf } from "../variants.ts";

const CURRENT = fromHex("0000280000ff");
const MANAGEMENT = 1;
const fresh = new SecretKey("hlsSecret", ascii("another secret!!"));

function meter(): VirtualMeter {
  const identity = idisIdentity(16_000_007);
  return new VirtualMeter({
    description: idis({ identity, security: { mechanism: "lls" }, timeZone: "Europe/Vienna" }),
    identity,
    secrets: seededSecrets(3),
    seed: 3,
    clock: () => Date.UTC(2026, 10, 22),
    randomOctets: (length) => ascii("0123456789abcdef0123456789abcdef").subarray(0, length),
    firstInvocationCounter: 1,
  });
}

function associated(virtual: VirtualMeter, secret: SecretKey<"hlsSecret">) {
  const settings = settingsOf({ authentication: { mechanism: "lls", password: secret } });
  const pair = new ApduPair(settings, virtual.associationServer(MANAGEMENT));
  return { pair, last: pair.run({ type: "associate" }).at(-1)?.type };
}

test.each(["attribute", "method"] satisfies (typeof SECRET_CHANGE_WAYS)[number][])(
  "secret change by %s: the old secret opens no association afterwards, the new one does",
  (way) => {
    const virtual = meter();
    const old = new SecretKey("hlsSecret", virtual.security.secrets.lowLevelSecret);
    const { pair, last } = associated(virtual, old);
    expect(last).toBe("associated");
    const response = pair.ask(secretChangeOrder({ logicalName: CURRENT, way, secret: fresh }));
    expect(response).toMatchObject(way === "method" ? { outcome: { result: "success" } } : { result: "success" });
    expect(associated(virtual, old).last).toBe("failed");
    expect(associated(virtual, fresh).last).toBe("associated");
  },
);

test("secret change: wrapped under the master key it opens to the same octets", () => {
  const { masterKey } = seededSecrets(3);
  const order = secretChangeOrder({ logicalName: CURRENT, way: "method", secret: fresh, masterKey });
  const value = order.type === "action" && order.parameters?.type === "octet-string" ? order.parameters.value : [];
  expect(value).toHaveLength(24);
  expect(unwrapKey(masterKey, "hlsSecret", Uint8Array.from(value)).reveal()).toEqual(fresh.reveal());
});
