import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ApiTokens, type Role } from "../../src/api/tokens.ts";
import { appendEventLog, eventLogFaults } from "../../src/store/records/event-log.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const COUNT = 4;

let over: GatewayOverStreet;
let base = "";
const tokens = new Map<string, string>();

beforeAll(async () => {
  over = await gatewayOverStreet(
    { count: COUNT },
    {
      configure: (config) => {
        config.api = { listen: { port: 0 }, requestsPerMinute: 100_000 };
        config.collections = [{ name: "first", meters: [config.meters?.[0]?.name ?? ""] }];
      },
    },
  );
  base = over.events.flatMap((event) => (event.event === "apiListening" ? [event.address] : []))[0] ?? "";
  // An answer about the fleet is kept for half a minute.
  await over.pollOnce();
  for (const role of ["reader", "operator", "admin"] as const) tokens.set(role, await newToken(role));
  tokens.set("limited", await newToken("operator", ["first"]));
}, 120_000);
afterAll(() => over[Symbol.asyncDispose]());

function tokenStore(): ApiTokens {
  const { database } = over.gateway;
  return new ApiTokens(database, (entries) => appendEventLog(database, entries));
}

async function newToken(role: Role, collections?: string[]): Promise<string> {
  const order = {
    name: `test ${role}`,
    role,
    expiresAt: new Date(Date.now() + 3_600_000),
    ...(collections && { collections }),
  };
  return (await tokenStore().create(order, "test")).text;
}

function ask(path: string, as: string | undefined, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (as !== undefined) headers.set("authorization", `Bearer ${tokens.get(as) ?? as}`);
  if (init.body !== undefined) headers.set("content-type", "application/json");
  return fetch(`${base}${path}`, { ...init, headers });
}

async function json<T extends z.ZodType>(path: string, as: string, form: T): Promise<z.output<T>> {
  const response = await ask(path, as);
  expect([path, response.status]).toEqual([path, 200]);
  return form.parse(await response.json());
}

function post(path: string, as: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return ask(path, as, { method: "POST", body: JSON.stringify(body), headers });
}

function meterName(house: number): string {
  return over.street.meters[house]?.name ?? "";
}

const names = z.object({ items: z.array(z.object({ name: z.string() })), next: z.string().nullable() });
const askForm = z.object({ id: z.string(), state: z.string(), answer: z.unknown(), refusal: z.unknown() });

