import { useEffect, useState } from "preact/hooks";
import type { Meter, Page } from "./answers.ts";
import { useResource } from "./api.ts";
import { Pager, usePageQuery } from "./pager.tsx";
import { Age, Badge, Loaded, Table } from "./parts.tsx";
import { Link, meterPlace, stay } from "./route.tsx";

const TYPING_MS = 200;

/** All meters, page by page, found by part of a name or number. */
export function MetersPage() {
  const query = usePageQuery(["search"], { limit: "50" });
  const search = query.get("search") ?? "";
  const meters = useResource<Page<Meter>>(`/v1/meters?${query}`);
  return (
    <>
      <h1>Meters</h1>
      <Search value={search} />
      <Loaded from={meters}>
        {({ items, next }) => (
          <>
            <Table
              label="meters"
              none={
                search === ""
                  ? "there are no meters yet: add them to the configuration"
                  : `no meter has ${search} in its name or number`
              }
              rows={items}
              columns={[
                { title: "name", cell: ({ name }) => <Link to={meterPlace(name)}>{name}</Link> },
                {
                  title: "result",
                  cell: ({ lastAttempt, isKnown }) => <Result attempt={lastAttempt} isKnown={isKnown} />,
                },
                { title: "last try", cell: ({ lastAttempt }) => lastAttempt && <Age at={lastAttempt.startedAt} /> },
                { title: "number", cell: ({ number }) => number },
                { title: "type", cell: ({ type }) => type },
                { title: "companion", cell: ({ companion }) => companion },
              ]}
            />
            <Pager next={next} />
          </>
        )}
      </Loaded>
    </>
  );
}

function Result({ attempt, isKnown }: { attempt: Meter["lastAttempt"]; isKnown: boolean }) {
  if (!isKnown) return <Badge kind="quiet">not asked</Badge>;
  if (attempt === null) return <Badge kind="quiet">not tried yet</Badge>;
  return attempt.succeeded ? <Badge kind="good">read</Badge> : <Badge kind="bad">{attempt.cause ?? "failed"}</Badge>;
}

function Search({ value }: { value: string }) {
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => stay({ search: text, after: undefined }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, value]);
  return (
    <label class="search">
      Search by name or number <kbd>/</kbd>
      <input id="search" type="search" value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
    </label>
  );
}
