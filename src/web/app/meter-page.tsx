import { useMemo } from "preact/hooks";
import type { Attempt, Gap, Meter, MeterEvent, Page } from "./answers.ts";
import { useResource } from "./api.ts";
import { EventTable } from "./events-page.tsx";
import { LoadChart } from "./load-chart.tsx";
import { Age, Badge, Card, Loaded, Notice, Table, Time } from "./parts.tsx";
import { PhasorCard } from "./phasors.tsx";
import { ReadNow } from "./read-now.tsx";
import { ReadingsCard, useNewest } from "./readings-card.tsx";
import { Link, meterPlace, stay, usePlace } from "./route.tsx";

const DAY_MS = 86_400_000;
const BILLS_SHOWN = 6;
const SPANS = [
  { days: 1, says: "a day" },
  { days: 7, says: "a week" },
  { days: 31, says: "a month" },
] as const;

/** One meter: how it answers, what it captured, what is missing and why, what happened. */
export function MeterPage({ name }: { name: string }) {
  const path = `/v1/meters/${encodeURIComponent(name)}`;
  const meter = useResource<Meter>(path);
  const wanted = Number(usePlace().searchParams.get("days"));
  const { days } = SPANS.find((span) => span.days === wanted) ?? { days: 7 };
  const range = useMemo(() => {
    const to = Date.now();
    return new URLSearchParams({ from: new Date(to - days * DAY_MS).toISOString(), to: new Date(to).toISOString() });
  }, [days]);
  const gaps = useResource<{ items: readonly Gap[]; complete: boolean }>(`${path}/gaps?${range}`);
  const attempts = useResource<Page<Attempt>>(`${path}/attempts?limit=20&${range}`);
  const events = useResource<Page<MeterEvent>>(`/v1/events?meter=${encodeURIComponent(name)}&limit=100&${range}`);
  const instant = useNewest(path, "instant", 1);
  const billing = useNewest(path, "billing", BILLS_SHOWN);
  return (
    <>
      <h1>{name}</h1>
      <Loaded from={meter}>{(answer) => <Identity meter={answer} />}</Loaded>
      <p>
        <Link to={`${meterPlace(name)}/trace`}>Frames as they pass</Link>
      </p>
      <ReadNow
        meter={name}
        onDone={() => [meter, gaps, attempts, instant, billing].forEach(({ reload }) => reload())}
      />
      <fieldset class="choice">
        <legend>Show</legend>
        {SPANS.map((span) => (
          <label key={span.days}>
            <input
              type="radio"
              name="days"
              checked={span.days === days}
              onChange={() => stay({ days: String(span.days) })}
            />
            {span.says}
          </label>
        ))}
      </fieldset>
      <LoadChart path={path} range={range} events={events.answer?.items ?? []} />
      <Card title="Readings that are not there">
        <Loaded from={gaps}>{({ items, complete }) => <Gaps items={items} complete={complete} />}</Loaded>
      </Card>
      <div class="grid">
        <PhasorCard instant={instant} />
        <Card title="Events">
          <Loaded from={events}>{({ items }) => <EventTable items={items} withMeter={false} />}</Loaded>
        </Card>
      </div>
      <Card title="Tries">
        <Loaded from={attempts}>{({ items }) => <Attempts items={items} />}</Loaded>
      </Card>
      <ReadingsCard title="Instant values" readings={instant} />
      <ReadingsCard title="Billing" readings={billing} />
    </>
  );
}

function Identity({ meter }: { meter: Meter }) {
  const known: readonly (readonly [string, string | null])[] = [
    ["number", meter.number],
    ["type", meter.type],
    ["maker", meter.maker],
    ["model", meter.model],
    ["firmware", meter.firmware],
    ["companion", meter.companion],
    ["system title", meter.systemTitle],
    ["time zone", meter.timeZone],
    ...Object.entries(meter.attributes),
  ];
  const failed = meter.lastAttempt !== null && !meter.lastAttempt.succeeded ? meter.lastAttempt : undefined;
  return (
    <>
      {failed !== undefined && (
        <Notice kind="bad">
          <strong>{failed.cause}</strong> (<Age at={failed.startedAt} />
          ): {failed.evidence}. {failed.nextStep}.
        </Notice>
      )}
      <dl class="identity">
        {known
          .filter(([, value]) => value !== null && value !== "")
          .map(([term, value]) => (
            <div key={term}>
              <dt>{term}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </>
  );
}

const STATES: Readonly<Record<string, "good" | "bad" | "warn" | "quiet">> = {
  due: "quiet",
  late: "warn",
  missing: "bad",
  gone: "bad",
  "set-aside": "bad",
  off: "quiet",
  unread: "warn",
};

function Gaps({ items, complete }: { items: readonly Gap[]; complete: boolean }) {
  return (
    <>
      <Table
        label="readings that are not there"
        none="every reading is there"
        rows={items.slice(0, 50)}
        columns={[
          { title: "profile", cell: ({ profile }) => profile.replace("_", " ") },
          { title: "from", cell: ({ from }) => <Time at={from} /> },
          { title: "slots", number: true, cell: ({ slots }) => (slots === 0 ? "?" : slots) },
          { title: "state", cell: ({ state }) => <Badge kind={STATES[state] ?? "quiet"}>{state}</Badge> },
          { title: "why", cell: ({ why }) => why },
          { title: "will it come", cell: ({ willCome }) => willCome },
        ]}
      />
      {(items.length > 50 || !complete) && <p class="quiet">and more: dlms-gateway gaps shows all</p>}
    </>
  );
}

function Attempts({ items }: { items: readonly Attempt[] }) {
  return (
    <Table
      label="tries to read the meter"
      none="it has not been tried in this time"
      rows={items}
      columns={[
        { title: "when", cell: ({ startedAt }) => <Time at={startedAt} /> },
        { title: "took", number: true, cell: (row) => `${Date.parse(row.endedAt) - Date.parse(row.startedAt)} ms` },
        { title: "rows", number: true, cell: ({ rows }) => rows },
        {
          title: "result",
          cell: ({ succeeded, cause }) => <Badge kind={succeeded ? "good" : "bad"}>{succeeded ? "read" : cause}</Badge>,
        },
        { title: "evidence", cell: ({ evidence }) => evidence },
      ]}
    />
  );
}
