import { useState } from "preact/hooks";
import { ApiProblem, sendJson, useResource } from "./api.ts";
import { Card, Loaded, Notice, Time } from "./parts.tsx";
import { go, meterPlace } from "./route.tsx";

interface Sender {
  readonly sender: string;
  readonly names: readonly string[];
  readonly hosts: readonly string[];
  readonly pushes: number;
  readonly lastReceivedAt: string;
  readonly reason: string | null;
}

/** Who pushes without being known: each can be made a meter, and what it sent is read again. */
export function SendersPage() {
  const senders = useResource<{ items: readonly Sender[] }>("/v1/pushes/unknown");
  return (
    <>
      <h1>Unknown senders</h1>
      <Loaded from={senders}>
        {({ items }) =>
          items.length === 0 ? (
            <p class="quiet">everybody who has pushed is known</p>
          ) : (
            items.map((each) => (
              <SenderCard key={each.sender} sender={each} onAdopted={(name) => go(meterPlace(name))} />
            ))
          )
        }
      </Loaded>
    </>
  );
}

function SenderCard({ sender, onAdopted }: { sender: Sender; onAdopted: (name: string) => void }) {
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const adopt = (event: SubmitEvent) => {
    event.preventDefault();
    sendJson("POST", "/v1/pushes/adopt", { sender: sender.sender, name }).then(
      () => onAdopted(name),
      (error: unknown) => setProblem(error instanceof ApiProblem ? error.message : String(error)),
    );
  };
  return (
    <Card title={sender.sender}>
      <p>
        {sender.pushes} pushes from {sender.hosts.join(", ")}, last <Time at={sender.lastReceivedAt} />
        {sender.names.length > 0 && <>; it calls itself {sender.names.join(", ")}</>}
      </p>
      {sender.reason !== null && <p class="quiet">{sender.reason}</p>}
      <form class="row" onSubmit={adopt}>
        <label>
          Name of the meter that it is
          <input value={name} required maxLength={63} onInput={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
        <button type="submit">adopt</button>
      </form>
      {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
    </Card>
  );
}
