import { expect, test } from "vitest";
import { UdpReceiver } from "../../../drivers/udp/receiver.ts";
import { toHex } from "../../../protocol/bytes/hex.ts";

test("udp receiver: an answer to a peer without a port is told as a failure, and the next one goes out", async () => {
  const errors: string[] = [];
  const heard: string[] = [];
  await using peer = await UdpReceiver.bind({ host: "127.0.0.1", port: 0 }, (octets) => heard.push(toHex(octets)));
  const onError = (error: Error) => errors.push(error.message);
  await using receiver = await UdpReceiver.bind({ host: "127.0.0.1", port: 0 }, () => undefined, { onError });
  receiver.send(Uint8Array.of(1), { host: "127.0.0.1", port: 0 });
  receiver.send(Uint8Array.of(2), peer.address);
  await expect.poll(() => heard).toEqual(["02"]);
  expect(errors).toEqual([expect.stringContaining("port=0")]);
});
