/** What the tests with hostile servers and those with hostile clients share. */
import { afterEach, expect } from "vitest";
import { Pump } from "../../drivers/pump.ts";
import { connectTcp } from "../../drivers/tcp/connect.ts";
import { ClientAssociation } from "../../protocol/association/client/client.ts";
import type { ServiceOrder } from "../../protocol/association/client/client-events.ts";
import { ClientSession, type SessionCommand, type SessionEvent } from "../../protocol/association/session.ts";
import { conformanceFromNumber } from "../../protocol/ber/conformance.ts";
import { fromHex } from "../../protocol/bytes/hex.ts";
import type { Link } from "../../protocol/link/link.ts";
import { encodeWrapper } from "../../protocol/link/wrapper.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";

/** Everything that the open rule and the client here can do, general block transfer too. */
export const CONFORMANCE = conformanceFromNumber(0x20_7e_1f);
const CLOCK = fromHex("0000010000ff");

const GET: ServiceOrder = {
  type: "get",
  attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 },
  access: undefined,
};

const BUDGET_MS = 10_000;

/** More than any of these may take with what a loaded machine adds. */
const BOUND_MS = 30_000;

/** What a whole answer may weigh here, a few times over. */
const MEMORY_BOUND = 96 * 1024 * 1024;
export const HEADER = 8;
/** Of the test that runs. */
export const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

export function wrapped(apdu: Uint8Array): Uint8Array {
  return encodeWrapper({ sourceWPort: 1, destinationWPort: 16, apdu });
}

/** How our client's visit ended: the code of its failure, or the type of the response. */
export async function visit(port: number, link: Link, responseTimeoutMs = 5000): Promise<string> {
  const client = new ClientAssociation({
    authentication: { mechanism: "none" },
    challenge: () => new Uint8Array(16),
    conformance: CONFORMANCE,
    responseTimeoutMs,
    blockTimeoutMs: 300,
    generalBlocks: "when-needed",
    generalBlockWindow: 3,
  });
  const session = new ClientSession({ link, client, budgetMs: BUDGET_MS });
  const channel = await connectTcp({ host: "127.0.0.1", port });
  const { promise, resolve } = Promise.withResolvers<string>();
  const pump: Pump<SessionCommand, SessionEvent> = new Pump(
    session,
    channel,
    {
      event(event) {
        if (event.type === "opened") pump.command({ type: "associate" });
        if (event.type === "associated") pump.command(GET);
        if (event.type === "response") resolve(event.response.type);
        if (event.type === "failed") resolve(event.failure.error.code);
      },
      closed: (cause) => resolve(`closed ${cause?.message ?? ""}`),
      fault: (error) => resolve(`FAULT ${String(error)}`),
    },
    { ended: { type: "channelEnded" } },
  );
  pump.start();
  pump.command({ type: "open" });
  const ending = await promise;
  pump.close();
  return ending;
}

export function wrapperLink(): Link {
  return new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 });
}

/** Runs it within the bounds of time and memory. */
export async function bounded<T>(run: () => Promise<T>): Promise<T> {
  const before = process.memoryUsage();
  const startMs = performance.now();
  const value = await run();
  expect(performance.now() - startMs).toBeLessThan(BOUND_MS);
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  expect(grown).toBeLessThan(MEMORY_BOUND);
  return value;
}

/** Invoke-id-and-priority of a request. */
export function invokeOf(request: Uint8Array): number {
  return request[2] ?? 0;
}

export function block(request: Uint8Array, number: number, raw: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(12));
  head.setUint8(0, 0xc4);
  head.setUint8(1, 2);
  head.setUint8(2, invokeOf(request));
  head.setUint32(4, number);
  head.setUint8(9, 0x82);
  head.setUint16(10, raw.length);
  return wrapped(Uint8Array.of(...new Uint8Array(head.buffer), ...raw));
}

export function generalBlock(number: number, acknowledged: number, control: number): Uint8Array {
  const octets = new Uint8Array(9 + 20_000);
  const view = new DataView(octets.buffer);
  octets.set([0xe0, control]);
  view.setUint16(2, number);
  view.setUint16(4, acknowledged);
  octets[6] = 0x82;
  view.setUint16(7, 20_000);
  return wrapped(octets);
}

export const nested = new Uint8Array(20_000).map((_, index) => (index % 2 === 0 ? 2 : 1));

export function asked(apdu: Uint8Array): Uint8Array {
  return encodeWrapper({ sourceWPort: 16, destinationWPort: 1, apdu });
}
