import type { Gateway, Job, JobList, Lanes, Plan } from "./answers.ts";
import { useResource } from "./api.ts";
import { Choice, Pager, usePageQuery } from "./pager.tsx";
import { Age, Badge, Card, count, duration, Loaded, Notice, Table } from "./parts.tsx";
import { Link, meterPlace } from "./route.tsx";

const REFRESH_MS = 5000;

const STATES = ["running", "waiting", "next"] as const;
const KINDS: Readonly<Record<Job["state"], "good" | "warn" | "quiet">> = {
  running: "good",
  waiting: "warn",
  next: "quiet",
};

/** Who works which meters, what is worked and what waits, how long work waits, and what is to be read how often. */
export function WorkPage() {
  const lanes = useResource<Lanes>("/v1/lanes", REFRESH_MS);
  const gateways = useResource<{ items: readonly Gateway[] }>("/v1/gateways", REFRESH_MS);
  const plans = useResource<{ items: readonly Plan[] }>("/v1/plans");
  return (
    <>
      <h1>Work</h1>
      <div class="grid">
        <Card title="Lanes">
          <Loaded from={lanes}>{(answer) => <LaneTable lanes={answer} />}</Loaded>
        </Card>
        <Card title="Gateways">
          <Loaded from={gateways}>{({ items }) => <GatewayTable gateways={items} />}</Loaded>
        </Card>
      </div>
      <Jobs />
      <Card title="Plans">
        <Loaded from={plans}>{({ items }) => <PlanTable plans={items} />}</Loaded>
      </Card>
    </>
  );
}

function Jobs() {
  const query = usePageQuery(["state"], { limit: "25" });
  const jobs = useResource<JobList>(`/v1/jobs?${query}`, REFRESH_MS);
  return (
    <Card title="Jobs">
      <Choice name="state" answers={STATES} />
      <Loaded from={jobs}>
        {({ items, next, counts, unanswered }) => (
          <>
            {counts !== null && (
              <p class="quiet">
                {count(counts.running)} running and {count(counts.waiting)} waiting for {count(counts.meters)} meters,
                of which {count(counts.quarantined)} in quarantine
              </p>
            )}
            {unanswered.length > 0 && (
              <Notice kind="note">{unanswered.join(", ")} does not answer: what is worked there is not listed.</Notice>
            )}
            <JobTable jobs={items} />
            <Pager next={next} />
          </>
        )}
      </Loaded>
    </Card>
  );
}

function JobTable({ jobs }: { jobs: readonly Job[] }) {
  return (
    <Table
      label="jobs"
      none="nothing of the kind"
      rows={jobs}
      columns={[
        { title: "meter", cell: ({ meter }) => <Link to={meterPlace(meter)}>{meter}</Link> },
        { title: "state", cell: ({ state }) => <Badge kind={KINDS[state]}>{state}</Badge> },
        { title: "lane", cell: ({ lane }) => lane.replace("_", " ") },
        { title: "what", cell: ({ what }) => what.split(" ").join(", ").replaceAll("_", " ") },
        { title: "since, or due", cell: When },
        { title: "gateway", cell: ({ gateway }) => gateway },
        { title: "waits for", cell: ({ waitsFor }) => waitsFor },
      ]}
    />
  );
}

function When({ state, since, due }: Job) {
  const at = state === "next" ? due : since;
  return at === null ? "when there is room" : <Age at={at} />;
}

function LaneTable({ lanes }: { lanes: Lanes }) {
  return (
    <Table
      label="lanes: how long jobs waited and ran lately"
      none="nothing has run yet"
      rows={Object.entries(lanes)}
      columns={[
        { title: "lane", cell: ([name]) => name.replaceAll("_", " ") },
        { title: "jobs", number: true, cell: ([, { jobs }]) => countIfTold(jobs) },
        { title: "wait p50", number: true, cell: ([, lane]) => lasting(lane, lane.waitMs.p50) },
        { title: "wait p99", number: true, cell: ([, lane]) => lasting(lane, lane.waitMs.p99) },
        { title: "run p50", number: true, cell: ([, lane]) => lasting(lane, lane.runMs.p50) },
        { title: "run p99", number: true, cell: ([, lane]) => lasting(lane, lane.runMs.p99) },
      ]}
    />
  );
}

/** A token for some meters is told no number of all. */
function countIfTold(value: number | null): string {
  return value === null ? "–" : count(value);
}

function lasting({ jobs }: Lanes[string], ms: number): string {
  return jobs === 0 ? "–" : duration(ms);
}

function GatewayTable({ gateways }: { gateways: readonly Gateway[] }) {
  return (
    <Table
      label="gateways"
      none="no gateway has taken meters yet"
      rows={gateways}
      columns={[
        { title: "name", cell: ({ name, isMe }) => (isMe ? `${name} (this one)` : name) },
        { title: "meters", number: true, cell: ({ meters }) => countIfTold(meters) },
        { title: "networks", cell: ({ networks }) => networks.join(", ") },
        { title: "last sign of life", number: true, cell: ({ ageMs }) => duration(ageMs) },
        {
          title: "state",
          cell: ({ ageMs, silenceMs }) => (
            <Badge kind={ageMs > silenceMs ? "bad" : "good"}>{ageMs > silenceMs ? "silent" : "alive"}</Badge>
          ),
        },
        { title: "version", cell: ({ version }) => version },
      ]}
    />
  );
}

function PlanTable({ plans }: { plans: readonly Plan[] }) {
  return (
    <Table
      label="plans"
      none="nothing is read by plan"
      rows={plans}
      columns={[
        { title: "profile", cell: ({ profile }) => profile.replace("_", " ") },
        { title: "of", cell: ({ group }) => group ?? "all meters" },
        { title: "every", number: true, cell: ({ everyMs }) => duration(everyMs) },
        { title: "to be held within", number: true, cell: ({ deadlineMs }) => duration(deadlineMs) },
        { title: "back to", number: true, cell: ({ historyMs }) => duration(historyMs) },
        { title: "from", cell: ({ from }) => from },
      ]}
    />
  );
}
