/**
 * The local socket over which the command line reaches a running daemon: HTTP over a unix socket, so that who may use
 * it is a matter of the file's mode. JSON in, JSON out; a body is bounded.
 */
import { chmod, mkdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { dirname } from "node:path";
import { z } from "zod";
import { type ControlRoute, controlRoute, OrderRefusedError } from "./control-route.ts";
import { type ReadAnswer, type ReadRange, ReadRefusedError } from "./read-answer.ts";

const MAX_BODY_OCTETS = 64 * 1024;
const MAX_SOCKET_PATH_OCTETS = 107;
/** Owner and group only: members of the service's group may read meters. */
const SOCKET_MODE = 0o660;

const readOrderSchema = z.strictObject({
  meter: z.string().max(128),
  what: z.string().max(128),
  range: z.strictObject({ fromMs: z.number(), toMs: z.number() }).optional(),
});

export interface ControlService {
  /** Reads now, before scheduled work. Throws ReadRefusedError with the cause. */
  read(meter: string, what: string, range?: ReadRange): Promise<ReadAnswer>;
}

/** `others` are answers to further orders, by the path of their resource. */
export async function startControlServer(
  path: string,
  service: ControlService,
  others: ReadonlyMap<string, ControlRoute> = new Map(),
): Promise<Server> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_OCTETS) {
    throw new Error(`socket: ${path} is longer than the ${MAX_SOCKET_PATH_OCTETS} octets that a socket path may have`);
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await removeStaleSocket(path);
  const reads = controlRoute(readOrderSchema, ({ meter, what, range }) => service.read(meter, what, range));
  const routes = new Map([...others, ["/v1/reads", reads]]);
  const server = createServer((request, response) => void answer(request, response, routes));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  await chmod(path, SOCKET_MODE);
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: ReadonlyMap<string, ControlRoute>,
): Promise<void> {
  const reply = (status: number, body: unknown) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  try {
    const route = request.method === "POST" ? routes.get(request.url ?? "") : undefined;
    if (route === undefined) return reply(404, { error: "no such resource" });
    const body = await boundedBody(request);
    if (body === undefined) return reply(413, { error: `the body is longer than ${MAX_BODY_OCTETS} octets` });
    const answered = await route(JSON.parse(body));
    return isStream(answered) ? await streamLines(response, answered) : reply(200, answered);
  } catch (error) {
    if (error instanceof ReadRefusedError) return reply(502, { refusal: error.refusal });
    if (error instanceof z.ZodError) return reply(400, { error: z.prettifyError(error) });
    if (error instanceof OrderRefusedError) return reply(409, { error: error.message });
    return reply(error instanceof SyntaxError ? 400 : 500, {
      error: error instanceof Error ? error.message : "unknown",
    });
  }
}

function isStream(answered: unknown): answered is AsyncIterable<unknown> {
  return typeof answered === "object" && answered !== null && Symbol.asyncIterator in answered;
}

/** One JSON value a line, as fast as it is taken; a failure in the middle is the last line. */
async function streamLines(response: ServerResponse, lines: AsyncIterable<unknown>): Promise<void> {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  try {
    for await (const line of lines) {
      if (response.destroyed) return;
      if (!response.write(`${JSON.stringify(line)}\n`)) await roomIn(response);
    }
  } catch (error) {
    response.write(`${JSON.stringify({ error: error instanceof Error ? error.message : "unknown" })}\n`);
  }
  response.end();
}

function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once("drain", resolve);
    response.once("close", resolve);
  });
}

async function boundedBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) continue;
    length += chunk.length;
    if (length > MAX_BODY_OCTETS) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A socket file that nobody answers on is left from a killed daemon; one that answers belongs to a running one. */
async function removeStaleSocket(path: string): Promise<void> {
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
  if (alive) throw new Error(`${path}: another daemon listens here; stop it or give this one its own \`socket\``);
  await rm(path, { force: true });
}
