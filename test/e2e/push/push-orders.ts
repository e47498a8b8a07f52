/** The `push` words of the command line, against a gateway of the test. */
import { execFile } from "node:child_process";
import { join } from "node:path";

const COMMAND = join(import.meta.dirname, "..", "..", "..", "src", "cli", "main.ts");

export interface Shown {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface SetupResult {
  readonly meter: string;
  readonly state: string;
  readonly testPush: string;
  readonly evidence?: string;
  readonly changes: readonly { readonly attribute: string; readonly before: unknown; readonly after: unknown }[];
}

export function pushCommand(socket: string, ...words: readonly string[]): Promise<Shown> {
  return new Promise((resolve) => {
    execFile(process.execPath, [COMMAND, "push", ...words, "--socket", socket], (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

/** `push apply`, with its results as meters are done; throws where there is no answer, or it is not whole. */
export async function applySetup(
  socket: string,
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly results: SetupResult[] }> {
  const { code, out, err } = await pushCommand(socket, "apply", ...words, "--json");
  if (out === "") throw new Error(err);
  const told = out
    .trim()
    .split("\n")
    .map((line): { line: string } & SetupResult => JSON.parse(line));
  if (told.at(0)?.line !== "begun" || told.at(-1)?.line !== "ended") throw new Error(`not a whole answer: ${out}`);
  return { code, results: told.filter(({ line }) => line === "result") };
}
