import { expect, test } from "vitest";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../../protocol/link/hdlc/client.ts";
import { withLlc } from "../../../protocol/link/hdlc/llc.ts";
import { Played, RESPONSE, UA } from "./played-client.ts";

test("hdlc client: SNRM, UA and the first frames have the octets of the reference", () => {
  const client = new HdlcClient({
    clientSap: 16,
    server: hdlcAddress(1),
    parameters: { maxInfoTransmit: 128, maxInfoReceive: 128 },
  });
  client.command({ type: "open" }, 0);
  expect(toHex(client.takeBytes() ?? RESPONSE)).toBe(
    "7ea01e0321 93cd3b818012050180060180070400000001080400000001533b7e".replace(" ", ""),
  );
  client.receive(fromHex(UA), 0);
  const aarq = fromHex("601da109060760857405080101be10040e01000000065f1f0400007e1f04b0");
  client.command({ type: "send", apdu: aarq }, 0);
  expect(toHex(client.takeBytes() ?? RESPONSE)).toBe(
    "7ea02b032110fbafe6e600601da109060760857405080101be10040e01000000065f1f0400007e1f04b0caea7e",
  );
});

test("hdlc client: parameters of two octets are understood, and UA without any means the defaults", () => {
  const proposal = { maxInfoTransmit: 2030, maxInfoReceive: 2030, windowTransmit: 7, windowReceive: 7 };
  const bare = new Played({ parameters: proposal }).open("7ea00721037301407e");
  expect(bare.client.parameters).toEqual({
    maxInfoTransmit: 128,
    maxInfoReceive: 128,
    windowTransmit: 1,
    windowReceive: 1,
  });
  const two = new Played({ parameters: proposal }).open(
    "7ea02021037373988180140502020006020200070400000001080400000007598a7e",
  );
  expect(two.client.parameters).toEqual({
    maxInfoTransmit: 512,
    maxInfoReceive: 512,
    windowTransmit: 7,
    windowReceive: 1,
  });
});

test("hdlc client: requests count 10, 32, 54 … and answers are handed on without LLC", () => {
  const played = new Played().open();
  expect(played.send("c001")).toEqual(["10 e6e600c001"]);
  played.answers(0x30, withLlc(RESPONSE, fromHex("c401")));
  expect(played.events()).toEqual([{ type: "apdu", apdu: fromHex("c401"), sourceSap: 1, destinationSap: 16 }]);
  expect(played.send("c002")).toEqual(["32 e6e600c002"]);
  // An Indian meter sends the header twice.
  played.answers(0x52, withLlc(RESPONSE, withLlc(RESPONSE, fromHex("c402"))));
  expect(played.apdus()).toEqual(["c402"]);
  expect(played.send("c003")).toEqual(["54 e6e600c003"]);
});

test("hdlc client: segments are acknowledged with RR and joined", () => {
  const played = new Played().open();
  played.send("c001");
  expect(played.answers(0x30, fromHex("e6e700c401"), true)).toEqual(["31"]);
  expect(played.answers(0x32, fromHex("0203"), true)).toEqual(["51"]);
  expect(played.answers(0x34, fromHex("0405"))).toEqual([]);
  expect(played.apdus()).toEqual(["c40102030405"]);
});

test("hdlc client: a long request goes out in segments, each after the RR of the one before", () => {
  const played = new Played({ parameters: { maxInfoTransmit: 32 } }).open();
  const apdu = "c1".repeat(60);
  expect(played.send(apdu)).toEqual([`10 + e6e600${"c1".repeat(29)}`]);
  expect(played.answers(0x31)).toEqual([`12 ${"c1".repeat(31)}`]);
});
