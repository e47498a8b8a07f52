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

function target(responseTimeout: string) {
  const config = meterSchema.parse({
    name: "m",
    number: "1",
    quirks: ["quiet-after-connect"],
    connection: { tcp: "192.0.2.1:4059", responseTimeout },
  });
  return meterTarget(config, {
    leaseCounters: () => Promise.reject(new Error("nothing is ciphered")),
    openStoredKey: () => Promise.reject(new Error("no key is stored")),
  });
}

test.each([
  { responseTimeout: "10s", keepAliveMs: 0 },
  { responseTimeout: "2m", keepAliveMs: 60_000 },
])("visit: given up while the meter is left in peace, it closes its channel ($responseTimeout)", async (expected) => {
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
  const visit = visitMeter(
    target(expected.responseTimeout),
    { budgetMs: 60_000, environment, signal: abort.signal },
    async () => {},
  );
  const ended = visit.catch((error: unknown) => error);
  // Mobile networks drop what is silent for a minute or more.
  expect((await connected.promise).keepAliveMs).toBe(expected.keepAliveMs);
  abort.abort(new Error("enough"));
  expect(await ended).toMatchObject({ message: "enough" });
  expect(channel.closed).toBe(true);
});
