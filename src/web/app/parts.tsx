/** What pages are made of. */
import type { ComponentChildren } from "preact";
import type { Resource } from "./api.ts";

export function Card({
  title,
  children,
  aside,
}: {
  title: string;
  children: ComponentChildren;
  aside?: ComponentChildren;
}) {
  return (
    <section class="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** What a resource answered, or why it did not, or that it is on its way. */
export function Loaded<Answer>({
  from,
  children,
}: {
  from: Resource<Answer>;
  children: (answer: Answer) => ComponentChildren;
}) {
  return (
    <>
      {from.problem !== undefined && <Notice kind="bad">{from.problem.message}</Notice>}
      {from.answer === undefined && from.loading && <p class="quiet">loading …</p>}
      {from.answer !== undefined && children(from.answer)}
    </>
  );
}

export function Notice({ kind, children }: { kind: "good" | "bad" | "note"; children: ComponentChildren }) {
  return (
    <p class={`notice ${kind}`} role={kind === "bad" ? "alert" : "status"}>
      {children}
    </p>
  );
}

export function Badge({ kind, children }: { kind: "good" | "bad" | "warn" | "quiet"; children: ComponentChildren }) {
  return <span class={`badge ${kind}`}>{children}</span>;
}

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly number?: boolean;
}

export function Table<Row>({
  label,
  columns,
  rows,
  none,
}: {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  none: string;
}) {
  if (rows.length === 0) return <p class="quiet">{none}</p>;
  return (
    // A table that is too wide is scrolled, by keys too.
    <section class="scroll" tabIndex={0} aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, number }) => (
              <th key={title} scope="col" class={number === true ? "number" : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {columns.map(({ title, cell, number }) => (
                <td key={title} class={number === true ? "number" : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const CLOCK = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

/** A moment on the clock of whoever looks; the exact one is in the title. */
export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={at}>
      {CLOCK.format(new Date(at))}
    </time>
  );
}

const STEPS = [
  [60, "second", 1],
  [3600, "minute", 60],
  [86_400, "hour", 3600],
  [Number.POSITIVE_INFINITY, "day", 86_400],
] as const;
const AGES = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** How long ago it was. */
export function Age({ at }: { at: string }) {
  const seconds = (Date.now() - Date.parse(at)) / 1000;
  const [, unit, size] = STEPS.find(([below]) => Math.abs(seconds) < below) ?? STEPS[3];
  return (
    <time dateTime={at} title={at}>
      {AGES.format(-Math.round(seconds / size), unit)}
    </time>
  );
}

const SPANS = [
  [1000, 1, "ms"],
  [60_000, 1000, "s"],
  [3_600_000, 60_000, "min"],
  [172_800_000, 3_600_000, "h"],
  [Number.POSITIVE_INFINITY, 86_400_000, "d"],
] as const;

/** A length of time in its fitting unit. */
export function duration(ms: number): string {
  const [, size, unit] = SPANS.find(([below]) => ms < below) ?? SPANS[4];
  return `${Math.round((ms / size) * 10) / 10} ${unit}`;
}

const COUNTS = new Intl.NumberFormat();

export function count(value: number): string {
  return COUNTS.format(value);
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return "–";
  const share = part / whole;
  // Only all is 100 %.
  return `${share === 1 ? "100" : Math.min(share * 100, 99.9).toFixed(1)} %`;
}

/** An exact decimal without the zeros behind it; a moment to the minute, in UTC. */
export function plain(value: string | undefined): string {
  if (value === undefined) return "";
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:.*Z$/.test(value)) return value.slice(0, "2026-01-31T00:00".length).replace("T", " ");
  return /^-?\d+\.\d+$/.test(value) ? value.replace(/\.?0+$/, "") : value;
}
