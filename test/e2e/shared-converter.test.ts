/** Three meters on a two-wire bus behind a converter that takes one connection: they are polled one after the other. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ByteChannel, ChannelSink } from "../../drivers/channel.ts";
import { Pump } from "../../drivers/pump.ts";
import { hostPort } from "../../drivers/tcp/address.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import { configSchema } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { WiredMeter } from "../../src/simulator/wired-meter.ts";
import { associationFiles, meterNumber, virtualMeter } from "./serial-meter.ts";

const ADDRESSES = [17, 18, 256];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-converter-"));
  await chmod(directory, 0o711);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A meter on the bus. */
class Station implements ByteChannel {
  readonly name = "station";
  readonly #say: (octets: Uint8Array) => void;
  #sink: ChannelSink | undefined;

  constructor(seed: number, physicalDevice: number, say: (octets: Uint8Array) => void) {
    this.#say = say;
    const machine = new WiredMeter({ meter: virtualMeter(seed), link: { type: "hdlc", physicalDevice } });
    const pump = new Pump(machine, this, { event: () => {}, closed: () => {} });
    pump.start();
    pump.command({ type: "open" });
  }

  start(sink: ChannelSink): void {
    this.#sink = sink;
  }

  write(octets: Uint8Array): void {
    this.#say(octets);
  }

  close(): void {
    this.#sink?.closed();
  }

  hear(octets: Uint8Array): void {
    this.#sink?.bytes(octets);
  }
}

interface Converter extends AsyncDisposable {
  readonly address: string;
  /** Connections that it did not take because it had one. */
  readonly refused: () => number;
}

async function converter(): Promise<Converter> {
  let talker: ByteChannel | undefined;
  let refused = 0;
  const stations = ADDRESSES.map((address, seed) => new Station(seed, address, (octets) => talker?.write(octets)));
  const listener = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    if (talker !== undefined) {
      refused++;
      channel.close();
      return;
    }
    talker = channel;
    channel.start({
      bytes: (octets) => {
        for (const station of stations) station.hear(octets);
      },
      closed: () => {
        talker = undefined;
      },
    });
  });
  return {
    address: hostPort(listener.address),
    refused: () => refused,
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

test("converter: all meters behind one address are read, one connection at a time", async () => {
  await using bus = await converter();
  const meters = await Promise.all(
    ADDRESSES.map(async (physicalAddress, seed) => ({
      name: `meter-${seed}`,
      number: meterNumber(seed),
      companion: "is15959",
      timeZone: "Asia/Kolkata",
      connection: { tcp: bus.address, link: "hdlc", physicalAddress, responseTimeout: "5s" },
      association: await associationFiles(seed, directory),
    })),
  );
  const plans = [{ profile: "instant", every: "15m" }];
  const socket = join(directory, "control.sock");
  const config = configSchema.parse({ stateDirectory: directory, socket, plans, meters });
  const events: GatewayEvent[] = [];
  await using gateway = await Gateway.start({ config, version: "test", events: (event) => events.push(event) });
  const [answer] = await Promise.all([gateway.read("meter-1", "clock"), gateway.pollOnce()]);
  expect(answer.rows).toHaveLength(1);
  expect(events.filter(({ event }) => event === "meterFailed")).toEqual([]);
  expect(events.flatMap((each) => (each.event === "meterPolled" ? [each.meter] : [])).toSorted()).toEqual([
    "meter-0",
    "meter-1",
    "meter-2",
  ]);
  expect(bus.refused()).toBe(0);
}, 120_000);
