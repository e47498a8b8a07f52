import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { tcpAddress } from "../../drivers/tcp/address.ts";
import { ApiTokens } from "../../src/api/tokens.ts";
import { appendEventLog } from "../../src/store/records/event-log.ts";
import { startBrowser } from "./browser.ts";
import { type GatewayOverStreet, gatewayOverStreet } from "./street.ts";

const COUNT = 5;
const FAULTS = { 1: "refuses-association" } as const;
const PLACES = [
  "/",
  "/meters",
  "/coverage",
  "/events",
  "/pushes",
  "/senders",
  "/work",
  "/levels",
  "/live",
  "/log",
  "/translator",
] as const;

let over: GatewayOverStreet | undefined;
let browser: Browser | string = "not started";
let context: BrowserContext | undefined;
let base = "";
let token = "";
/** What the pages complained of, or fetched from elsewhere. */
const complaints: string[] = [];

beforeAll(async () => {
  browser = await startBrowser();
  if (typeof browser === "string") return;
  over = await gatewayOverStreet(
    { count: COUNT, faults: FAULTS },
    {
      configure: (config) => {
        config.api = { listen: { port: 0 } };
        config.push = { listen: [{ address: "127.0.0.1:0", transport: "tcp" }] };
        config.serviceLevels = ["95% of slots within 8h", "90% of reads within 10m"];
      },
    },
  );
  const { database, pages = "" } = over.gateway;
  base = pages;
  // An answer about the fleet is kept for half a minute.
  await over.pollOnce();
  const tokens = new ApiTokens(database, (entries) => appendEventLog(database, entries));
  const expiresAt = new Date(Date.now() + 3_600_000);
  token = (await tokens.create({ name: "tester", role: "admin", expiresAt }, "test")).text;
}, 400_000);
afterAll(async () => {
  if (typeof browser !== "string") await browser.close();
  await over?.[Symbol.asyncDispose]();
});
beforeEach((test) => test.skip(typeof browser === "string", typeof browser === "string" ? browser : ""));
afterEach(async () => {
  await context?.close();
  const told = complaints.splice(0);
  if (told.length > 0) throw new Error(`the page complained, or fetched from elsewhere: ${told.join("; ")}`);
});

async function open(place: string, { colorScheme = "light", signedIn = true } = {}): Promise<Page> {
  if (typeof browser === "string") throw new Error(browser);
  context = await browser.newContext({ colorScheme: colorScheme === "dark" ? "dark" : "light" });
  if (signedIn) await context.addCookies([{ name: "dlms_gateway_token", value: token, url: base }]);
  const page = await context.newPage();
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) complaints.push(request.url());
  });
  await page.goto(base + place);
  return page;
}

function meterName(house: number): string {
  return over?.street.meters[house]?.name ?? "";
}

test("pages: a wrong token is refused in words, a link with a right one signs in and leaves no trace of it", async () => {
  const page = await open("/", { signedIn: false });
  await page.getByLabel("Token").fill("dgw_wrong");
  await page.getByRole("button", { name: "sign in" }).click();
  await page.getByText("the token is not valid").waitFor();
  await page.goto(`${base}/#token=${token}`);
  await page.reload();
  await page.getByRole("heading", { name: "Fleet" }).waitFor();
  expect(page.url()).toBe(`${base}/`);
  expect(await page.evaluate("document.cookie")).toBe("");
  await page.getByRole("button", { name: "sign out" }).click();
  await page.getByLabel("Token").waitFor();
});

test("pages: whose token is gone is asked for another at the next request", async () => {
  const page = await open("/");
  await page.getByRole("heading", { name: "Fleet" }).waitFor();
  await context?.clearCookies();
  await page.getByRole("link", { name: "Meters", exact: true }).click();
  await page.getByLabel("Token").waitFor();
  expect(await page.getByRole("heading", { name: "Meters" }).count()).toBe(0);
});

test("pages: the fleet shows how many meters answer, and why the others do not", async () => {
  const page = await open("/");
  await expect.poll(() => page.locator(".figure").allInnerTexts()).toHaveLength(6);
  await expect.poll(() => page.locator(".figure strong").first().innerText()).toBe(String(COUNT));
  await page.getByRole("cell", { name: "association refused" }).waitFor();
  expect(await page.locator(".bars .bar").count()).toBeGreaterThan(1);
});

