import { useEffect, useState } from "preact/hooks";
import type { ReadRequest } from "./answers.ts";
import { ApiProblem, getJson, sendJson } from "./api.ts";
import { Notice, Table } from "./parts.tsx";

const LOOK_MS = 500;
const CHOICES = ["clock", "instant", "block_load", "daily_load", "billing"] as const;

/** Asks for a read and follows it to its result, or to the cause and the next step. */
export function ReadNow({ meter, onDone }: { meter: string; onDone?: () => void }) {
  const [what, setWhat] = useState<string>("clock");
  const [request, setRequest] = useState<ReadRequest | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const running = request?.state === "running";
  const told = (error: unknown) => setProblem(error instanceof ApiProblem ? error.message : String(error));
  const lookAgain = (error: unknown) => {
    told(error);
    const isGone = error instanceof ApiProblem && error.status === 404;
    setRequest((before) => (isGone || before === undefined ? undefined : { ...before }));
  };
  useEffect(() => {
    if (request?.state !== "running") return undefined;
    const timer = setTimeout(() => {
      getJson<ReadRequest>(`/v1/reads/${request.id}`).then((now) => {
        setProblem(undefined);
        setRequest(now);
        if (now.state !== "running") onDone?.();
      }, lookAgain);
    }, LOOK_MS);
    return () => clearTimeout(timer);
  }, [request, onDone]);
  const start = (event: SubmitEvent) => {
    event.preventDefault();
    setProblem(undefined);
    sendJson<ReadRequest>("POST", "/v1/reads", { meter, what }).then(setRequest, told);
  };
  return (
    <form class="read-now" onSubmit={start}>
      <label>
        Read now{" "}
        <select value={what} onChange={({ currentTarget }) => setWhat(currentTarget.value)}>
          {CHOICES.map((choice) => (
            <option key={choice} value={choice}>
              {choice.replace("_", " ")}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" disabled={running}>
        {running ? "reading …" : "read"}
      </button>
      {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
      {request?.refusal && (
        <Notice kind="bad">
          <strong>{request.refusal.cause}</strong>: {request.refusal.evidence}. {request.refusal.nextStep}.
        </Notice>
      )}
      {request?.answer && <Answer answer={request.answer} />}
    </form>
  );
}

function Answer({ answer: { columns, rows } }: { answer: NonNullable<ReadRequest["answer"]> }) {
  return (
    <Table
      label="what the meter answered"
      none="the meter answered with no rows"
      rows={rows.slice(-20)}
      columns={columns.map(({ name, meaning, unit, numeric }, at) => ({
        title: `${meaning ?? name}${unit === null ? "" : ` (${unit})`}`,
        number: numeric,
        cell: (row: readonly (string | null)[]) => row[at],
      }))}
    />
  );
}
