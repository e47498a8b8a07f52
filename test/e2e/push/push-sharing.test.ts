/** Two gateways share meters and one of them listens: what the other one works is known, told and polled as its own is. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { tcpAddress } from "../../../drivers/tcp/address.ts";
import { captureObjectsToData } from "../../../protocol/cosem/capture-object.ts";
import { streetConfiguration } from "../../../src/cli/demo/demo-street.ts";
import { configSchema } from "../../../src/config/schema.ts";
import { Gateway } from "../../../src/gateway/gateway.ts";
import type { GatewayEvent } from "../../../src/observe/events.ts";
import { PUSHES } from "../../../src/simulator/models/is15959.ts";
import { type Street, startStreet } from "../../../src/simulator/street.ts";
import { query } from "../../db/query.ts";
import { useTestDatabase } from "../../db/test-database.ts";
import type { ConfigInput } from "../fleet-daemon.ts";
import { freePort } from "../free-port.ts";
import { applySetup } from "./push-orders.ts";

/** As many as that by chance each gateway works some of every kind. */
const METERS = 36;
const URL_NAME = "DLMS_GATEWAY_PUSH_SHARING_TEST";
const WAIT = { timeout: 60_000, interval: 20 };
const MINUTE_MS = 60_000;
const EVERY_MINUTE = Array.from({ length: 60 }, (_, minute) => `*:${String(minute).padStart(2, "0")}`);

/** From the listening gateway's start to the minute at which all should push. */
const SOON_MS = 6000;
const LISTENER = { address: "127.0.0.1:0", transport: "tcp" } as const;

/** Its association does not let it write. */
const READER = 32;

const current = useTestDatabase();
let street: Street;
let directory: string;
/** Names of meters whose pushes say of which setup they are. */
let indian: string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-sharing-"));
  await chmod(directory, 0o711);
  street = await startStreet({ count: METERS });
  indian = street.meters.filter(({ companion }) => companion === "is15959").map(({ name }) => name);
  process.env[URL_NAME] = current().url;
});
afterAll(async () => {
  await street.close();
  await rm(directory, { recursive: true, force: true });
});

