/**
 * Takes the pictures of docs/pages anew, of a street with data: `node test/web/take-pictures.ts`. With a directory as
 * argument every page goes there, light and dark, for a desk and for a phone.
 */
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { ApiTokens } from "../../src/api/tokens.ts";
import { appendEventLog } from "../../src/store/records/event-log.ts";
import { startBrowser } from "../e2e/browser.ts";
import { gatewayOverStreet } from "../e2e/street.ts";

const HOUSES = 24;
const FAULTS = {
  1: "wrong-keys",
  3: "answers-nothing",
  5: "refuses-association",
  9: "busy",
  7: "power-cuts",
  14: "power-cuts",
  18: "power-cuts",
} as const;
const DESK = { width: 1280, height: 1000 };
const PHONE = { width: 390, height: 844 };
const DOCS = join(import.meta.dirname, "../../docs/pages");
/** What is shown in docs/pages.md. */
const PICTURES = [
  { name: "fleet", path: "/" },
  { name: "coverage", path: "/coverage" },
  { name: "meter", path: "/meters/METER" },
  { name: "trace", path: "/meters/METER/trace" },
  { name: "work", path: "/work" },
  { name: "levels", path: "/levels" },
  { name: "fleet-dark", path: "/", dark: true },
  { name: "meter-phone", path: "/meters/METER", phone: true },
  { name: "work-phone", path: "/work", phone: true },
] as const;
const OTHERS = ["/meters", "/events", "/pushes", "/senders", "/live", "/log", "/translator"] as const;
/** As if meters had been read all the time: most of it soon, some late. */
const IN_TIME = `
  update dlms.block_load_profile_data
  set read_at = captured_at + case when random() < 0.97 then interval '5 minutes' else interval '9 hours' end
  where captured_at < date_trunc('day', now())`;
const ASKED_BEFORE = `
  insert into dlms.meter_requests (request_id, meter_id, kind, asked_at, ended_at, done, actor)
  select gen_random_uuid(), m.id, k.kind, d.at, d.at + make_interval(secs => 2 + 8 * random()), random() < 0.98, 'local ann'
  from public.meters m
  cross join (values ('read'), ('disconnect'), ('reconnect')) k (kind)
  cross join generate_series(now() - interval '7 days', now() - interval '1 day', interval '1 day') d (at)`;

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly dark?: boolean;
  readonly phone?: boolean;
}

const [directory] = process.argv.slice(2);
const browser = await startBrowser();
if (typeof browser === "string") throw new Error(browser);
await using over = await gatewayOverStreet(
  { count: HOUSES, faults: FAULTS },
  {
    configure: (config) => {
      config.api = { listen: { port: 0 } };
      config.sharing = { name: "north-1" };
      config.plans = (["instant", "block_load", "daily_load", "billing", "events"] as const).map((profile) => {
        return { profile, every: profile === "billing" ? "1d" : "15m", history: "21d" };
      });
      config.serviceLevels = ["95% of slots within 8h", "99% of slots within 24h", "90% of reads within 10m"];
      const names = (config.meters ?? []).map(({ name }) => name);
      config.collections = [{ name: "feeder-7", meters: names.slice(10, 20) }];
    },
  },
);
const { database, pages = "" } = over.gateway;
await over.gateway.pollOnce();
await database.query(IN_TIME);
await database.query(ASKED_BEFORE);
over.gateway.run();
const tokens = new ApiTokens(database, (entries) => appendEventLog(database, entries));
const expiresAt = new Date(Date.now() + 3_600_000);
const token = (await tokens.create({ name: "ann", role: "engineer", expiresAt }, "pictures")).text;
const meter = over.street.meters[12]?.name ?? "";
for (const picture of directory === undefined ? PICTURES : allPages()) {
  await take(browser, picture, join(directory ?? DOCS, `${picture.name}.png`));
}
await browser.close();

function allPages(): Picture[] {
  const places = [...new Set([...PICTURES.map(({ path }) => path), ...OTHERS])];
  return [false, true].flatMap((dark) =>
    [false, true].flatMap((phone) =>
      places.map((path) => {
        const name = path === "/" ? "fleet" : path.slice(1).replaceAll("/", "-");
        return { name: `${name}${dark ? "-dark" : ""}${phone ? "-phone" : ""}`, path, dark, phone };
      }),
    ),
  );
}

async function take(chromium: Browser, { path, dark = false, phone = false }: Picture, file: string): Promise<void> {
  await using context = await chromium.newContext({
    colorScheme: dark ? "dark" : "light",
    viewport: phone ? PHONE : DESK,
    deviceScaleFactor: phone ? 2 : 1,
    locale: "en-GB",
  });
  await context.addCookies([{ name: "dlms_gateway_token", value: token, url: pages }]);
  const page = await context.newPage();
  await page.goto(pages + path.replace("METER", meter));
  await page.locator("h1").waitFor();
  await page.getByText("loading …").first().waitFor({ state: "detached" });
  if (path.startsWith("/meters/")) await readNow(page, path.endsWith("/trace"));
  if (path === "/translator") await translate(page);
  await page.screenshot({ path: file, fullPage: directory !== undefined });
}

async function readNow(page: Page, isTrace: boolean): Promise<void> {
  if (isTrace) await page.getByText("waiting for the next session").waitFor();
  await page.getByRole("button", { name: "read" }).click();
  await page.getByRole("region", { name: "what the meter answered" }).waitFor();
  if (!isTrace) return;
  const answer = page.locator("details").nth(3);
  await answer.locator("summary").click();
}

async function translate(page: Page): Promise<void> {
  await page.getByRole("textbox").fill("c001c100080000010000ff0200");
  await page.getByRole("button", { name: "translate" }).click();
  await page.getByText("Read as").waitFor();
}
