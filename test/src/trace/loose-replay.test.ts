import { expect, test } from "vitest";
import { parseRecording } from "../../../drivers/recording/recording.ts";
import { fromHex, toHex } from "../../../protocol/bytes/hex.ts";
import { LooseReplayChannel } from "../../../src/trace/loose-replay.ts";

const RECORDING = parseRecording(
  [
    { recording: 1, peer: "a meter", version: "1", command: "read" },
    { t: 1, dir: "tx", hex: "0001001000010001c0" },
    { t: 2, dir: "rx", hex: "0001000100100001c4" },
    { t: 3, dir: "tx", hex: "000100100001000162" },
    { t: 4, dir: "rx", hex: "0001000100" },
    { t: 5, dir: "rx", hex: "10000163" },
    { t: 6, dir: "end", by: "peer" },
  ]
    .map((line) => JSON.stringify(line))
    .join("\n"),
);

test("loose replay: other octets get the answers in their order, however the frames come", async () => {
  const heard: string[] = [];
  const channel = new LooseReplayChannel(RECORDING);
  channel.start({ bytes: (octets) => heard.push(toHex(octets)), closed: () => heard.push("closed") });
  for (const piece of ["00010020", "00010001c1", "0001002000010001ff"]) {
    channel.write(fromHex(piece));
    await new Promise(setImmediate);
  }
  expect(heard).toEqual(["0001000100100001c4", "0001000100", "10000163", "closed"]);
});
