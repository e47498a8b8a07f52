/** Asks the running daemon, over its local socket, for resources of its API. */
import { type IncomingMessage, request } from "node:http";
import { userInfo } from "node:os";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { health } from "./answers/health.ts";
import { orderRequest, type orderResult } from "./answers/orders.ts";
import { readRequest } from "./answers/readings.ts";
import type { requestProgress } from "./answers/requests.ts";
import { USER_HEADER } from "./local-socket.ts";
import { MOST_A_PAGE, pageOf } from "./paging.ts";
import { type ReadAnswer, ReadRefusedError, type ReadWishes } from "./read-answer.ts";

/** Nobody answers on the socket. */
export class NoDaemonError extends Error {
  override readonly name = "NoDaemonError";
}

const problem = z.object({ detail: z.string() });
/** The last line of a stream that broke off. */
const brokenOff = z.strictObject({ problem: z.string() });
/** How long the daemon holds an answer back while a read is under way. */
const WAIT_S = 20;
const SECOND_MS = 1000;

type Progress = z.output<typeof requestProgress>;
type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface LocalOrder {
  readonly path: string;
  readonly query?: Query | undefined;
  /** With it the order is a POST. */
  readonly body?: unknown;
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Ends the asking. */
  readonly signal?: AbortSignal;
}

/** Throws an Error in the daemon's words when it can't be done, or one that says how to reach a daemon. */
export async function askDaemon<T extends z.ZodType>(
  socketPath: string,
  { answer, ...order }: LocalOrder & { readonly answer: T },
): Promise<z.output<T>> {
  const response = await send(socketPath, order);
  const body = jsonOf(await text(response), socketPath);
  if (isGood(response)) return answer.parse(body);
  throw refused(response, body);
}

/** All items of a list that comes in pages. Throws as `askDaemon`. */
export async function askForPages<Item extends z.ZodType>(
  socketPath: string,
  { path, query, item }: { readonly path: string; readonly query?: Query; readonly item: Item },
): Promise<z.output<Item>[]> {
  const answer = pageOf(item);
  const items: z.output<Item>[] = [];
  for (let after: string | undefined | null; after !== null; ) {
    const page: z.output<typeof answer> = await askDaemon(socketPath, {
      path,
      query: { limit: MOST_A_PAGE, ...query, after },
      answer,
    });
    items.push(...page.items);
    after = page.next;
  }
  return items;
}

/** Throws as `askDaemon`, and when the order's signal is aborted. */
export async function askForText(socketPath: string, order: LocalOrder): Promise<string> {
  const response = await send(socketPath, order);
  const said = await text(response);
  if (isGood(response)) return said;
  throw refused(response, jsonOf(said, socketPath));
}

/** How the daemon is; one that is ill says so too. Throws NoDaemonError, also when the signal is aborted. */
export async function askForHealth(socketPath: string, signal: AbortSignal): Promise<z.output<typeof health>> {
  const response = await send(socketPath, { path: "/v1/health", signal });
  return health.parse(jsonOf(await text(response), socketPath));
}

/** What comes line by line. Throws an Error that says what the daemon said. */
export async function* askForLines<Line>(
  socketPath: string,
  order: LocalOrder,
  lineSchema: z.ZodType<Line>,
): AsyncGenerator<Line> {
  const response = await send(socketPath, order);
  if (!isGood(response)) throw refused(response, jsonOf(await text(response), socketPath));
  try {
    for await (const line of createInterface({ input: response })) {
      const value: unknown = jsonOf(line, socketPath);
      const broken = brokenOff.safeParse(value);
      if (broken.success) throw new Error(broken.data.problem);
      yield lineSchema.parse(value);
    }
  } finally {
    response.destroy();
  }
}

/** Asks for a read and follows it to its end. Throws ReadRefusedError when the meter was not read. */
export async function askForRead(
  socketPath: string,
  meter: string,
  what: string,
  { range, waitMs }: ReadWishes = {},
): Promise<ReadAnswer> {
  const times = range && { from: isoTime(range.fromMs), to: isoTime(range.toMs) };
  const body = { meter, what, ...times, ...(waitMs !== undefined && { waitS: Math.ceil(waitMs / SECOND_MS) }) };
  const asked = await askToTheEnd(socketPath, { path: "/v1/reads", body, answer: readRequest });
  if (asked.answer === null) throw refusedRequest(asked);
  return { meter: asked.meter, what: asked.what, ...asked.answer };
}

/** Gives a meter an order and follows it to its end. Throws ReadRefusedError when the meter was not told. */
export async function askForOrder(
  socketPath: string,
  body: { readonly meter: string; readonly order: unknown; readonly why: string },
): Promise<z.output<typeof orderResult>> {
  const asked = await askToTheEnd(socketPath, { path: "/v1/orders", body, answer: orderRequest });
  if (asked.result === null) throw refusedRequest(asked);
  return asked.result;
}

async function askToTheEnd<T extends z.ZodType<Progress>>(
  socketPath: string,
  { path, body, answer }: { readonly path: string; readonly body: unknown; readonly answer: T },
): Promise<z.output<T>> {
  let asked = await askDaemon(socketPath, { path, body, answer });
  while (asked.state === "running") {
    asked = await askDaemon(socketPath, { path: `${path}/${asked.id}`, query: { wait: WAIT_S }, answer });
  }
  return asked;
}

function refusedRequest({ meter, refusal }: Progress): ReadRefusedError {
  const { cause = "internal error", evidence = "", nextStep = "see the log of the gateway" } = refusal ?? {};
  return new ReadRefusedError({ meter, cause, evidence, nextStep });
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function isGood({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function refused({ statusCode = 0 }: IncomingMessage, body: unknown): Error {
  return new Error(problem.safeParse(body).data?.detail ?? `the daemon answered with status ${statusCode}`);
}

function send(socketPath: string, { path, query = {}, body, method, signal }: LocalOrder): Promise<IncomingMessage> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath,
        path: `${path}${queryText(query)}`,
        ...(signal && { signal }),
        method: method ?? (payload === undefined ? "GET" : "POST"),
        headers: {
          [USER_HEADER]: userInfo().username,
          ...(payload !== undefined && {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(payload),
          }),
        },
      },
      resolve,
    );
    call.once("error", (cause: NodeJS.ErrnoException) => {
      const says = `no daemon answers on ${socketPath}: ${cause.message}; ${hintFor(cause)}`;
      reject(new NoDaemonError(says, { cause }));
    });
    call.end(payload);
  });
}

function hintFor({ code }: NodeJS.ErrnoException): string {
  const without = "`--socket` names another one; `read --tcp host:port` needs none";
  return code === "EACCES"
    ? `only root and members of its group (dlms-gateway) may ask; ${without}`
    : `is the daemon running? ${without}`;
}

function queryText(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    const values = typeof value === "object" ? value : [value];
    return values.flatMap((each): [string, string][] => (each === undefined ? [] : [[name, String(each)]]));
  });
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs).toString()}`;
}

function jsonOf(answer: string, socketPath: string): unknown {
  if (answer === "") return undefined;
  try {
    return JSON.parse(answer);
  } catch (cause) {
    throw new Error(`what answers on ${socketPath} is no dlms-gateway; \`--socket\` names another one`, { cause });
  }
}
