import { expect, test } from "vitest";
import type { ByteChannel, ChannelSink } from "../../../../drivers/channel.ts";
import type { TcpConnectOptions } from "../../../../drivers/tcp/connect.ts";
import { visitMeter } from "../../../../src/collect/session/meter-session.ts";
import { meterTarget } from "../../../../src/collect/session/meter-target.ts";
import { SYSTEM_ENVIRONMENT } from "../../../../src/collect/session/visit-environment.ts";
import { meterSchema } from "../../../../src/config/schema.ts";

class SilentChannel implements ByteChannel {
  readonly name = "silent";
  #sink: ChannelSink | undefined;
  closed = false;

  start(sink: ChannelSink): void {
    this.#sink = sink;
  }

  write(): void {}

  close(): void {
    this.closed = true;
    this.#sink?.closed();
  }
}

function target() {
  const config = meterSchema.parse({
    name: "m",
    number: "1",
    quirks: ["quiet-after-connect"],
    connection: { tcp: "192.0.2.1:4059" },
  });
  return meterTarget(config, {
    leaseCounters: () => Promise.reject(new Error("nothing is ciphered")),
    openStoredKey: () => Promise.reject(new Error("no key is stored")),
  });
}

test("visit: given up while the meter is left in peace, it closes its channel", async () => {
  const channel = new SilentChannel();
  const connected = Promise.withResolvers<TcpConnectOptions>();
  const abort = new AbortController();
  const environment = {
    ...SYSTEM_ENVIRONMENT,
    connectTcp: async (_address: unknown, options: TcpConnectOptions) => {
      connected.resolve(options);
      return channel;
    },
  };
  const visit = visitMeter(target(), { budgetMs: 60_000, environment, signal: abort.signal }, async () => {});
  const ended = visit.catch((error: unknown) => error);
  // Mobile networks drop what is silent for longer.
  expect((await connected.promise).keepAliveMs).toBe(60_000);
  abort.abort(new Error("enough"));
  expect(await ended).toMatchObject({ message: "enough" });
  expect(channel.closed).toBe(true);
});
