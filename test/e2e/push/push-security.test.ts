/** What becomes of pushes whose protection is not as one would want it: marked, refused, never lost. */
import { expect, test } from "vitest";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { ApduProtection } from "../../../protocol/security/apdu-protection.ts";
import { SecretKey } from "../../../protocol/security/secret-key.ts";
import type { Protection } from "../../../protocol/security/security-control.ts";
import { systemTitle } from "../../../protocol/security/system-title.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { type StationMeter, sendTcp, startPushStation } from "./push-station.ts";

const current = useTestDatabase();
const BLOCK_CIPHER_KEY = "000102030405060708090A0B0C0D0E0F";
const AUTHENTICATION_KEY = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";
let meters = 0;

/** A meter of its own for each test, and its pushes: the value that they carry, how they are protected, and the counter. */
function meterWith(known: Partial<StationMeter>) {
  meters += 1;
  const title = `4D4D4D000000000${meters}`;
  const meter: StationMeter = {
    number: `SEC${meters}`,
    systemTitle: title,
    blockCipherKey: BLOCK_CIPHER_KEY,
    ...known,
  };
  const push = (value: number, control: Exclude<Protection, "none">, invocationCounter: number): Uint8Array => {
    const protection = new ApduProtection({
      suite: 0,
      ownSystemTitle: systemTitle(Buffer.from(title, "hex")),
      keys: {
        blockCipherKey: new SecretKey("blockCipherKey", Buffer.from(BLOCK_CIPHER_KEY, "hex")),
        authenticationKey: new SecretKey("authenticationKey", Buffer.from(AUTHENTICATION_KEY, "hex")),
      },
      nextInvocationCounter: () => invocationCounter,
    });
    const body = { type: "structure", value: [{ type: "double-long-unsigned", value }] } as const;
    const plain = encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: value, body } });
    const apdu = protection.protect(plain, { control, form: "general", keySet: "global" });
    return encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu });
  };
  return { meter, push };
}

async function outcomes(meter: StationMeter, pushes: readonly Uint8Array[]): Promise<unknown[][]> {
  await using station = await startPushStation({ database: current().database, meters: [meter] });
  await sendTcp(station.tcp, pushes);
  await station.settled();
  return query(
    current().url,
    `select h.outcome, split_part(h.reason, ':', 1), h.verified, h.marks, array_agg(v.value)
     from dlms.push_history h join public.meters m on m.id = h.meter_id left join dlms.push_values v using (push_key)
     where m.meter_number = $1 group by h.push_key, h.outcome, h.reason, h.verified, h.marks order by h.push_key`,
    [meter.number],
  );
}

test("push security: without the authentication key the values are taken, and the row is marked", async () => {
  const { meter, push } = meterWith({});
  expect(await outcomes(meter, [push(7, "authenticated-encrypted", 1)])).toEqual([
    ["stored", null, false, ["unchecked-tag"], ["7"]],
  ]);
});

test("push security: encrypted without a tag, as some Indian meters send, is read and marked", async () => {
  const { meter, push } = meterWith({
    authenticationKey: AUTHENTICATION_KEY,
    known: { push: { least: "encrypted", replay: "mark" } },
  });
  expect(await outcomes(meter, [push(7, "encrypted", 0), push(8, "authenticated-encrypted", 1)])).toEqual([
    ["stored", null, false, ["no-tag"], ["7"]],
    ["stored", null, true, [], ["8"]],
  ]);
});

test("push security: a meter's floor refuses what is weaker, and keeps its octets", async () => {
  const { meter, push } = meterWith({
    authenticationKey: AUTHENTICATION_KEY,
    known: { push: { least: "authenticated-encrypted", replay: "mark" } },
  });
  const pushes = [push(7, "encrypted", 1), push(8, "authenticated", 2), push(9, "authenticated-encrypted", 3)];
  const refused = ["rejected", "SECURITY_WEAKER_THAN_REQUIRED", null, [], [null]];
  expect(await outcomes(meter, pushes)).toEqual([refused, refused, ["stored", null, true, [], ["9"]]]);
});

test("push security: a floor that asks for a tag takes no unchecked one for it", async () => {
  const { meter, push } = meterWith({ known: { push: { least: "authenticated", replay: "mark" } } });
  const [[outcome, reason] = []] = await outcomes(meter, [push(7, "authenticated-encrypted", 1)]);
  expect([outcome, reason]).toEqual(["rejected", "SECURITY_KEY_MISSING"]);
});

test("push security: a counter that came before is marked, or refused where the meter's rule says so", async () => {
  const lenient = meterWith({ authenticationKey: AUTHENTICATION_KEY });
  const strict = meterWith({
    authenticationKey: AUTHENTICATION_KEY,
    known: { push: { least: "none", replay: "refuse" } },
  });
  const twice = ({ push }: typeof strict) => [
    push(7, "authenticated-encrypted", 5),
    push(8, "authenticated-encrypted", 5),
  ];
  expect(await outcomes(lenient.meter, twice(lenient))).toEqual([
    ["stored", null, true, [], ["7"]],
    ["stored", null, true, ["counter-replayed"], ["8"]],
  ]);
  expect(await outcomes(strict.meter, twice(strict))).toEqual([
    ["stored", null, true, [], ["7"]],
    ["rejected", "SECURITY_COUNTER_REPLAYED", null, [], [null]],
  ]);
});
