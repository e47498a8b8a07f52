/** Orders to meters over sockets: what meters make of them, a line that is cut, and the daemon with its log of changes. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "../../drivers/clock.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import type { MeterQuirk } from "../../protocol/quirks.ts";
import { askDaemon } from "../../src/api/local-client.ts";
import {
  clockCommand,
  type OrderOptions,
  objectOrderCommand,
  writeCommand,
} from "../../src/cli/commands/order-command.ts";
import { visitMeter } from "../../src/collect/session/meter-session.ts";
import { meterTarget } from "../../src/collect/session/meter-target.ts";
import { meterSchema } from "../../src/config/schema.ts";
import { executeOrder, type MeterOrder, meterOrderSchema } from "../../src/control/meter-order.ts";
import { CLIENT, listenDeviant } from "./deviant-meter.ts";
import { OrderedMeter, type OrderHabits } from "./ordered-meter.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const LIMIT = "71:0.0.17.0.0.255:4";

interface Fate {
  /** Answers to orders do not get through; nor does anything else where it is `for good`. */
  readonly cut?: "once" | "for good";
  /** The association was that of another visit: where it is lost the same work has a turn of its own. */
  readonly joined?: boolean;
  readonly quirks?: readonly MeterQuirk[];
}

/** Gives an order to a meter behind a listener; a cut takes effect with the answer to a SET or ACTION. */
async function ordered(meter: OrderedMeter, order: MeterOrder, { cut, joined = false, quirks = [] }: Fate = {}) {
  let isCut = false;
  await using listener = await listenDeviant(
    {
      link: () => new WrapperLink({ role: "server" }),
      objects: { own: meter },
      request: (apdu) => (isCut && cut === "for good" ? undefined : apdu),
      answer: (apdu) => {
        if (cut === undefined || (apdu[0] !== 0xc5 && apdu[0] !== 0xc7)) return apdu;
        isCut = true;
        return undefined;
      },
    },
    [],
  );
  const config = meterSchema.parse({
    name: "m",
    number: "1",
    timeZone: "UTC",
    quirks,
    connection: { tcp: `127.0.0.1:${listener.address.port}`, responseTimeout: "2s" },
    association: { clientSap: CLIENT },
  });
  const target = meterTarget(config, {
    leaseCounters: () => Promise.reject(new Error("no counters are needed")),
    openStoredKey: () => Promise.reject(new Error("no key is stored")),
  });
  type Work<T> = Parameters<typeof visitMeter<T>>[2];
  const own = <T>(work: Work<T>) => visitMeter(target, { budgetMs: 60_000 }, work);
  const visit = <T>(work: Work<T>) => (joined ? own(work).catch(() => own(work)) : own(work));
  return await executeOrder(order, { target, visit, clock: systemClock });
}

const order = (given: unknown): MeterOrder => meterOrderSchema.parse(given);
const DISCONNECT = order({ type: "disconnect" });
const RECONNECT = order({ type: "reconnect" });

test("orders: a load switch is opened and closed, and shown before and after", async () => {
  const meter = new OrderedMeter();
  expect(await ordered(meter, DISCONNECT)).toEqual({
    state: "done",
    before: { output: true, control: "connected", mode: 4 },
    after: { output: false, control: "disconnected", mode: 4 },
    evidence: null,
  });
  expect(await ordered(meter, DISCONNECT)).toMatchObject({ state: "unchanged" });
  expect(await ordered(meter, RECONNECT)).toMatchObject({ state: "done", after: { output: true } });
  expect(meter.heard).toEqual(["disconnect integer", "reconnect integer"]);
});

test.each([undefined, "nothing", "what was active"] as const)(
  "orders: a passive calendar is put in force, %s being passive afterwards",
  async (passiveAfter) => {
    const meter = new OrderedMeter(passiveAfter && { passiveAfter });
    const result = await ordered(meter, order({ type: "activate-calendar" }));
    expect(result).toMatchObject({
      state: "done",
      before: { active: expect.arrayContaining(["summer"]), passive: expect.arrayContaining(["winter"]) },
      after: { active: expect.arrayContaining(["winter"]) },
    });
    expect(meter.heard).toEqual(["activate"]);
  },
);

test("orders: a calendar that is in force already is not activated again, and one that is not there is told", async () => {
  const meter = new OrderedMeter();
  await ordered(meter, order({ type: "activate-calendar" }));
  expect(await ordered(meter, order({ type: "activate-calendar" }))).toMatchObject({ state: "unchanged" });
  expect(meter.heard).toEqual(["activate"]);
  const elsewhere = order({ type: "activate-calendar", logicalName: "1.0.13.0.0.255" });
  await expect(ordered(meter, elsewhere)).rejects.toThrow("object-undefined");
});

test("orders: a relay that moves after the answer is waited for", async () => {
  const meter = new OrderedMeter({ relayDelayMs: 1500 });
  expect(await ordered(meter, DISCONNECT)).toMatchObject({ state: "done", after: { output: false } });
});

