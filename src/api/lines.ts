/** Answers that come line by line, a JSON value each, as fast as they are taken. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { messageOf } from "../observe/message-of.ts";
import { ApiError } from "./api-error.ts";
import { ReadRefusedError } from "./read-answer.ts";

/** For the OpenAPI document; lines are not checked one by one. */
export const LINES = "application/x-ndjson";

const OUR_FAULT = "it could not be done to the end; the log of the gateway says why";

/** Sends what comes; a failure in the middle is the last line, `{"problem": …}`. */
export function sendLines(reply: FastifyReply, lines: AsyncIterable<unknown>): FastifyReply {
  return reply.type(LINES).send(Readable.from(lineTexts(reply, lines)));
}

async function* lineTexts({ server, request }: FastifyReply, lines: AsyncIterable<unknown>): AsyncGenerator<string> {
  try {
    for await (const line of lines) yield `${JSON.stringify(line)}\n`;
  } catch (error) {
    const isCallers = error instanceof ApiError || error instanceof ReadRefusedError;
    if (!isCallers) server.onFault(error);
    // Whoever is on this machine may read the log anyway.
    const problem = isCallers || request.caller?.isLocal === true ? messageOf(error) : OUR_FAULT;
    yield `${JSON.stringify({ problem })}\n`;
  }
}

/** A parameter of the query that may stand there more than once. */
export function severalOf<T extends z.ZodType>(item: T) {
  return z
    .union([item, z.array(item).max(1000)])
    .transform((value) => (Array.isArray(value) ? value : [value]))
    .optional();
}
