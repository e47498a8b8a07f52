import type { LogEntry, Page } from "./answers.ts";
import { useResource } from "./api.ts";
import { LONG_AGO, Pager, usePageQuery } from "./pager.tsx";
import { Badge, Loaded, Table, Time } from "./parts.tsx";
import { stay } from "./route.tsx";

const LEVELS: Readonly<Record<string, "bad" | "warn" | "quiet">> = { error: "bad", warn: "warn" };

/** What happened in the gateway, and what people changed in it. */
export function LogPage() {
  const query = usePageQuery(["changes"], { limit: "100", from: LONG_AGO });
  const log = useResource<Page<LogEntry>>(`/v1/log?${query}`);
  return (
    <>
      <h1>Log of the gateway</h1>
      <label class="choice">
        <input
          type="checkbox"
          checked={query.has("changes")}
          onChange={({ currentTarget }) =>
            stay({ changes: currentTarget.checked ? "true" : undefined, after: undefined })
          }
        />
        only what people changed
      </label>
      <Loaded from={log}>
        {({ items, next }) => (
          <>
            <Table
              label="log"
              none="nothing happened"
              rows={items}
              columns={[
                { title: "when", cell: ({ occurredAt }) => <Time at={occurredAt} /> },
                { title: "level", cell: ({ level }) => <Badge kind={LEVELS[level] ?? "quiet"}>{level}</Badge> },
                { title: "what", cell: ({ message }) => message },
                { title: "about", cell: ({ subject }) => subject },
                { title: "who", cell: ({ actor }) => actor },
                {
                  title: "details",
                  cell: ({ details }) => (details ? <code class="words">{JSON.stringify(details)}</code> : ""),
                },
              ]}
            />
            <Pager next={next} />
          </>
        )}
      </Loaded>
    </>
  );
}
