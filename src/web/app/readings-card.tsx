import type { Readings } from "./answers.ts";
import { useResource } from "./api.ts";
import { Card, Loaded, plain, Table } from "./parts.tsx";

const YEARS_BACK = "2000-01-01T00:00:00Z";

/** The newest rows of a profile, a column for each, so that long rows are read downwards. */
export function ReadingsCard({ path, kind, title, rows }: { path: string; kind: string; title: string; rows: number }) {
  const readings = useResource<Readings>(`${path}/profiles/${kind}?newest=true&limit=${rows}&from=${YEARS_BACK}`);
  return (
    <Card title={title}>
      <Loaded from={readings}>
        {({ items, columns }) => (
          <Table
            label={title}
            none="nothing is held"
            rows={columns}
            columns={[
              { title: "what", cell: ({ meaning }) => meaning.replace(/\.$/, "") },
              ...items.map((item) => ({
                title: item.at.slice(0, 16).replace("T", " "),
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
