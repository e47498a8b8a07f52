import { useEffect, useState } from "preact/hooks";
import { ApiProblem, sendJson } from "./api.ts";
import { Notice } from "./parts.tsx";

/** A link may carry a token behind the #, which no server and no log ever sees. */
const IN_LINK = /^#token=(?<token>dgw_[A-Za-z0-9_-]+)$/;

export function SignIn({ onDone }: { onDone: () => void }) {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const enter = (text: string) => {
    sendJson("POST", "/v1/session", { token: text.trim() }).then(onDone, (error: unknown) => {
      setProblem(error instanceof ApiProblem ? error.message : String(error));
    });
  };
  useEffect(() => {
    const linked = IN_LINK.exec(location.hash)?.groups?.["token"];
    if (linked === undefined) return;
    history.replaceState(undefined, "", location.pathname);
    enter(linked);
  }, []);
  return (
    <main class="sign-in">
      <h1>dlms-gateway</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          enter(token);
        }}
      >
        <label>
          Token
          <input
            type="password"
            autocomplete="current-password"
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={token === ""}>
          sign in
        </button>
      </form>
      {problem !== undefined && <Notice kind="bad">{problem}</Notice>}
      <p class="quiet">
        On the gateway's machine: <code>dlms-gateway tokens create --name you --role operator</code>
      </p>
    </main>
  );
}