test("http api: pages of meters are whole, in order, and end", async () => {
  const seen: string[] = [];
  let after = "";
  for (let pages = 0; pages < COUNT; pages++) {
    const page = await json(`/v1/meters?limit=3${after}`, "reader", names);
    seen.push(...page.items.map(({ name }) => name));
    if (page.next === null) break;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
  const all = over.street.meters.map(({ name }) => name);
  expect(seen).toEqual(all.toSorted());
});

test("http api: a meter is found by name or number, with its last try", async () => {
  const number = over.street.meters[1]?.serial ?? "";
  const form = z.object({ name: z.string(), number: z.string(), lastAttempt: z.object({ succeeded: z.boolean() }) });
  await expect
    .poll(async () => (await ask(`/v1/meters/${number}`, "reader")).json(), { timeout: 10_000 })
    .toMatchObject({ name: meterName(1), lastAttempt: { succeeded: true } });
  expect((await json(`/v1/meters/${meterName(1)}`, "reader", form)).number).toBe(number);
});

test("http api: the fleet at a glance counts by network, maker and companion, and who is up to date", async () => {
  const counts = { meters: z.int(), answering: z.int(), failing: z.int(), current: z.int() };
  const group = z.object({ by: z.string(), name: z.string().nullable(), ...counts });
  const form = z.object({ fleet: z.object(counts), groups: z.array(group) });
  const ofOne = () => json("/v1/overview", "limited", form);
  await expect.poll(async () => (await ofOne()).fleet).toEqual({ meters: 1, answering: 1, failing: 0, current: 1 });
  const { groups } = await ofOne();
  expect(groups.map(({ by, name, meters }) => `${by} ${name} ${meters}`).toSorted()).toEqual([
    "companion is15959 1",
    "maker VMT 1",
    "network default 1",
  ]);
});

test("http api: rows of a profile are those of the view, page by page and as CSV", async () => {
  const range = `from=${new Date(Date.now() - 3 * 86_400_000).toISOString()}&to=${new Date().toISOString()}`;
  const form = z.object({
    columns: z.array(z.object({ name: z.string(), unit: z.string() })),
    items: z.array(z.object({ at: z.string(), values: z.record(z.string(), z.string()) })),
    next: z.string().nullable(),
  });
  const path = `/v1/meters/${meterName(0)}/profiles/block-load?${range}`;
  const whole = await json(`${path}&limit=1000`, "reader", form);
  expect(whole.items.length).toBeGreaterThan(48);
  const first = await json(`${path}&limit=10`, "reader", form);
  const second = await json(`${path}&limit=10&after=${first.next}`, "reader", form);
  expect([...first.items, ...second.items]).toEqual(whole.items.slice(0, 20));
  const rows = await over.gateway.database.query<{ captured_at: Date; active_import_wh: string }>(
    "select captured_at, active_import_wh from dlms.block_load_profile where meter_number = $1 order by captured_at desc limit 5",
    [over.street.meters[0]?.serial],
  );
  expect(whole.items.slice(-5).toReversed()).toEqual(
    rows.map((row) =>
      expect.objectContaining({
        at: row.captured_at.toISOString(),
        values: expect.objectContaining({ active_import_wh: row.active_import_wh }),
      }),
    ),
  );
  expect(whole.columns).toContainEqual({ name: "active_import_wh", unit: "Wh" });
  const csv = await ask(path, "reader", { headers: { accept: "text/csv" } });
  const lines = (await csv.text()).trimEnd().split("\r\n");
  expect(lines).toHaveLength(whole.items.length + 1);
  expect(lines[0]).toMatch(/^meter,captured_at,.*active_import_wh/);
});

test.each(["instant", "daily-load", "daily-captures", "billing"])("http api: %s is there with values", async (kind) => {
  const form = z.object({ items: z.array(z.object({ values: z.record(z.string(), z.string()) })) });
  const { items } = await json(`/v1/meters/${meterName(0)}/profiles/${kind}?from=2000-01-01T00:00:00Z`, "reader", form);
  expect(items.length).toBeGreaterThan(0);
  expect(Object.keys(items.at(-1)?.values ?? {}).length).toBeGreaterThan(0);
});

test("http api: coverage shows the day's held slots, and gaps say why the others are not", async () => {
  const [from, to] = [Date.now() - 2 * 86_400_000, Date.now()].map((ms) => new Date(ms).toISOString());
  const form = z.object({
    items: z.array(z.object({ meter: z.string(), days: z.array(z.object({ held: z.int(), slots: z.int() })) })),
  });
  const { items } = await json(`/v1/coverage?from=${from?.slice(0, 10)}&to=${to?.slice(0, 10)}`, "reader", form);
  expect(items).toHaveLength(COUNT);
  for (const { days } of items) expect(days.some(({ held, slots }) => held > 0 && held <= slots)).toBe(true);
  const gaps = z.object({
    items: z.array(z.object({ state: z.string(), why: z.string() })),
    complete: z.literal(true),
  });
  await json(`/v1/meters/${meterName(0)}/gaps?from=${from}&to=${to}`, "reader", gaps);
});

test("http api: a read is asked for, followed, and answers; the same key asks once", async () => {
  const order = { meter: meterName(2), what: "clock" };
  const [first, again] = await Promise.all(
    [1, 2].map(() => post("/v1/reads", "operator", order, { "idempotency-key": "k1" })),
  );
  expect(first?.status).toBe(202);
  const { id } = askForm.parse(await first?.json());
  expect(askForm.parse(await again?.json()).id).toBe(id);
  const other = await post("/v1/reads", "operator", { ...order, what: "instant" }, { "idempotency-key": "k1" });
  expect(other.status).toBe(409);
  await expect
    .poll(() => json(`/v1/reads/${id}`, "operator", askForm), { timeout: 20_000 })
    .toMatchObject({ state: "done", answer: { rows: [expect.any(Array)] } });
  expect((await ask(`/v1/reads/${id}`, "admin")).status).toBe(404);
  const log = z.object({ items: z.array(z.object({ event: z.string(), actor: z.string(), subject: z.string() })) });
  const asked = async () => {
    const { items } = await json("/v1/log?changes=true", "operator", log);
    return items.filter(({ event }) => event === "readAsked");
  };
  // It is written a moment later.
  await expect
    .poll(asked, { timeout: 10_000 })
    .toMatchObject([{ actor: "token test operator", subject: meterName(2) }]);
});

test("http api: what can't be asked is refused with words, before anything is done", async () => {
  const refused = [
    [await ask("/v1/meters", undefined), 401],
    [await ask("/v1/meters", "dgw_aaaaaaaaaa_0123456789012345678901234567890123456789012"), 401],
    [await post("/v1/reads", "reader", { meter: meterName(0), what: "clock" }), 403],
    [await post("/v1/reads", "operator", { meter: "nobody", what: "clock" }), 404],
    [await ask(`/v1/meters/${meterName(0)}/attempts?after=x`, "reader"), 400],
    [await ask("/v1/log?after=x", "operator"), 400],
    [await ask("/v1/coverage?profile=instant&from=2026-01-01&to=2026-01-02", "reader"), 400],
    [await post("/v1/reads", "operator", { meter: meterName(0) }), 400],
    [await post("/v1/reads", "operator", { meter: meterName(0), what: "everything" }), 400],
    [await post("/v1/reads", "operator", { meter: meterName(0), what: "clock", from: "2026-01-01T00:00:00Z" }), 400],
    [await ask("/v1/meters?limit=0", "reader"), 400],
    [await ask("/v1/meters?limit=100000", "reader"), 400],
    [await ask("/v1/events?after=x", "reader"), 400],
    [await ask("/v1/log", "reader"), 403],
    [await ask("/v1/nothing", "reader"), 404],
    [await ask("/v1/tokens", "operator"), 403],
    [await post("/v1/decode", "reader", { hex: "zz" }), 400],
  ] as const;
  for (const [response, status] of refused) {
    const problem = z.object({ status: z.int(), detail: z.string().min(5) }).parse(await response.json());
    expect([response.url, response.status, problem.status, problem.detail]).toEqual([
      response.url,
      status,
      status,
      problem.detail,
    ]);
    expect(response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  }
});

test("http api: a page of another site may not act with the browser's token", async () => {
  const session = await post("/v1/session", "", { token: tokens.get("operator") });
  const cookie = session.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(session.headers.get("set-cookie")).toMatch(/HttpOnly; SameSite=Strict/);
  expect((await ask("/v1/session", undefined, { headers: { cookie } })).status).toBe(200);
  const order = { method: "POST", body: JSON.stringify({ meter: meterName(0), what: "clock" }) };
  const foreign = await ask("/v1/reads", undefined, {
    ...order,
    headers: { cookie, origin: "https://elsewhere.example" },
  });
  expect(foreign.status).toBe(403);
  const own = await ask("/v1/reads", undefined, { ...order, headers: { cookie, origin: base } });
  expect(own.status).toBe(202);
});

test("http api: whose token is for some meters sees no other", async () => {
  const { items } = await json("/v1/meters", "limited", names);
  expect(items.map(({ name }) => name)).toEqual([meterName(0)]);
  expect((await ask(`/v1/meters/${meterName(1)}`, "limited")).status).toBe(404);
  expect((await ask(`/v1/meters/${meterName(1)}/profiles/block-load`, "limited")).status).toBe(404);
  expect((await post("/v1/reads", "limited", { meter: meterName(1), what: "clock" })).status).toBe(404);
  const day = new Date().toISOString().slice(0, 10);
  const coverage = z.object({ items: z.array(z.object({ meter: z.string() })) });
  const seen = await json(`/v1/coverage?from=${day}&to=${day}`, "limited", coverage);
  expect(seen.items.map(({ meter }) => meter)).toEqual([meterName(0)]);
});

test("http api: whose token is for some meters can't order, see or change what concerns all", async () => {
  tokens.set("limited admin", await newToken("admin", ["first"]));
  const asked = [
    await ask("/v1/log", "limited"),
    await ask("/v1/tokens", "limited admin"),
    await post("/v1/tokens", "limited admin", { name: "more", role: "admin" }),
    await post("/v1/maintenance", "limited admin", { task: "coverage-check" }),
    await post("/v1/push-setups/stop", "limited admin", {}),
    await post("/v1/pushes/replay", "limited admin", {}),
  ];
  expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 403));
  // Orders to meters that it may see are for it: there is none of that id.
  expect((await ask("/v1/orders/00000000-0000-4000-8000-000000000000", "limited admin")).status).toBe(404);
});

