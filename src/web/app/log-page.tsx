import type { LogEntry, Page } from "./answers.ts";
import { useResource } from "./api.ts";
import { Badge, Loaded, Pager, Table, Time } from "./parts.tsx";
import { stay, usePlace } from "./route.tsx";

const LEVELS: Readonly<Record<string, "bad" | "warn" | "quiet">> = { error: "bad", warn: "warn" };

/** What happened in the gateway, and what people changed in it. */
export function LogPage() {
  const { searchParams } = usePlace();
  const after = searchParams.get("after") ?? "";
  const changes = searchParams.get("changes") ?? "";
  const query = new URLSearchParams({
    limit: "100",
    from: "2000-01-01T00:00:00Z",
    ...(after && { after }),
    ...(changes && { changes }),
  });
  const log = useResource<Page<LogEntry>>(`/v1/log?${query}`);
  return (
    <>
      <h1>Log of the gateway</h1>
      <label class="choice">
        <input
          type="checkbox"
          checked={changes !== ""}
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
                { title: "details", cell: ({ details }) => (details ? <code>{JSON.stringify(details)}</code> : "") },
              ]}
            />
            <Pager
              next={next}
              first={after === ""}
              onNext={() => stay({ after: next ?? undefined })}
              onFirst={() => stay({ after: undefined })}
            />
          </>
        )}
      </Loaded>
    </>
  );
}
