/** A street of simulated meters with a gateway over it, for tests: a real database, real sockets, a real control socket. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { type Config, configSchema } from "../../src/config/schema.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../src/observe/events.ts";
import { type Street, type StreetOptions, startStreet } from "../../src/simulator/street.ts";

export interface GatewayOverStreet extends AsyncDisposable {
  readonly street: Street;
  readonly gateway: Gateway;
  readonly config: Config;
  readonly directory: string;
  readonly events: readonly GatewayEvent[];
  /** Polls every meter once, until it is in the database what came of each: tries are written in groups, a little later. */
  pollOnce(): Promise<void>;
}

export interface GatewaySettings {
  readonly responseTimeout?: string;
  /** Changes the configuration, in the form that it has in its file. */
  readonly configure?: (config: ConfigInput) => void;
}

const TRIED_AGAIN_MS = 50;

type ConfigInput = z.input<typeof configSchema>;

/** Starts a street and a gateway whose configuration has its meters. */
export async function gatewayOverStreet(
  options: StreetOptions,
  { responseTimeout = "10s", configure }: GatewaySettings = {},
): Promise<GatewayOverStreet> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-test-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o711);
  const street = stack.use(await startStreet(options));
  const meters = await streetConfiguration(street.meters, join(directory, "keys"));
  for (const meter of meters) meter.connection.responseTimeout = responseTimeout;
  const socket = join(directory, "control.sock");
  const input: ConfigInput = { stateDirectory: directory, socket, meters };
  configure?.(input);
  const config = configSchema.parse(input);
  const events: GatewayEvent[] = [];
  const gateway = await Gateway.start({ config, version: "test", events: (event) => events.push(event) });
  stack.use(gateway);
  const pollOnce = async () => {
    await gateway.pollOnce();
    const tried = () => gateway.database.query("select distinct meter_id from dlms.read_attempts");
    while ((await tried()).length < meters.length) await sleep(TRIED_AGAIN_MS);
  };
  const held = stack.move();
  return { street, gateway, config, directory, events, pollOnce, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
