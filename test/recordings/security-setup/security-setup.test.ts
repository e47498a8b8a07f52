/** The Security setup of Gurux.DLMS.Net, recorded; worked again without the peer, octet for octet. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRecording } from "../../../drivers/recording/recording.ts";
import { ReplayChannel } from "../../../drivers/recording/replay.ts";
import { workSetup } from "./session.ts";

function text(file: string): string {
  return readFileSync(join(import.meta.dirname, file), "utf8");
}

test.each([
  [0, 25],
  [1, 26],
  [2, 27],
] as const)(
  "recording of a security setup, suite %i: keys are taken under the right master key only",
  async (suite, clientSap) => {
    const channel = new ReplayChannel(parseRecording(text(`gurux-net-suite${suite}.jsonl`)));
    const reading = await workSetup(suite, clientSap, async () => channel);
    expect(reading).toEqual(JSON.parse(text(`gurux-net-suite${suite}.expected.json`)));
    expect(reading).toMatchObject({ wrongMasterKey: "object-class-inconsistent", rightMasterKey: "success" });
    expect(reading.exported).toHaveLength(suite === 0 ? 0 : 4);
    expect(channel.complete).toBe(true);
  },
);
