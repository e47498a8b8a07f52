/** A push that wants to be confirmed is, over each link on which its sender can be answered, and when it is durable. */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { decodeApdu, encodeApdu } from "../../../protocol/apdu/apdu.ts";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../../protocol/link/hdlc/address.ts";
import { decodeHdlcFrame, encodeHdlcFrame } from "../../../protocol/link/hdlc/frame.ts";
import { LLC_COMMAND, LLC_RESPONSE, stripLlc, withLlc } from "../../../protocol/link/hdlc/llc.ts";
import { unnumberedFrames } from "../../../protocol/link/hdlc/unnumbered.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import { sendUdp, startPushStation } from "./push-station.ts";

const current = useTestDatabase();
const CONFIRMED = 0x4000_0000;
const METER = hdlcAddress(1, 0x1234, 4);
const CLIENT = hdlcAddress(0x67);
/** The push goes in two frames. */
const INFO_LENGTH = 16;

function pushFrames(id: number): Uint8Array {
  const body = { type: "structure", value: [{ type: "double-long-unsigned", value: id }] } as const;
  const apdu = encodeApdu({ apdu: "data-notification", body: { longInvokeIdAndPriority: CONFIRMED + id, body } });
  const route = { destination: CLIENT, source: METER };
  return Buffer.concat(unnumberedFrames(route, withLlc(LLC_RESPONSE, apdu), INFO_LENGTH).map(encodeHdlcFrame));
}

function expectConfirmation(answer: Uint8Array, id: number): void {
  const frame = decodeHdlcFrame(answer)?.frame;
  if (frame === undefined) throw new Error("no frame came back");
  expect(frame).toMatchObject({ source: CLIENT, destination: METER, control: { type: "UI", pollFinal: true } });
  expect(toHex(frame.information.subarray(0, LLC_COMMAND.length))).toBe(toHex(LLC_COMMAND));
  expect(decodeApdu(stripLlc(frame.information))).toMatchObject({
    apdu: "data-notification-confirm",
    body: { longInvokeIdAndPriority: CONFIRMED + id },
  });
}

function heldWith(value: number): Promise<unknown[][]> {
  return query(current().url, "select count(*)::int from dlms.push_values where value = $1", [String(value)]);
}

/** Sends on a connection that stays open, as meters do, and returns what comes back, with what is held by then. */
function sendAndWait(to: string, octets: Uint8Array, value: number) {
  const { promise, resolve } = Promise.withResolvers<{ answer: Uint8Array; held: Promise<unknown[][]> }>();
  const socket = connect(tcpAddress(to));
  socket.on("data", (answer) => {
    resolve({ answer, held: heldWith(value) });
    socket.end();
  });
  socket.write(octets);
  return promise;
}

test("push confirmation: over HDLC in TCP, in UI frames to the station that sent, when the push is in the database", async () => {
  await using station = await startPushStation({ database: current().database, meters: [] });
  const { answer, held } = await sendAndWait(station.tcp, pushFrames(0x51), 0x51);
  expect(await held).toEqual([[1]]);
  expectConfirmation(answer, 0x51);
});

test("push confirmation: over HDLC in datagrams as well", async () => {
  await using station = await startPushStation({ database: current().database, meters: [] });
  const { answer } = await sendUdp(station.udp, [pushFrames(0x52)], 5000);
  expect(await heldWith(0x52)).toEqual([[1]]);
  expectConfirmation(answer, 0x52);
});
