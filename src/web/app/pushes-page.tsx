import type { ExpectedPush, Page, Push, SetupExecution } from "./answers.ts";
import { useResource } from "./api.ts";
import { Choice, LONG_AGO, Pager, usePageQuery } from "./pager.tsx";
import { Age, Badge, Card, Loaded, Table, Time } from "./parts.tsx";
import { Link, meterPlace } from "./route.tsx";

const REFRESH_MS = 10_000;
const OUTCOMES = ["stored", "partial", "rejected"] as const;
const KINDS: Readonly<Record<string, "good" | "warn" | "bad">> = { stored: "good", partial: "warn", rejected: "bad" };

/** What meters sent by themselves, who is silent, and how their push setups stand. */
export function PushesPage() {
  const silence = useResource<Page<ExpectedPush>>("/v1/pushes/silence?limit=100", REFRESH_MS);
  const setups = useResource<{ items: readonly SetupExecution[] }>("/v1/push-setups/history?latestOnly=true&limit=100");
  return (
    <>
      <h1>Pushes</h1>
      <p class="quiet">
        Who pushes without being known is among the <Link to="/senders">unknown senders</Link>.
      </p>
      <Card title="Silent meters">
        <Loaded from={silence}>
          {({ items, next }) => (
            <>
              <SilenceTable expected={items} />
              {next !== null && <p class="quiet">and more: dlms-gateway push silence shows all</p>}
            </>
          )}
        </Loaded>
      </Card>
      <PushHistory />
      <Card title="Push setups of meters, as they stand">
        <Loaded from={setups}>{({ items }) => <SetupTable executions={items} />}</Loaded>
      </Card>
    </>
  );
}

function PushHistory() {
  const query = usePageQuery(["outcome"], { limit: "50", from: LONG_AGO });
  const pushes = useResource<Page<Push>>(`/v1/pushes?${query}`, query.has("after") ? undefined : REFRESH_MS);
  return (
    <Card title="What came">
      <Choice name="outcome" answers={OUTCOMES} />
      <Loaded from={pushes}>
        {({ items, next }) => (
          <>
            <PushTable pushes={items} />
            <Pager next={next} />
          </>
        )}
      </Loaded>
    </Card>
  );
}

function PushTable({ pushes }: { pushes: readonly Push[] }) {
  return (
    <Table
      label="pushes"
      none="no push has come"
      rows={pushes}
      columns={[
        { title: "received", cell: ({ receivedAt }) => <Time at={receivedAt} /> },
        { title: "meter", cell: ({ meter }) => (meter === null ? "unknown" : <MeterLink name={meter} />) },
        { title: "from", cell: ({ peer, transport }) => `${peer} (${transport})` },
        { title: "outcome", cell: (push) => <Badge kind={KINDS[push.outcome] ?? "warn"}>{push.outcome}</Badge> },
        { title: "push setup", cell: ({ pushSetup }) => pushSetup },
        { title: "protection", cell: ({ protection }) => protection },
        { title: "reason and marks", cell: ({ reason, marks }) => [reason ?? [], marks].flat().join(", ") },
      ]}
    />
  );
}

function SilenceTable({ expected }: { expected: readonly ExpectedPush[] }) {
  return (
    <Table
      label="meters that should have pushed and did not"
      none="every push that is expected has come"
      rows={expected}
      columns={[
        { title: "meter", cell: ({ meter }) => <MeterLink name={meter} /> },
        { title: "push setup", cell: ({ pushSetup }) => pushSetup ?? "any" },
        { title: "expected", cell: ({ expectedAt }) => <Age at={expectedAt} /> },
        { title: "last came", cell: ({ lastAt }) => (lastAt === null ? "never" : <Age at={lastAt} />) },
      ]}
    />
  );
}

function SetupTable({ executions }: { executions: readonly SetupExecution[] }) {
  return (
    <Table
      label="push setups of meters"
      none="no push setup has been compared or carried out yet"
      rows={executions}
      columns={[
        { title: "meter", cell: ({ meter }) => <MeterLink name={meter} /> },
        { title: "setup", cell: ({ setup }) => setup },
        { title: "state", cell: ({ state }) => state },
        { title: "changes", number: true, cell: ({ changes }) => changes.length },
        { title: "test push", cell: ({ testPush }) => testPush },
        { title: "when", cell: ({ startedAt }) => <Time at={startedAt} /> },
        { title: "who", cell: ({ who }) => who },
        { title: "evidence", cell: ({ evidence }) => evidence },
      ]}
    />
  );
}

function MeterLink({ name }: { name: string }) {
  return <Link to={meterPlace(name)}>{name}</Link>;
}
