import { expect, test } from "vitest";
import { decodeApdu } from "../../protocol/apdu/apdu.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { ApduProtection } from "../../protocol/security/apdu-protection.ts";
import { systemTitle } from "../../protocol/security/system-title.ts";
import { PUSHES } from "../../src/simulator/models/is15959.ts";
import { pushApdu, setEventStatus } from "../../src/simulator/push-message.ts";
import { BenchMeter, DESCRIPTIONS, stampOf } from "./meter-fixture.ts";

function bodyOf(octets: Uint8Array): readonly Data[] {
  const apdu = decodeApdu(octets);
  if (apdu.apdu !== "data-notification" || apdu.body.body.type !== "structure") throw new Error("no push");
  return apdu.body.body.value;
}

test("push: begins with device and push setup, then has the columns of its list", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  const body = bodyOf(pushApdu(bench.meter, { setup: PUSHES.instant }));
  expect(body).toHaveLength(2 + bench.columns("1.0.94.91.0.255").length);
  expect(body[1]).toEqual({ type: "octet-string", value: fromHex("0000190900ff") });
  expect(body.slice(2)).toEqual(bench.rows("1.0.94.91.0.255")[0]);
});

test("push: load survey and daily values are those of the last row of their profile", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d2);
  expect(bodyOf(pushApdu(bench.meter, { setup: PUSHES.block })).slice(2)).toEqual(bench.rows("1.0.99.1.0.255").at(-1));
  expect(bodyOf(pushApdu(bench.meter, { setup: PUSHES.daily })).slice(2)).toEqual(bench.rows("1.0.99.2.0.255").at(-1));
});

test("push: an alert carries the event status word, first bit first", () => {
  const bench = new BenchMeter(DESCRIPTIONS.d1);
  setEventStatus(bench.meter, { 3: true, 84: true });
  const [, , clock, word] = bodyOf(pushApdu(bench.meter, { setup: PUSHES.alert, dated: true }));
  expect(toHex(stampOf(clock))).toBe("07ea070f030a2f0cfffeb600");
  if (word?.type !== "bit-string") throw new Error("no event status word");
  expect([word.bitCount, toHex(word.value)]).toEqual([128, `10${"00".repeat(9)}08${"00".repeat(5)}`]);
  setEventStatus(bench.meter, { 3: false });
  const again = bodyOf(pushApdu(bench.meter, { setup: PUSHES.alert }))[3];
  expect(again).toMatchObject({ value: fromHex(`${"00".repeat(10)}08${"00".repeat(5)}`) });
});

test.each(["encrypted", "authenticated-encrypted"] as const)(
  "push: is opened with the meter's keys (%s)",
  (protection) => {
    const bench = new BenchMeter(DESCRIPTIONS.d1);
    const { blockCipherKey, authenticationKey } = bench.meter.security.secrets;
    const receiver = new ApduProtection({
      suite: 0,
      ownSystemTitle: systemTitle(fromHex("4845530000000001")),
      keys: { blockCipherKey, authenticationKey },
      nextInvocationCounter: () => 1,
    });
    const plain = pushApdu(bench.meter, { setup: PUSHES.daily });
    for (const counter of [1, 2]) {
      const opened = receiver.unprotect(pushApdu(bench.meter, { setup: PUSHES.daily, protection }));
      expect(toHex(opened.apdu)).toBe(toHex(plain));
      expect(opened).toMatchObject({
        form: "general",
        invocationCounter: counter,
        systemTitle: bench.meter.security.systemTitle,
      });
    }
  },
);

test("push: a meter without the setup says so", () => {
  const bench = new BenchMeter(DESCRIPTIONS.dsmr);
  expect(() => pushApdu(bench.meter, { setup: PUSHES.instant })).toThrow(/no push setup/);
});
