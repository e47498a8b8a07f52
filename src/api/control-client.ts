import { request } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { type ReadAnswer, type ReadRange, ReadRefusedError } from "./read-answer.ts";

const answerSchema = z.object({
  meter: z.string(),
  what: z.string(),
  readAt: z.string(),
  columns: z.array(
    z.object({ name: z.string(), meaning: z.string().nullable(), unit: z.string().nullable(), numeric: z.boolean() }),
  ),
  rows: z.array(z.array(z.string().nullable())),
});
const refusalSchema = z.object({
  refusal: z.object({ meter: z.string(), cause: z.string(), evidence: z.string(), nextStep: z.string() }),
});
const errorSchema = z.object({ error: z.string() });

/** Asks the running daemon for a read. Throws ReadRefusedError, or an Error that says how to reach a daemon. */
export async function askForRead(
  socketPath: string,
  meter: string,
  what: string,
  range?: ReadRange,
): Promise<ReadAnswer> {
  const { status, body } = await post(socketPath, "/v1/reads", { meter, what, range });
  if (status === 200) return answerSchema.parse(body);
  const refusal = refusalSchema.safeParse(body);
  if (refusal.success) throw new ReadRefusedError(refusal.data.refusal);
  throw new Error(errorSchema.safeParse(body).data?.error ?? `the daemon answered with status ${status}`);
}

/** Gives the running daemon an order of another kind. Throws an Error in the daemon's words when it can't be done. */
export async function order<T extends z.ZodType>(
  socketPath: string,
  { path, body, answer }: { readonly path: string; readonly body: unknown; readonly answer: T },
): Promise<z.output<T>> {
  const reply = await post(socketPath, path, body);
  if (reply.status === 200) return answer.parse(reply.body);
  throw new Error(errorSchema.safeParse(reply.body).data?.error ?? `the daemon answered with status ${reply.status}`);
}

function post(socketPath: string, path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const payload = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath,
        path,
        method: "POST",
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(payload) },
      },
      (response) => {
        text(response)
          .then((answer) => resolve({ status: response.statusCode ?? 0, body: jsonOf(answer, socketPath) }))
          .catch(reject);
      },
    );
    call.once("error", (cause) => {
      const hint = "is the daemon running? `--socket` names another one; `read --tcp host:port` needs none";
      reject(new Error(`no daemon answers on ${socketPath}: ${cause.message}; ${hint}`, { cause }));
    });
    call.end(payload);
  });
}

function jsonOf(answer: string, socketPath: string): unknown {
  try {
    return JSON.parse(answer);
  } catch (cause) {
    throw new Error(`what answers on ${socketPath} is no dlms-gateway; \`--socket\` names another one`, { cause });
  }
}