async function started(name: string, push: ConfigInput["push"]) {
  const events: GatewayEvent[] = [];
  const config = configSchema.parse({
    stateDirectory: join(directory, name),
    socket: join(directory, `${name}.sock`),
    database: { url: `env:${URL_NAME}`, connections: 4 },
    sharing: { name, silence: "3s" },
    meters: await streetConfiguration(street.meters, join(directory, `${name}-keys`)),
    plans: [{ profile: "instant", every: "1d" }],
    push,
  });
  const gateway = await Gateway.start({ config, version: "test", events: (event) => events.push(event) });
  const told = <Name extends GatewayEvent["event"]>(event: Name) =>
    events.filter((each): each is Extract<GatewayEvent, { event: Name }> => each.event === event);
  const send = async (meter: string, setup: string) => {
    const [listener] = told("pushListening");
    await street.push(meter, setup, { ...tcpAddress(listener?.address ?? ""), transport: "tcp" });
  };
  return { gateway, told, send, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

/** One of some meters, as soon as the gateway has polled it: it is worked there. */
function workedBy({ gateway, told }: Awaited<ReturnType<typeof started>>, some: readonly string[]): Promise<string> {
  return vi.waitFor(async () => {
    await gateway.pollOnce();
    const first = some.find((name) => told("meterPolled").some((each) => each.meter === name));
    expect(first).toBeDefined();
    return String(first);
  }, WAIT);
}

function write(meter: string, logicalName: string, value: Parameters<typeof captureObjectsToData>[0] | string): void {
  const data =
    typeof value === "string"
      ? ({ type: "visible-string", value: new TextEncoder().encode(value) } as const)
      : captureObjectsToData(value);
  street.meter(meter).model.state.write(logicalName, 2, data);
}

function outcomes(setup: string): Promise<unknown[][]> {
  return query(current().url, "select outcome from dlms.push_history where push_setup = $1 order by push_key", [setup]);
}

test("push sharing: meters that another gateway works are asked for their setups there, and decoded where they push", async () => {
  await using listening = await started("a", { listen: [LISTENER] });
  await using other = await started("b", {});
  const meter = await workedBy(other, indian);
  await listening.send(meter, PUSHES.billing);
  await vi.waitFor(async () => expect(await outcomes(PUSHES.billing)).toEqual([["stored"]]), WAIT);

  write(meter, PUSHES.daily, [
    { classId: 1, logicalName: "0.0.96.1.2.255", attributeId: 2, dataIndex: 0 },
    { classId: 40, logicalName: PUSHES.daily, attributeId: 1, dataIndex: 0 },
    { classId: 7, logicalName: "1.0.99.2.0.255", attributeId: 2, dataIndex: 0 },
  ]);
  await listening.send(meter, PUSHES.daily);
  await vi.waitFor(async () => expect(await outcomes(PUSHES.daily)).toEqual([["partial"]]), WAIT);
  await vi.waitFor(async () => {
    await other.gateway.pollOnce();
    expect(await outcomes(PUSHES.daily)).toEqual([["stored"]]);
  }, WAIT);
});

test("push sharing: the push that was ordered of a meter counts as arrived, whichever gateway hears it", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const setup = {
    name: "here",
    companion: "is15959",
    logicalName: PUSHES.instant,
    destination: address,
    retries: 2,
  } as const;
  const push = { setups: [setup], execution: { perMinute: 6000, arrival: "20s" } };
  await using listening = await started("a", { ...push, listen: [{ address, transport: "tcp" }] });
  await using other = await started("b", push);
  // One that may write is enough, and it is worked by the gateway that does not listen.
  const writing = street.meters
    .filter(({ companion, clientSap }) => companion === "is15959" && clientSap !== READER)
    .map(({ name }) => name);
  const meter = await workedBy(other, writing);
  const { results } = await applySetup(join(directory, "a.sock"), "here", "--meter", meter, "--why", "a test");
  expect(results).toMatchObject([{ meter, state: "applied", testPush: "arrived" }]);
  expect(listening.told("pushReceived")).toMatchObject([{ meter }]);
  expect(other.told("pushReceived")).toEqual([]);
});

test("push sharing: who listens tells the silence of all meters, and who works them polls what is missing", async () => {
  const expected = { pushSetup: PUSHES.block, at: EVERY_MINUTE, tolerance: "1s" };
  await using other = await started("b", { expect: [expected] });
  other.gateway.run();
  await vi.waitFor(() => expect(other.told("meterPolled")).toHaveLength(METERS), WAIT);
  const realNow = Date.now.bind(Date);
  const aheadMs = MINUTE_MS - SOON_MS - (realNow() % MINUTE_MS);
  using clock = vi.spyOn(Date, "now");
  clock.mockImplementation(() => realNow() + aheadMs);
  await using listening = await started("a", { expect: [expected], listen: [LISTENER] });
  // Whoever starts too late for this minute hears of the next one.
  await vi.waitFor(() => expect(listening.told("pushMissing")).toHaveLength(METERS), { ...WAIT, timeout: 100_000 });
  await vi.waitFor(() => {
    const polled = other.told("meterPolled").flatMap(({ profiles }) => profiles);
    expect(polled).toContain("block_load");
  }, WAIT);
  const [meter = ""] = indian;
  await listening.send(meter, PUSHES.block);
  await vi.waitFor(() => expect(listening.told("pushHeardAgain")).toMatchObject([{ meter }]), WAIT);
  await using later = await started("c", { expect: [expected] });
  const rows = await query(current().url, "select count(*)::int from dlms.push_schedules where kind = 'expectation'");
  expect(rows).toEqual([[METERS]]);
  expect([...other.told("pushMissing"), ...later.told("pushMissing")]).toEqual([]);
}, 240_000);