test("http api: HEAD opens no stream", async () => {
  expect((await ask("/v1/live", "reader", { method: "HEAD" })).status).toBe(404);
});

test("http api: what happens is streamed as it happens, to those who may hear it", async () => {
  const [all, limited] = await Promise.all([listen("reader"), listen("limited")]);
  await over.gateway.pollOnce();
  await expect.poll(() => polled(all), { timeout: 10_000 }).toEqual(new Set([0, 1, 2, 3].map(meterName)));
  await expect.poll(() => polled(limited)).toEqual(new Set([meterName(0)]));
  for (const { stop } of [all, limited]) stop();
});

function polled({ events }: { readonly events: readonly HeardEvent[] }): Set<string | undefined> {
  return new Set(events.flatMap((each) => (each.event === "meterPolled" ? [each.meter] : [])));
}

interface HeardEvent {
  readonly event: string;
  readonly meter?: string | undefined;
}

async function listen(as: string): Promise<{ readonly events: HeardEvent[]; readonly stop: () => void }> {
  const abort = new AbortController();
  const response = await ask("/v1/live", as, { signal: abort.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const events: HeardEvent[] = [];
  const form = z.object({ event: z.string(), meter: z.string().optional() });
  const read = async () => {
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      for (const line of text.split("\n")) {
        if (line.startsWith("data: ")) events.push(form.parse(JSON.parse(line.slice(6))));
      }
    }
  };
  read().catch(() => undefined);
  return { events, stop: () => abort.abort() };
}

test("http api: a token made over it works, and one revoked does not; both are in the log, which is whole", async () => {
  const made = await post("/v1/tokens", "admin", { name: "other", role: "reader", days: 1 });
  const form = z.object({ id: z.string(), token: z.string() });
  const { id, token } = form.parse(await made.json());
  expect((await ask("/v1/tokens", "admin").then((response) => response.text())).includes(token)).toBe(false);
  expect((await ask("/v1/meters", token)).status).toBe(200);
  expect((await ask(`/v1/tokens/${id}`, "admin", { method: "DELETE" })).status).toBe(204);
  expect((await ask("/v1/meters", token)).status).toBe(401);
  const { database } = over.gateway;
  const logged = await database.query("select event, actor from dlms.event_logs where subject = $1 order by 1", [
    `token ${id}`,
  ]);
  expect(logged).toEqual([
    { event: "apiTokenCreated", actor: "token test admin" },
    { event: "apiTokenRevoked", actor: "token test admin" },
  ]);
  expect(await eventLogFaults(database)).toEqual([]);
  const all = JSON.stringify(await database.query("select * from dlms.event_logs"), (_, held) =>
    typeof held === "bigint" ? String(held) : held,
  );
  for (const text of [token, ...tokens.values()]) expect(all.includes(text)).toBe(false);
});

test("http api: its description names every resource, and health says how the database is", async () => {
  const form = z.object({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) });
  const document = form.parse(await (await ask("/openapi.json", undefined)).json());
  expect(document.openapi).toBe("3.1.0");
  for (const path of ["/v1/meters", "/v1/reads/{id}", "/v1/meters/{meter}/profiles/{kind}", "/v1/live"]) {
    expect(Object.keys(document.paths)).toContain(path);
  }
  const health = await ask("/v1/health", undefined);
  expect(await health.json()).toMatchObject({ ok: true });
});

test("http api: octets are told as a tree", async () => {
  const response = await post("/v1/decode", "reader", { hex: "C001C100080000010000FF0200" });
  expect(await response.json()).toMatchObject({ layer: "apdu", damaged: false, nodes: [expect.anything()] });
});
