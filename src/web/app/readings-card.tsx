import type { Readings } from "./answers.ts";
import { type Resource, useResource } from "./api.ts";
import { LONG_AGO } from "./pager.tsx";
import { Card, Loaded, plain, Table } from "./parts.tsx";

/** The newest rows of a profile, newest first. */
export function useNewest(path: string, kind: string, rows: number): Resource<Readings> {
  return useResource<Readings>(`${path}/profiles/${kind}?newest=true&limit=${rows}&from=${LONG_AGO}`);
}

/** Rows of a profile, a column for each, so that long rows are read downwards. */
export function ReadingsCard({ title, readings }: { title: string; readings: Resource<Readings> }) {
  return (
    <Card title={title}>
      <Loaded from={readings}>
        {({ items, columns }) => (
          <Table
            label={title}
            none="nothing is held"
            rows={columns}
            columns={[
              { title: "what", cell: ({ meaning }) => <div class="words">{meaning.replace(/\.$/, "")}</div> },
              ...items.map((item) => ({
                title: plain(item.at),
                number: true,
                cell: ({ name }: Readings["columns"][number]) => plain(item.values[name]),
              })),
              { title: "unit", cell: ({ unit }) => unit },
            ]}
          />
        )}
      </Loaded>
      <p class="quiet">times in UTC</p>
    </Card>
  );
}
