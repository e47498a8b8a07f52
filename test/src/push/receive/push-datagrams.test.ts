import { expect, test } from "vitest";
import { encodeWrapper } from "../../../../protocol/link/wrapper.ts";
import { PushDatagrams } from "../../../../src/push/receive/push-datagrams.ts";
import type { PushIntake } from "../../../../src/push/receive/push-intake.ts";
import type { PushOutcome } from "../../../../src/push/receive/push-reader.ts";

const APDU = Uint8Array.of(0x0f, 0, 0, 0, 1, 0, 0x09, 1, 0x2a);

/** An intake that stumbles over whatever comes from one host. */
function intakeStumblingAt(wrong: string) {
  const kept: PushOutcome[] = [];
  const intake: Pick<PushIntake, "openersAt" | "keep"> = {
    openersAt: (host) => {
      if (host === wrong) throw new TypeError("stumbled");
      return { candidates: () => [] };
    },
    keep: async (outcome) => {
      kept.push(outcome);
      return undefined;
    },
  };
  return { kept, intake: intake as PushIntake };
}

test("push datagrams: one that we stumble over is told, and those behind it are read", async () => {
  const { kept, intake } = intakeStumblingAt("192.0.2.66");
  const faults: unknown[] = [];
  const datagrams = new PushDatagrams({
    intake,
    send: () => undefined,
    onDropped: () => undefined,
    onFault: ({ host }, error) => faults.push([host, String(error)]),
  });
  const octets = encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu: APDU });
  datagrams.receive(octets, { host: "192.0.2.66", port: 1 });
  datagrams.receive(octets, { host: "192.0.2.1", port: 1 });
  await expect.poll(() => kept.length).toBe(1);
  expect(faults).toEqual([["192.0.2.66", "TypeError: stumbled"]]);
  expect([kept[0]?.type, datagrams.queued]).toEqual(["notification", 0]);
  datagrams.end();
});

test("push datagrams: an answer that can't be sent is told, and harms nothing else", async () => {
  const faults: unknown[] = [];
  const intake = { openersAt: () => ({ candidates: () => [] }), keep: async () => APDU } as unknown as PushIntake;
  const datagrams = new PushDatagrams({
    intake,
    send: () => {
      throw new RangeError("no such port");
    },
    onDropped: () => undefined,
    onFault: ({ host }, error) => faults.push([host, String(error)]),
  });
  const octets = encodeWrapper({ sourceWPort: 1, destinationWPort: 64, apdu: APDU });
  datagrams.receive(octets, { host: "192.0.2.1", port: 1 });
  await expect.poll(() => faults).toEqual([["192.0.2.1", "RangeError: no such port"]]);
  datagrams.end();
});