test("orders: a mode that only makes ready is named, and so is one that lets nobody move the switch", async () => {
  const byHand = new OrderedMeter({ mode: 1 });
  byHand.control = 0;
  byHand.output = false;
  const ready = await ordered(byHand, RECONNECT);
  expect(ready).toMatchObject({ state: "ready", after: { output: false, control: "ready for reconnection", mode: 1 } });
  const refused = await ordered(new OrderedMeter({ mode: 0 }), DISCONNECT);
  expect(refused.state).toBe("refused");
  expect(refused.evidence).toMatch(/read-write-denied; control mode 0: the load is always connected/u);
});

test.each([
  { cut: "once", joined: false, state: "done", after: { output: false, control: "disconnected", mode: 4 } },
  { cut: "once", joined: true, state: "done", after: { output: false, control: "disconnected", mode: 4 } },
  { cut: "for good", joined: false, state: "unknown", after: null },
  { cut: "for good", joined: true, state: "unknown", after: null },
] as const)(
  "orders: a line that is cut at the answer, $cut, joined $joined: the meter is asked anew, not told twice",
  async (each) => {
    const meter = new OrderedMeter();
    const result = await ordered(meter, DISCONNECT, each);
    expect(result).toMatchObject({ state: each.state, after: each.after });
    expect(result.evidence).toMatch(/the connection was lost after the order/u);
    expect(meter.heard).toEqual(["disconnect integer"]);
  },
);

/** Trap 67: what each clock shows, by its last octets, and what it refuses when it is written otherwise. */
const CLOCKS: readonly { readonly name: string; readonly habits: OrderHabits; readonly given: RegExp }[] = [
  {
    name: "hundredths that are not specified",
    habits: { clockTail: [0xff, 0, 0, 0], takesTime: ({ hundredths }) => hundredths === undefined },
    given: /ff000000$/u,
  },
  {
    name: "no deviation and no status",
    habits: {
      clockTail: [0, 0x80, 0, 0xff],
      takesTime: (stamp) => stamp.deviationMinutes === undefined && stamp.clockStatus === undefined,
    },
    given: /008000ff$/u,
  },
  {
    name: "no weekday",
    habits: { takesTime: ({ dayOfWeek }) => dayOfWeek === undefined },
    given: /^.{8}ff/u,
  },
];

test.each(CLOCKS)("orders: a clock is set in its own style: $name", async ({ habits, given }) => {
  const meter = new OrderedMeter(habits);
  meter.clockAheadMs = -3_600_000;
  const result = await ordered(meter, order({ type: "set-clock" }));
  expect(result).toMatchObject({ state: "done", evidence: null });
  expect(result.before).toMatchObject({ aheadS: expect.closeTo(-3600, -1) });
  expect(meter.heard).toEqual([expect.stringMatching(given)]);
  expect(await ordered(meter, order({ type: "set-clock" }))).toMatchObject({ state: "unchanged" });
});

test("orders: a clock that is only shifted comes nearer by 900 seconds with each order", async () => {
  const meter = new OrderedMeter({ takesTime: () => false });
  meter.clockAheadMs = 1_200_000;
  const fate = { quirks: ["clock-only-shifted"] } as const;
  const first = await ordered(meter, order({ type: "set-clock" }), fate);
  expect(first).toMatchObject({ state: "differs", evidence: expect.stringMatching(/is (299|300)\.\d s ahead/u) });
  expect(await ordered(meter, order({ type: "set-clock" }), fate)).toMatchObject({ state: "done" });
});

test("orders: a switch that takes no parameter is ordered without", async () => {
  const meter = new OrderedMeter({ refusesParameter: true });
  expect(await ordered(meter, DISCONNECT)).toMatchObject({ state: "refused", evidence: "type-unmatched" });
  expect(await ordered(meter, DISCONNECT, { quirks: ["switched-without-parameter"] })).toMatchObject({ state: "done" });
});

test("orders: a value that the meter clamps is told, with what it holds", async () => {
  const meter = new OrderedMeter({ limitAtMost: 9200 });
  expect(await ordered(meter, order({ type: "write", attribute: LIMIT, value: 9000 }))).toEqual({
    state: "done",
    before: 5000,
    after: 9000,
    evidence: null,
  });
  expect(await ordered(meter, order({ type: "write", attribute: LIMIT, value: 20_000 }))).toEqual({
    state: "differs",
    before: 9000,
    after: 9200,
    evidence: "the meter holds 9200",
  });
  const misfit = await ordered(meter, order({ type: "write", attribute: LIMIT, value: "a text" }));
  expect(misfit).toMatchObject({ state: "refused", after: 9200 });
  expect(misfit.evidence).toContain("the meter holds double-long-unsigned, and was given octet-string of 6");
  const tooMuch = await ordered(meter, order({ type: "write", attribute: LIMIT, value: 5_000_000_000 }));
  expect(tooMuch.evidence).toBe("the value does not fit: the meter holds double-long-unsigned");
});

