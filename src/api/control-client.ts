import { type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { type ReadAnswer, type ReadRange, ReadRefusedError, readAnswerSchema } from "./read-answer.ts";

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
  if (status === 200) return readAnswerSchema.parse(body);
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

/** Asks the running daemon for something that comes line by line. Throws an Error that says what the daemon said. */
export async function* askForLines<Line>(
  { socketPath, path, body }: { readonly socketPath: string; readonly path: string; readonly body: unknown },
  lineSchema: z.ZodType<Line>,
): AsyncGenerator<Line> {
  const response = await send(socketPath, path, body);
  if (response.statusCode !== 200) {
    const body = jsonOf(await text(response), socketPath);
    const refusal = refusalSchema.safeParse(body);
    if (refusal.success) throw new ReadRefusedError(refusal.data.refusal);
    const answer = errorSchema.safeParse(body);
    throw new Error(answer.data?.error ?? `the daemon answered with status ${response.statusCode ?? 0}`);
  }
  for await (const line of createInterface({ input: response })) {
    const value: unknown = jsonOf(line, socketPath);
    const failure = errorSchema.safeParse(value);
    if (failure.success) throw new Error(failure.data.error);
    yield lineSchema.parse(value);
  }
}

async function post(socketPath: string, path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const response = await send(socketPath, path, body);
  return { status: response.statusCode ?? 0, body: jsonOf(await text(response), socketPath) };
}

function send(socketPath: string, path: string, body: unknown): Promise<IncomingMessage> {
  const payload = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath,
        path,
        method: "POST",
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(payload) },
      },
      resolve,
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
