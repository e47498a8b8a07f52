/** What the HTTP API answers instead of what was asked for: problem details as RFC 9457 has them. */

const PROBLEMS = {
  invalid: { status: 400, title: "invalid request" },
  unauthorized: { status: 401, title: "no valid token" },
  forbidden: { status: 403, title: "not allowed" },
  "not-found": { status: 404, title: "not found" },
  conflict: { status: 409, title: "conflict" },
  "too-many-requests": { status: 429, title: "too many requests" },
  failed: { status: 500, title: "the gateway failed" },
  unavailable: { status: 503, title: "unavailable" },
} as const;

export type ProblemKind = keyof typeof PROBLEMS;

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly kind: ProblemKind;
  readonly statusCode: number;

  /** `detail` is for whoever asked: no secret is in it. */
  constructor(kind: ProblemKind, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.kind = kind;
    this.statusCode = PROBLEMS[kind].status;
  }

  problem() {
    const { status, title } = PROBLEMS[this.kind];
    return { type: `urn:dlms-gateway:problem:${this.kind}`, title, status, detail: this.message };
  }
}
