/** The pages of the gateway: one program in the browser, over the gateway's own API. */
import { render } from "preact";
import { useEffect } from "preact/hooks";
import type { Session } from "./answers.ts";
import { SESSION, SIGNED_OUT, sendJson, useResource } from "./api.ts";
import { CoveragePage } from "./coverage-page.tsx";
import { DecodePage } from "./decode-page.tsx";
import { EventsPage } from "./events-page.tsx";
import { LevelsPage } from "./levels-page.tsx";
import { LivePage } from "./live-page.tsx";
import { LogPage } from "./log-page.tsx";
import { MeterPage } from "./meter-page.tsx";
import { MetersPage } from "./meters-page.tsx";
import { OverviewPage } from "./overview-page.tsx";
import { PushesPage } from "./pushes-page.tsx";
import { go, Link, usePlace } from "./route.tsx";
import { SendersPage } from "./senders-page.tsx";
import { SignIn } from "./sign-in.tsx";
import { TracePage } from "./trace-page.tsx";
import { WorkPage } from "./work-page.tsx";
// oxlint-disable-next-line import/no-unassigned-import -- a style sheet has no name
import "./style.css";

const PLACES = [
  { path: "/", says: "Fleet", page: OverviewPage },
  { path: "/meters", says: "Meters", page: MetersPage },
  { path: "/coverage", says: "Coverage", page: CoveragePage },
  { path: "/events", says: "Events", page: EventsPage },
  { path: "/pushes", says: "Pushes", page: PushesPage },
  { path: "/senders", says: "Unknown senders", page: SendersPage },
  { path: "/work", says: "Work", page: WorkPage },
  { path: "/levels", says: "Service levels", page: LevelsPage },
  { path: "/live", says: "Live", page: LivePage },
  { path: "/log", says: "Log", page: LogPage },
  { path: "/translator", says: "Translator", page: DecodePage },
] as const;

const ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;

function App() {
  const session = useResource<Session>(SESSION);
  const { pathname } = usePlace();
  useSearchKey();
  useEffect(() => {
    addEventListener(SIGNED_OUT, session.reload);
    return () => removeEventListener(SIGNED_OUT, session.reload);
  }, [session.reload]);
  if (session.problem?.status === 401) return <SignIn onDone={session.reload} />;
  if (session.answer === undefined) return <p class="quiet">{session.problem?.message ?? "loading …"}</p>;
  const { actor, role } = session.answer;
  const leave = () => void sendJson("DELETE", SESSION).then(session.reload);
  return (
    <>
      <a class="skip" href="#main">
        to the content
      </a>
      <header class="top">
        <strong>dlms-gateway</strong>
        <nav aria-label="pages">
          {PLACES.map(({ path, says }) => (
            <Link key={path} to={path} current={path === "/" ? pathname === "/" : pathname.startsWith(path)}>
              {says}
            </Link>
          ))}
        </nav>
        <span class="who">
          {actor} ({role}){" "}
          <button type="button" onClick={leave}>
            sign out
          </button>
        </span>
      </header>
      <main id="main" tabIndex={-1}>
        <Content pathname={pathname} />
        <p class="quiet">Times are by the clock of this computer, {ZONE}, unless they say UTC.</p>
      </main>
    </>
  );
}

function Content({ pathname }: { pathname: string }) {
  useEffect(sayWhere, [pathname]);
  const meter = /^\/meters\/(?<name>[^/]+)$/.exec(pathname)?.groups?.["name"];
  if (meter !== undefined) return <MeterPage key={meter} name={decodeURIComponent(meter)} />;
  const traced = /^\/meters\/(?<name>[^/]+)\/trace$/.exec(pathname)?.groups?.["name"];
  if (traced !== undefined) return <TracePage key={traced} name={decodeURIComponent(traced)} />;
  const place = PLACES.find(({ path }) => path === pathname);
  if (place === undefined) return <p>There is no such page.</p>;
  return <place.page />;
}

/** The window is named after the page; on a phone, the page's link may be out of sight. */
function sayWhere(): void {
  document.title = `${document.querySelector("h1")?.textContent ?? "no page"} – dlms-gateway`;
  const link = document.querySelector<HTMLElement>("nav [aria-current]");
  const links = link?.parentElement;
  if (!link || !links) return;
  const middle = link.offsetLeft - links.offsetLeft + link.offsetWidth / 2;
  links.scrollLeft = middle - links.clientWidth / 2;
}

/** "/" leads to the search for meters from everywhere. */
function useSearchKey(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (location.pathname !== "/meters") go("/meters");
      requestAnimationFrame(() => document.getElementById("search")?.focus());
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
