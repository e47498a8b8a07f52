import { useState } from "preact/hooks";
import { ApiProblem, sendJson } from "./api.ts";
import { Card, Notice } from "./parts.tsx";

interface Node {
  readonly name: string;
  readonly value?: string;
  readonly octets?: string;
  readonly error?: true;
  readonly children?: readonly Node[];
}
interface Decoded {
  readonly layer: string;
  readonly damaged: boolean;
  readonly nodes: readonly Node[];
}

/** Octets in, their meaning out. */
export function DecodePage() {
  const [hex, setHex] = useState("");
  const [decoded, setDecoded] = useState<Decoded | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const decode = (event: SubmitEvent) => {
    event.preventDefault();
    setProblem(undefined);
    sendJson<Decoded>("POST", "/v1/decode", { hex }).then(setDecoded, (error: unknown) => {
      setDecoded(undefined);
      setProblem(error instanceof ApiProblem ? error.message : String(error));
    });
  };
  return (
    <>
      <h1>Translator</h1>
      <form onSubmit={decode}>
        <label>
          Octets in hexadecimal: an HDLC frame, a wrapper frame, an APDU or data
          <textarea
            rows={6}
            value={hex}
            spellcheck={false}
            onInput={({ currentTarget }) => setHex(currentTarget.value)}
          />
        </label>
        <button type="submit">translate</button>
      </form>
      {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
      {decoded !== undefined && (
        <Card title={`Read as ${decoded.layer}`}>
          {decoded.damaged && <Notice kind="note">some of the octets could not be read</Notice>}
          <Tree nodes={decoded.nodes} />
        </Card>
      )}
    </>
  );
}

function Tree({ nodes }: { nodes: readonly Node[] }) {
  return (
    <ul class="tree">
      {nodes.map((node, at) => (
        <li key={at}>
          <Leaf node={node} />
          {node.children !== undefined && node.children.length > 0 && <Tree nodes={node.children} />}
        </li>
      ))}
    </ul>
  );
}

function Leaf({ node: { name, value, octets, error } }: { node: Node }) {
  return (
    <>
      <b class={error === true ? "bad" : undefined}>{name}</b> {value} <code class="quiet">{octets}</code>
    </>
  );
}
