import { useEffect, useState } from "preact/hooks";
import type { TraceLine } from "./answers.ts";
import { readLines } from "./api.ts";
import { Badge, Notice } from "./parts.tsx";
import { ReadNow } from "./read-now.tsx";
import { Link, meterPlace } from "./route.tsx";
import { Tree } from "./tree.tsx";

const MOST_SHOWN = 500;

/** The frames of a meter as they pass, newest last, each to be opened. */
export function TracePage({ name }: { name: string }) {
  const { lines, problem, clear } = useTrace(name);
  return (
    <>
      <h1>
        Frames of <Link to={meterPlace(name)}>{name}</Link>
      </h1>
      <p class="quiet">What passes from the next session on, deciphered where we have the keys; secrets are blanked.</p>
      <ReadNow meter={name} />
      {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
      <p>
        <Badge kind={lines.length > 0 ? "good" : "quiet"}>{lines.length > 0 ? "listening" : "connecting"}</Badge>{" "}
        <button type="button" onClick={clear}>
          clear
        </button>
      </p>
      <ol class="frames" aria-label="frames">
        {lines.map(({ line, number }) => (
          <li key={number}>
            <Line line={line} />
          </li>
        ))}
      </ol>
    </>
  );
}

function useTrace(meter: string) {
  const [lines, setLines] = useState<readonly { readonly number: number; readonly line: TraceLine }[]>([]);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  useEffect(() => {
    const abort = new AbortController();
    let number = 0;
    const hear = (heard: unknown) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it comes from our own API
      const line = heard as TraceLine;
      if (line.type === "recorded") return;
      const numbered = { number: number++, line };
      setLines((before) => [...before, numbered].slice(-MOST_SHOWN));
    };
    readLines(`/v1/meters/${encodeURIComponent(meter)}/trace`, hear, abort.signal).then(
      () => setProblem("the gateway has ended the trace"),
      (error: unknown) => {
        if (!abort.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
      },
    );
    return () => abort.abort();
  }, [meter]);
  return { lines, problem, clear: () => setLines((before) => before.slice(0, 1)) };
}

function Line({ line }: { line: TraceLine }) {
  switch (line.type) {
    case "frame": {
      const arrow = line.dir === "tx" ? "→" : "←";
      const [ours, theirs] = line.dir === "tx" ? [line.from, line.to] : [line.to, line.from];
      return (
        <details>
          <summary class={line.damaged ? "bad" : undefined}>
            <span class="quiet">{`${(line.t / 1000).toFixed(3)} s`}</span> {ours} {arrow} {theirs} {line.link}{" "}
            <b>{line.says}</b>
          </summary>
          <Tree nodes={line.nodes} />
          <code class="octets">{line.octets}</code>
        </details>
      );
    }
    case "push":
      return (
        <details>
          <summary class={line.outcome === "rejected" ? "bad" : undefined}>
            {`push from ${line.peer}, ${line.at}, ${line.reason ?? line.outcome}`} <b>{line.says}</b>
          </summary>
          <Tree nodes={line.nodes} />
          <code class="octets">{line.octets}</code>
        </details>
      );
    case "listening":
      return <p class="quiet">waiting for the next session of {line.meter}</p>;
    case "session":
      return <h2>{`${line.channel}, ${line.at}`}</h2>;
    case "ended":
      return (
        <p class="quiet">{`ended after ${(line.t / 1000).toFixed(3)} s by ${line.by === "local" ? "us" : "the meter"}`}</p>
      );
    default:
      return <p class="quiet">some lines were too fast for this page</p>;
  }
}
