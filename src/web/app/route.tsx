/** Where in the pages somebody is, as the address says it; back and forward work. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

const MOVED = "gateway-moved";

export function go(to: string): void {
  history.pushState(undefined, "", to);
  dispatchEvent(new Event(MOVED));
  document.getElementById("main")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** The same place with other questions, without a new step in the browser's history. */
export function stay(query: Readonly<Record<string, string | undefined>>): void {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  history.replaceState(undefined, "", url);
  dispatchEvent(new Event(MOVED));
}

export function usePlace(): URL {
  const [place, setPlace] = useState(() => new URL(location.href));
  useEffect(() => {
    const moved = () => setPlace(new URL(location.href));
    addEventListener("popstate", moved);
    addEventListener(MOVED, moved);
    return () => {
      removeEventListener("popstate", moved);
      removeEventListener(MOVED, moved);
    };
  }, []);
  return place;
}

export function Link({ to, children, current }: { to: string; children: ComponentChildren; current?: boolean }) {
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} onClick={follow} aria-current={current === true ? "page" : undefined}>
      {children}
    </a>
  );
}

export function meterPlace(name: string): string {
  return `/meters/${encodeURIComponent(name)}`;
}
