import type { MeterEvent, Page } from "./answers.ts";
import { useResource } from "./api.ts";
import { LONG_AGO, Pager, usePageQuery } from "./pager.tsx";
import { Badge, Loaded, Table, Time } from "./parts.tsx";
import { Link, meterPlace } from "./route.tsx";

const SEVERITIES: Readonly<Record<string, "bad" | "warn">> = { alarm: "bad", warning: "warn" };

/** What meters told of, newest first. */
export function EventsPage() {
  const query = usePageQuery([], { limit: "100", from: LONG_AGO });
  const events = useResource<Page<MeterEvent>>(`/v1/events?${query}`);
  return (
    <>
      <h1>Events of meters</h1>
      <Loaded from={events}>
        {({ items, next }) => (
          <>
            <EventTable items={items} withMeter />
            <Pager next={next} />
          </>
        )}
      </Loaded>
    </>
  );
}

export function EventTable({ items, withMeter }: { items: readonly MeterEvent[]; withMeter: boolean }) {
  const meter = {
    title: "meter",
    cell: (event: MeterEvent) => <Link to={meterPlace(event.meter)}>{event.meter}</Link>,
  };
  return (
    <Table
      label="events"
      none="nothing happened"
      rows={items}
      columns={[
        { title: "when", cell: ({ occurredAt }) => <Time at={occurredAt} /> },
        ...(withMeter ? [meter] : []),
        { title: "event", cell: ({ name, code }) => name ?? `code ${code}` },
        { title: "severity", cell: ({ severity }) => <Badge kind={SEVERITIES[severity] ?? "quiet"}>{severity}</Badge> },
        { title: "ended", cell: ({ restoredAt }) => restoredAt && <Time at={restoredAt} /> },
        { title: "log", cell: ({ log }) => log },
        { title: "by", cell: ({ source }) => source },
      ]}
    />
  );
}
