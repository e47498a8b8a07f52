/** A gateway that is killed in the middle of a storm of confirmed pushes: what was confirmed is there, once. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { encodeApdu } from "../../../protocol/apdu/apdu.ts";
import type { Data } from "../../../protocol/axdr/data.ts";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { logicalNameToOctets } from "../../../protocol/cosem/obis.ts";
import { encodeWrapper } from "../../../protocol/link/wrapper.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";

const current = useTestDatabase();
const PUSHES = 400;
const SENDERS = 8;
const KILLS = 4;
/** 2026-11-20T12:00:00Z. */
const SENT_AT = fromHex("07ea0b14050c000000000000");
const CONFIRMED = 0x4000_0000;
const CONFIRMATION_LENGTH = 14;

function named(logicalName: string, ...value: Data[]): Data {
  const name = { type: "octet-string", value: logicalNameToOctets(logicalName) } as const;
  return { type: "structure", value: [name, ...value] };
}

/** Number of the meter and an energy; the invoke id and the energy are those of the push. */
function push(id: number): Uint8Array {
  const unit: Data = {
    type: "structure",
    value: [
      { type: "integer", value: 0 },
      { type: "enum", value: 30 },
    ],
  };
  const body: Data = {
    type: "structure",
    value: [
      named("0.0.96.1.0.255", { type: "octet-string", value: Buffer.from("KILL1") }),
      named("1.0.1.8.0.255", { type: "double-long-unsigned", value: id }, unit),
    ],
  };
  const apdu = encodeApdu({
    apdu: "data-notification",
    body: { longInvokeIdAndPriority: CONFIRMED + id, dateTime: SENT_AT, body },
  });
  return encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu });
}

async function started(): Promise<{ readonly child: ChildProcess; readonly address: string }> {
  const child = fork(new URL("push-receiver.ts", import.meta.url), [current().url]);
  const [address] = await once(child, "message");
  return { child, address: String(address) };
}

/** Sends one push after the other, each again until it is confirmed, wherever the receiver is by then. */
async function sendUntilConfirmed(
  ids: readonly number[],
  receiver: () => string,
  confirmed: Set<number>,
): Promise<void> {
  for (const id of ids) {
    while (!confirmed.has(id)) if (await sendOnce(id, receiver())) confirmed.add(id);
  }
}

function sendOnce(id: number, address: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(tcpAddress(address));
  let answer = Buffer.alloc(0);
  socket.on("error", () => undefined);
  socket.once("close", () => setTimeout(() => resolve(answer.length >= CONFIRMATION_LENGTH - 1), 5));
  socket.on("data", (octets) => {
    answer = Buffer.concat([answer, octets]);
    socket.end();
  });
  socket.write(push(id));
  return promise;
}

test("kill -9 in a storm of confirmed pushes: each that was confirmed is in the database, and once", async () => {
  let receiver = await started();
  const confirmed = new Set<number>();
  const ids = Array.from({ length: PUSHES }, (_, index) => index + 1);
  const sending = Promise.all(
    Array.from({ length: SENDERS }, (_, sender) =>
      sendUntilConfirmed(
        ids.filter((id) => id % SENDERS === sender),
        () => receiver.address,
        confirmed,
      ),
    ),
  );
  for (let kill = 1; kill <= KILLS; kill++) {
    while (confirmed.size < (kill * PUSHES) / (KILLS + 1)) await new Promise((resolve) => setTimeout(resolve, 1));
    receiver.child.kill("SIGKILL");
    await once(receiver.child, "exit");
    receiver = await started();
  }
  await sending;
  receiver.child.kill("SIGKILL");
  const rows = await query(
    current().url,
    `select v.value::int, count(*)::int from dlms.push_history h join dlms.push_values v using (push_key)
     where v.capture_object = '3:1.0.1.8.0.255:2' group by 1 order by 1`,
  );
  expect(rows).toEqual(ids.map((id) => [id, 1]));
}, 120_000);