test("pages: a meter is found by keys alone, and shows its load, its tries and what it answers now", async () => {
  const page = await open("/");
  await page.getByRole("heading", { name: "Fleet" }).waitFor();
  await page.keyboard.press("/");
  await page.locator("#search:focus").waitFor();
  await page.keyboard.type(meterName(0));
  const link = page.getByRole("link", { name: meterName(0), exact: true });
  await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
  await link.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: meterName(0) }).waitFor();
  await page.locator(".chart canvas").waitFor();
  await page.getByRole("region", { name: "tries to read the meter" }).getByText("read").first().waitFor();
  await page.getByRole("button", { name: "read", exact: true }).click();
  const answer = page.getByRole("region", { name: "what the meter answered" });
  await expect.poll(() => answer.locator("td").first().innerText(), { timeout: 20_000 }).toMatch(/20\d\d/);
  await page.getByLabel("Read now").selectOption("block load");
  await page.getByRole("button", { name: "read", exact: true }).click();
  await expect.poll(() => answer.locator("tr").count(), { timeout: 20_000 }).toBeGreaterThan(10);
});

test("pages: a meter that fails says its cause and what to do", async () => {
  const page = await open(`/meters/${meterName(1)}`);
  await page.getByRole("alert").getByText("association refused").waitFor();
  await page.getByRole("button", { name: "read", exact: true }).click();
  await expect.poll(() => page.getByRole("alert").count(), { timeout: 20_000 }).toBe(2);
});

test("pages: the map of coverage is walked with arrow keys and leads to a meter", async () => {
  const page = await open("/coverage");
  const map = page.locator("canvas.heat-map");
  await map.focus();
  await page.keyboard.press("ArrowDown");
  await page.getByText(/% held|nothing expected/).waitFor();
  await page.keyboard.press("Enter");
  await expect.poll(() => new URL(page.url()).pathname).toMatch(/^\/meters\/./);
});

test("pages: what happens is shown while it happens", async () => {
  const page = await open("/live");
  await page.getByText("listening").waitFor();
  await over?.gateway.pollOnce();
  await expect.poll(() => page.getByRole("cell", { name: "meterPolled" }).count()).toBeGreaterThan(0);
});

test("pages: who works what, how long it waits, and what is read how often is shown", async () => {
  const page = await open("/work");
  const lanes = page.getByRole("region", { name: /^lanes/ });
  await lanes.getByRole("cell", { name: "scheduled" }).waitFor();
  await page.getByText(`waiting for ${COUNT} meters`).waitFor();
  await page.getByLabel("waiting").check();
  await page.getByText("nothing of the kind").waitFor();
  await page.getByLabel("all").check();
  await page.getByRole("region", { name: "gateways" }).getByText("(this one)").waitFor();
  await expect.poll(() => page.getByRole("region", { name: "plans" }).locator("tbody tr").count()).toBeGreaterThan(2);
});

test("pages: service levels by group and day are judged by the thresholds of the configuration", async () => {
  const page = await open("/levels");
  const table = page.getByRole("region", { name: "service levels by group and day" });
  await expect.poll(() => table.locator("tbody tr").count()).toBe(7);
  await page.getByText("Judged by: 95% of slots within 8h, 90% of reads within 10m.").waitFor();
  // All of the last week was read just now.
  expect(await table.getByText("below 95% of slots within 8h").count()).toBeGreaterThan(4);
  await page.getByRole("searchbox", { name: "Group" }).fill("nobody");
  await page.keyboard.press("Enter");
  await page.getByText("no meter's intervals are known on these days").waitFor();
});

