/** One fault of the configuration: where, what, and what to do. */
export interface ConfigProblem {
  /** `meters[3].association.secret`, or empty for the file itself. */
  readonly path: string;
  /** Where it is not the file that was asked for, but a drop-in. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** The configuration can't be used; all problems at once, so that one round of mending is enough. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly source: string;
  readonly problems: readonly ConfigProblem[];

  constructor(source: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map((problem) => describeProblem(source, problem)).join("\n"), options);
    this.source = source;
    this.problems = problems;
  }
}

function describeProblem(source: string, problem: ConfigProblem): string {
  const file = problem.file ?? source;
  const place = problem.line === undefined ? file : `${file}:${problem.line}:${problem.column ?? 1}`;
  return problem.path === "" ? `${place}: ${problem.message}` : `${place}: ${problem.path}: ${problem.message}`;
}
