import { useState } from "preact/hooks";
import { ApiProblem, sendJson } from "./api.ts";
import { Card, Notice } from "./parts.tsx";
import { Tree, type TreeNode } from "./tree.tsx";

interface Decoded {
  readonly layer: string;
  readonly damaged: boolean;
  readonly nodes: readonly TreeNode[];
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