test("pages: pushes are listed by what became of them, and lead to their meters", async () => {
  const [meter] = over?.street.meters ?? [];
  const listening = over?.events.find((event) => event.event === "pushListening");
  const [setup = ""] = meter?.pushSetups ?? [];
  await over?.street.push(meterName(0), setup, { ...tcpAddress(listening?.address ?? ""), transport: "tcp" });
  const page = await open("/pushes");
  await page.getByText("every push that is expected has come").waitFor();
  await page.getByText("no push setup has been compared or carried out yet").waitFor();
  await page.getByLabel("rejected").check();
  await page.getByText("no push has come").waitFor();
  await page.getByLabel("all").check();
  const pushes = page.getByRole("region", { name: "pushes", exact: true });
  await pushes.getByRole("link", { name: meterName(0) }).click();
  await expect.poll(() => page.locator("h1").innerText()).toBe(meterName(0));
});

test("pages: the frames of a meter are shown as they pass, each to be opened", async () => {
  const page = await open(`/meters/${meterName(0)}/trace`);
  await page.getByText("waiting for the next session").waitFor();
  await page.getByRole("button", { name: "read", exact: true }).click();
  await page.getByText("ended after").waitFor();
  const asked = page.locator(".frames details", { hasText: "get-request" }).first();
  await asked.locator("summary").click();
  await expect.poll(() => asked.innerText()).toContain("logicalName 0-0:1.0.0*255");
});

test("pages: octets are translated", async () => {
  const page = await open("/translator");
  await page.getByLabel(/Octets/).fill("C001C100080000010000FF0200");
  await page.getByRole("button", { name: "translate" }).click();
  await expect.poll(() => page.locator(".tree").first().innerText()).toMatch(/get-request/i);
});

test("pages: why nothing can be heard is told, and that whoever is signed out has to sign in", async () => {
  const page = await open("/");
  await page.getByRole("heading", { name: "Fleet" }).waitFor();
  await page.route("**/v1/live", (route) => route.fulfill({ status: 503, body: "{}" }));
  await page.getByRole("link", { name: "Live" }).click();
  await page.getByRole("alert").getByText("too many").waitFor();
  await page.unroute("**/v1/live");
  await page.getByRole("button", { name: "hold" }).click();
  await page.getByRole("button", { name: "go on" }).click();
  await page.getByText("listening", { exact: true }).waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
  await page.getByRole("button", { name: "hold" }).click();
  await context?.clearCookies();
  await page.getByRole("button", { name: "go on" }).click();
  await page.getByLabel("Token").waitFor();
});

const ANSWER = `c401c10009${"2f2a".repeat(60).replace(/^/, "78")}`;

test.each([390, 768, 1280])("pages: %i pixels are wide enough, and say where one is", async (width) => {
  const page = await open("/");
  await page.setViewportSize({ width, height: 800 });
  for (const place of [...PLACES, `/meters/${meterName(4)}`]) {
    await page.goto(base + place);
    await page.locator("h1").waitFor();
    await expect.poll(() => page.getByText("loading …").count()).toBe(0);
    if (place === "/translator") {
      await page.getByLabel(/Octets/).fill(ANSWER);
      await page.getByRole("button", { name: "translate" }).click();
      await page.getByText("Read as").waitFor();
    }
    const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    expect([place, await page.evaluate(overflow)]).toEqual([place, 0]);
    const current = await page.locator("nav [aria-current]").boundingBox();
    expect([place, (current?.x ?? -1) >= 0 && (current?.x ?? 0) + (current?.width ?? 0) <= width]).toEqual([
      place,
      true,
    ]);
    await page.getByText(/^Times are by the clock of this computer, .+, unless they say UTC\.$/).waitFor();
    const heading = await page.locator("h1").innerText();
    expect(await page.title()).toBe(`${heading} – dlms-gateway`);
  }
});

test.each(["light", "dark"])("pages: nothing keeps people from using them, in %s", async (colorScheme) => {
  const page = await open("/", { colorScheme });
  for (const place of [...PLACES, `/meters/${meterName(4)}`, `/meters/${meterName(4)}/trace`]) {
    await page.goto(base + place);
    await page.locator("h1").waitFor();
    await expect.poll(() => page.getByText("loading …").count()).toBe(0);
    await page.evaluate(axe.source);
    const found: unknown = await page.evaluate(
      "axe.run().then(({ violations, passes }) => passes.length < 5 ? ['axe saw next to nothing'] : violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0].html}`))",
    );
    expect([place, found]).toEqual([place, []]);
  }
});
