/** Talks to the gateway's API; what goes wrong comes as an ApiProblem in words for people. */
import { useCallback, useEffect, useState } from "preact/hooks";

export const SESSION = "/v1/session";
/** Told to the window when a request finds that the token is not valid any more. */
export const SIGNED_OUT = "signed-out";

export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export function getJson<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return asked<Answer>(path, signal === undefined ? {} : { signal });
}

export function sendJson<Answer>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<Answer> {
  return asked<Answer>(path, {
    method,
    ...(body !== undefined && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
}

async function asked<Answer>(path: string, init: RequestInit): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new ApiProblem(0, "the gateway does not answer: is it running?");
  }
  const text = await response.text();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API checks what it answers against its schemas
  if (response.ok) return (text === "" ? undefined : JSON.parse(text)) as Answer;
  if (response.status === 401 && path !== SESSION) dispatchEvent(new Event(SIGNED_OUT));
  throw new ApiProblem(response.status, detailOf(text) ?? `the gateway answered ${response.status}`);
}

/** Hears each line of an answer that goes on, as it comes; ends with the answer. */
export async function readLines(path: string, hear: (line: unknown) => void, signal: AbortSignal): Promise<void> {
  const response = await fetch(path, { signal });
  if (!response.ok || response.body === null) {
    throw new ApiProblem(response.status, detailOf(await response.text()) ?? `the gateway answered ${response.status}`);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") hear(JSON.parse(line));
  }
}

function detailOf(text: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(text);
    const isProblem = typeof problem === "object" && problem !== null && "detail" in problem;
    return isProblem && typeof problem.detail === "string" ? problem.detail : undefined;
  } catch {
    return undefined;
  }
}

export interface Resource<Answer> {
  readonly answer: Answer | undefined;
  readonly problem: ApiProblem | undefined;
  readonly loading: boolean;
  readonly reload: () => void;
}

/** Keeps what a path answers; what was there stays until the new is. Nothing is asked for `undefined`. */
export function useResource<Answer>(path: string | undefined, everyMs?: number): Resource<Answer> {
  const [state, setState] = useState<Omit<Resource<Answer>, "reload">>({
    answer: undefined,
    problem: undefined,
    loading: path !== undefined,
  });
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  useEffect(() => {
    if (path === undefined) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    setState((before) => ({ ...before, loading: true }));
    getJson<Answer>(path, abort.signal)
      .then(
        (answer) => setState({ answer, problem: undefined, loading: false }),
        (error: unknown) => {
          if (abort.signal.aborted) return;
          const problem = error instanceof ApiProblem ? error : new ApiProblem(0, String(error));
          setState((before) => ({ ...before, problem, loading: false }));
        },
      )
      // An answer that takes longer than the time between two is waited for.
      .finally(() => {
        if (everyMs !== undefined && !abort.signal.aborted) timer = setTimeout(reload, everyMs);
      });
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path, round, everyMs, reload]);
  return { ...state, reload };
}
