/** Answers that come line by line, a JSON value each, as fast as they are taken. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { z } from "zod";

/** For the OpenAPI document; lines are not checked one by one. */
export const LINES = "application/x-ndjson";

/** Sends what comes; a failure in the middle is the last line, `{"problem": …}`. */
export function sendLines(reply: FastifyReply, lines: AsyncIterable<unknown>): FastifyReply {
  return reply.type(LINES).send(Readable.from(lineTexts(lines)));
}

async function* lineTexts(lines: AsyncIterable<unknown>): AsyncGenerator<string> {
  try {
    for await (const line of lines) yield `${JSON.stringify(line)}\n`;
  } catch (error) {
    yield `${JSON.stringify({ problem: error instanceof Error ? error.message : "unknown" })}\n`;
  }
}

/** A parameter of the query that may stand there more than once. */
export function severalOf<T extends z.ZodType>(item: T) {
  return z
    .union([item, z.array(item).max(1000)])
    .transform((value) => (Array.isArray(value) ? value : [value]))
    .optional();
}
