/**
 * A process of its own: meters that answer what was recorded, octets for octets, and understand nothing. The parent sends
 * the transcript and hears the port; the process ends with its parent.
 */
import { createServer, type Socket } from "node:net";
import type { Transcript } from "./transcript.ts";

/** What the parent sends. */
export interface CannedOrder {
  /** Base64 of what is answered once so many octets more have come. */
  readonly steps: readonly { readonly requestOctets: number; readonly answer: string }[];
  /** Time from a request to its answer. */
  readonly latencyMs: number;
}

export function cannedOrder(transcript: Transcript, latencyMs: number): CannedOrder {
  const steps = transcript.map(({ request, answer }) => ({
    requestOctets: request.length,
    answer: Buffer.from(answer).toString("base64"),
  }));
  return { steps, latencyMs };
}

function serve({ steps, latencyMs }: CannedOrder): void {
  const answers = steps.map(({ requestOctets, answer }) => ({ requestOctets, answer: Buffer.from(answer, "base64") }));
  const server = createServer({ noDelay: true }, (socket) => answer(socket, answers, latencyMs));
  server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
    const address = server.address();
    if (address !== null && typeof address === "object") process.send?.({ port: address.port });
  });
}

type Answers = readonly { readonly requestOctets: number; readonly answer: Buffer }[];

function answer(socket: Socket, answers: Answers, latencyMs: number): void {
  let at = 0;
  let received = 0;
  const send = (octets: Buffer) => {
    if (!socket.destroyed) socket.write(octets);
  };
  socket.on("error", () => socket.destroy());
  socket.on("data", (octets) => {
    received += octets.length;
    for (let step = answers[at]; step !== undefined && received >= step.requestOctets; step = answers[at]) {
      received -= step.requestOctets;
      at++;
      const { answer: octetsOfAnswer } = step;
      if (latencyMs === 0) send(octetsOfAnswer);
      else setTimeout(send, latencyMs, octetsOfAnswer);
    }
  });
}

if (process.send !== undefined) {
  process.once("message", (order: CannedOrder) => serve(order));
  process.once("disconnect", () => process.exit());
}
