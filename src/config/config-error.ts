/** One fault of the configuration: where, what, and what to do. */
export interface ConfigProblem {
  /** `meters[3].association.secret`, or empty for the file itself. */
  readonly path: string;
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
  const place = problem.line === undefined ? source : `${source}:${problem.line}:${problem.column ?? 1}`;
  return problem.path === "" ? `${place}: ${problem.message}` : `${place}: ${problem.path}: ${problem.message}`;
}
