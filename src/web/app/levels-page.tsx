import type { RequestTimes, ServiceLevel, ServiceLevels } from "./answers.ts";
import { useResource } from "./api.ts";
import { Badge, count, duration, Loaded, Table } from "./parts.tsx";
import { stay, usePlace } from "./route.tsx";

const DAY_MS = 86_400_000;
const DAYS = 7;

/** How much came in time and how long people waited, by group and day, judged by the thresholds of the configuration. */
export function LevelsPage() {
  const { searchParams } = usePlace();
  const to = searchParams.get("to") ?? dayBefore(1);
  const from = searchParams.get("from") ?? dayBefore(DAYS);
  const group = searchParams.get("group") ?? "";
  const query = new URLSearchParams({ from, to, ...(group !== "" && { group }) });
  const levels = useResource<ServiceLevels>(`/v1/reports/sla?${query}`);
  return (
    <>
      <h1>Service levels</h1>
      <div class="row">
        <label>
          From
          <input type="date" value={from} onChange={({ currentTarget }) => stay({ from: currentTarget.value })} />
        </label>
        <label>
          To (UTC)
          <input type="date" value={to} onChange={({ currentTarget }) => stay({ to: currentTarget.value })} />
        </label>
        <label>
          Group
          <input type="search" value={group} onChange={({ currentTarget }) => stay({ group: currentTarget.value })} />
        </label>
      </div>
      <Loaded from={levels}>
        {({ items, thresholds }) => (
          <>
            <p class="quiet">
              {thresholds.length === 0
                ? "Nothing is judged: serviceLevels of the configuration has no thresholds."
                : `Judged by: ${thresholds.join(", ")}.`}
            </p>
            <LevelTable levels={items} isJudged={thresholds.length > 0} />
            <p class="quiet">
              Reads and switching: how many of those asked were done, and how long 95 of 100 took at most.
            </p>
          </>
        )}
      </Loaded>
    </>
  );
}

function LevelTable({ levels, isJudged }: { levels: readonly ServiceLevel[]; isJudged: boolean }) {
  return (
    <Table
      label="service levels by group and day"
      none="no meter's intervals are known on these days, and nothing was asked"
      rows={levels}
      columns={[
        { title: "group", cell: ({ group }) => group },
        { title: "day", cell: ({ day }) => <time>{day}</time> },
        ...(isJudged ? [{ title: "result", cell: Result }] : []),
        { title: "meters", number: true, cell: ({ meters }) => count(meters) },
        { title: "slots due", number: true, cell: ({ due }) => count(due) },
        { title: "within 1 h", number: true, cell: ({ within1h }) => shareText(within1h) },
        { title: "8 h", number: true, cell: ({ within8h }) => shareText(within8h) },
        { title: "24 h", number: true, cell: ({ within24h }) => shareText(within24h) },
        { title: "pushes", number: true, cell: ({ pushes }) => pushesText(pushes) },
        { title: "reads", number: true, cell: ({ reads }) => timesText(reads) },
        { title: "disconnections", number: true, cell: ({ disconnects }) => timesText(disconnects) },
        { title: "reconnections", number: true, cell: ({ reconnects }) => timesText(reconnects) },
      ]}
    />
  );
}

function Result({ below }: ServiceLevel) {
  if (below.length === 0) return <Badge kind="good">kept</Badge>;
  return below.map((threshold) => (
    <Badge key={threshold} kind="bad">
      below {threshold}
    </Badge>
  ));
}

/** Cut, not rounded: 99.99 % is not all. */
function shareText(share: number | null): string {
  return share === null ? "–" : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}

function pushesText({ received, expected, share }: ServiceLevel["pushes"]): string {
  return share === null ? "–" : `${shareText(share)} (${count(received)} of ${count(expected)})`;
}

/** How many were done of those asked, and how long 95 of 100 took at most. */
function timesText({ asked, done, p95Ms }: RequestTimes): string {
  if (asked === 0) return "–";
  const times = p95Ms === null ? "" : ` ≤ ${duration(p95Ms)}`;
  return `${count(done)}/${count(asked)}${times}`;
}

function dayBefore(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, "2026-01-31".length);
}