test("orders: what the meter does not show is not ordered, and secrets are not written", async () => {
  const missing = order({ type: "write", attribute: "71:0.0.17.0.9.255:4", value: 1 });
  await expect(ordered(new OrderedMeter(), missing)).rejects.toThrow("object-undefined");
  const secret = { type: "write", attribute: "15:0.0.40.0.0.255:7", value: "0x00" };
  expect(meterOrderSchema.safeParse(secret).success).toBe(false);
});

let over: GatewayOverStreet;
beforeAll(async () => {
  over = await gatewayOverStreet({ count: 1, seed: 3 });
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

type Command = (options: OrderOptions, output: Parameters<typeof objectOrderCommand>[3]) => Promise<string>;

async function commanded(command: Command, options: Partial<OrderOptions> = {}) {
  const lines: string[] = [];
  const take = (text: string) => void lines.push(text);
  const given = { socket: over.config.socket, why: "a test", ...options };
  const reason = await command(given, { out: take, err: take, width: undefined });
  return { reason, text: lines.join("\n") };
}

interface LogRow {
  readonly event: string;
  readonly actor: string;
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly details: { readonly state?: string; readonly why?: string };
}

test("orders: by command through the daemon, in lane control, kept in the log with who, what, before and after", async () => {
  const name = over.street.meters[0]?.name ?? "";
  const off = await commanded((options, output) => objectOrderCommand("disconnect", name, options, output));
  expect(off).toMatchObject({ reason: "success", text: expect.stringContaining("the meter does what was ordered") });
  const on = await commanded((options, output) =>
    objectOrderCommand("reconnect", name, { ...options, json: true }, output),
  );
  expect(JSON.parse(on.text)).toMatchObject({ state: "done", before: { output: false }, after: { output: true } });
  const clock = await commanded((options, output) => clockCommand(name, { ...options, set: true }, output));
  expect(clock).toMatchObject({ reason: "success", text: expect.stringContaining("unchanged") });
  const answer = z.record(z.string(), z.object({ jobs: z.int() }));
  const lanes = await askDaemon(over.config.socket, { path: "/v1/lanes", answer });
  expect(lanes["control"]?.jobs).toBe(3);
  const rows = () =>
    over.gateway.database.query<LogRow>(
      "select event, actor, subject, before, after, details from dlms.event_logs where event like '%rder%' order by event_log_key",
    );
  await expect.poll(async () => (await rows()).length, { timeout: 10_000 }).toBe(6);
  const carriedOut = (await rows()).find(({ event }) => event === "orderCarriedOut");
  expect(carriedOut).toMatchObject({
    actor: expect.stringContaining("local"),
    subject: name,
    before: { output: true },
    after: { output: false },
    details: { state: "done", why: "a test" },
  });
  const waits = await over.gateway.database.query<{ kind: string; done: boolean; waited: boolean }>(
    "select kind, done, ended_at > asked_at as waited from dlms.meter_requests order by asked_at",
  );
  const kinds = ["disconnect", "reconnect", "set-clock"];
  expect(waits).toEqual(kinds.map((kind) => ({ kind, done: true, waited: true })));
});

test("orders: what can't be given is refused by the command, or tells the meter's reason", async () => {
  const name = over.street.meters[0]?.name ?? "";
  expect(await commanded((o, output) => writeCommand([name, LIMIT], o, output))).toMatchObject({ reason: "usage" });
  expect(
    await commanded(({ socket }, output) => objectOrderCommand("disconnect", name, { socket }, output)),
  ).toMatchObject({
    reason: "usage",
    text: expect.stringContaining("--why"),
  });
  const unknown = await commanded((o, output) => writeCommand([name, "71:0.0.17.0.9.255:4", "5"], o, output));
  expect(unknown).toMatchObject({ reason: "meterFailed", text: expect.stringContaining("object missing") });
  await expect(commanded((o, output) => objectOrderCommand("disconnect", "nobody", o, output))).rejects.toThrow(
    "nobody",
  );
});

test("orders: straight from a laptop, without a daemon", async () => {
  const meter = new OrderedMeter();
  await using listener = await listenDeviant(
    { link: () => new WrapperLink({ role: "server" }), objects: { own: meter } },
    [],
  );
  const direct = {
    tcp: `127.0.0.1:${listener.address.port}`,
    clientSap: String(CLIENT),
    counters: `${over.directory}/counters`,
  };
  const off = await commanded(
    (options, output) => objectOrderCommand("disconnect", undefined, options, output),
    direct,
  );
  expect(off.reason).toBe("success");
  expect(meter.output).toBe(false);
  const limit = await commanded((options, output) => writeCommand([LIMIT, "7000"], options, output), direct);
  expect(limit.text).toMatch(/before {2}5000\n {2}after {3}7000/u);
  const shown = await commanded((options, output) => clockCommand(undefined, options, output), direct);
  expect(shown.text).toContain("ahead of ours");
});
