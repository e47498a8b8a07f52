import type { Overview } from "./answers.ts";
import { useResource } from "./api.ts";
import { Age, Card, count, Loaded, percent, Table } from "./parts.tsx";

type Group = Overview["groups"][number];

const REFRESH_MS = 30_000;
/** Largest groups of a kind that are listed. */
const GROUPS_SHOWN = 12;

/** The fleet at a glance: who answers, how much is held, why tries failed. */
export function OverviewPage() {
  const overview = useResource<Overview>("/v1/overview", REFRESH_MS);
  return (
    <>
      <h1>Fleet</h1>
      <Loaded from={overview}>{(answer) => <Glance answer={answer} />}</Loaded>
    </>
  );
}

function Glance({ answer: { fleet, groups, days, causes, pushes, countedAt } }: { answer: Overview }) {
  const { meters, answering, failing, current } = fleet;
  const today = days.at(-1);
  return (
    <>
      <ul class="figures">
        <Figure value={count(meters)} says="meters" />
        <Figure value={count(answering)} says={`answered the last time (${percent(answering, meters)})`} />
        <Figure value={count(failing)} says="did not answer the last time" bad={failing > 0} />
        <Figure value={count(meters - answering - failing)} says="not tried yet" />
        <Figure value={percent(current, meters)} says="hold the block load of the interval that ended last" />
        <Figure
          value={today === undefined ? "–" : percent(today.held, today.due)}
          says="of today's block load is held"
        />
      </ul>
      <div class="grid">
        <Card title="Block load held, by day (UTC)">
          <Days days={days} />
        </Card>
        <Card title="Why tries failed in the last day">
          <Table
            label="causes of failed tries"
            none="no try failed"
            rows={causes}
            columns={[
              { title: "cause", cell: ({ cause }) => cause },
              { title: "meters", number: true, cell: (row) => count(row.meters) },
              { title: "tries", number: true, cell: ({ tries }) => count(tries) },
            ]}
          />
        </Card>
        <Groups by="network" title="Networks" groups={groups} />
        <Groups by="maker" title="Makers" groups={groups} />
        <Groups by="companion" title="Companion specifications" groups={groups} />
        <Card title="Pushes in the last day">
          <Table
            label="pushes by outcome"
            none="no meter has pushed"
            rows={pushes}
            columns={[
              { title: "outcome", cell: ({ outcome }) => outcome },
              { title: "pushes", number: true, cell: (row) => count(row.count) },
            ]}
          />
        </Card>
      </div>
      <p class="quiet">
        counted <Age at={countedAt} />
      </p>
    </>
  );
}

function Groups({ by, title, groups }: Pick<Overview, "groups"> & { by: Group["by"]; title: string }) {
  const all = groups.filter((group) => group.by === by);
  const rest = all.length - GROUPS_SHOWN;
  return (
    <Card title={title}>
      <Table
        label={title}
        none="there are no meters yet: add them to the configuration"
        rows={all.slice(0, GROUPS_SHOWN)}
        columns={[
          { title: by, cell: ({ name }) => name ?? "not known" },
          { title: "meters", number: true, cell: (row) => count(row.meters) },
          { title: "answered", number: true, cell: (row) => percent(row.answering, row.meters) },
          { title: "failing", number: true, cell: (row) => count(row.failing) },
          { title: "current", number: true, cell: (row) => percent(row.current, row.meters) },
        ]}
      />
      {rest > 0 && <p class="quiet">and {count(rest)} smaller</p>}
    </Card>
  );
}

function Figure({ value, says, bad = false }: { value: string; says: string; bad?: boolean }) {
  return (
    <li class={bad ? "figure bad" : "figure"}>
      <strong>{value}</strong>
      <span>{says}</span>
    </li>
  );
}

function Days({ days }: { days: Overview["days"] }) {
  if (days.length === 0) return <p class="quiet">nothing has been read yet</p>;
  return (
    <ol class="bars">
      {days.map(({ day, due, held }) => (
        <li key={day} title={`${day}: ${count(held)} of ${count(due)} slots`}>
          <span class="bar" style={{ height: `${due === 0 ? 0 : (held / due) * 100}%` }} />
          <span class="label">{day.slice(8)}</span>
          <span class="hidden">{`${day}: ${percent(held, due)}`}</span>
        </li>
      ))}
    </ol>
  );
}
