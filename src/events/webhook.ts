/**
 * Notifications as HTTP requests: a POST of JSON, signed, so that the receiver knows that it is from us, whole and new.
 *
 *     X-Dlms-Signature: t=<seconds since 1970>,v1=<HMAC-SHA-256 of "<t>.<body>" in hexadecimal>
 */
import { createHmac } from "node:crypto";
import { type Notification, NotificationError, type NotificationSender } from "./notification.ts";

export interface WebhookOptions {
  readonly url: string;
  /** Key of the signature. */
  readonly secret: string;
  readonly timeoutMs: number;
  readonly nowMs: () => number;
}

const MS_PER_SECOND = 1000;
/** Answers after which the same request may well be taken later. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

export class Webhook implements NotificationSender {
  readonly #options: WebhookOptions;
  readonly #closing = new AbortController();

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  async send(notifications: readonly Notification[]): Promise<void> {
    const { url, secret, timeoutMs, nowMs } = this.#options;
    const body = JSON.stringify({ notifications });
    const seconds = Math.floor(nowMs() / MS_PER_SECOND);
    const headers = { "content-type": "application/json", "x-dlms-signature": signatureOf(body, secret, seconds) };
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeoutMs)]);
    let response: Response;
    try {
      response = await fetch(url, { method: "POST", body, headers, signal, redirect: "manual" });
      await response.body?.cancel();
    } catch (error) {
      throw new NotificationError(evidenceOf(error));
    }
    if (response.ok) return;
    const { status } = response;
    const hopeless = status < 500 && !PASSING.has(status);
    throw new NotificationError(`HTTP status ${status}`, { hopeless });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
  }
}

/** For the receiver: whoever knows the secret comes to the same. */
export function signatureOf(body: string, secret: string, seconds: number): string {
  const digest = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return `t=${seconds},v1=${digest}`;
}

/** Codes only: messages of the system hold addresses. */
function evidenceOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "no answer in time";
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
  return code === undefined ? "no connection" : `no connection: ${code}`;
}
