/** The command line as people use it: a process of its own. */
import { execFile } from "node:child_process";
import { join } from "node:path";

export const COMMAND = join(import.meta.dirname, "../../bin/dlms-gateway");

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const MOST_OCTETS = 64 * 1024 * 1024;

/** Runs a verb to its end; `environment` goes beside that of the tests. */
export function run(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const options = { env: { ...process.env, ...environment }, maxBuffer: MOST_OCTETS };
  return new Promise((resolve) => {
    const child = execFile(COMMAND, words, options, (_, out, err) => resolve({ code: child.exitCode, out, err }));
    child.stdin?.end();
  });
}
