/** Why does this meter not answer? What `read` says when one thing is wrong that an engineer may have set wrongly. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type ReadOptions, readCommand } from "../../src/cli/commands/read-command.ts";
import { streetConfiguration } from "../../src/cli/demo/demo-street.ts";
import { type Street, startStreet } from "../../src/simulator/street.ts";

/** Houses of the street: HLS with ciphering over the wrapper, and a password over HDLC. */
const CIPHERED = 0;
const PASSWORD = 5;

let directory: string;
let street: Street;
let meters: Awaited<ReturnType<typeof streetConfiguration>>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-why-"));
  street = await startStreet({ count: 6 });
  meters = await streetConfiguration(street.meters, join(directory, "keys"));
  await writeFile(join(directory, "password"), "not this one 16.");
  await writeFile(join(directory, "key"), randomBytes(16).toString("hex"));
});
afterAll(async () => {
  await street.close();
  await rm(directory, { recursive: true, force: true });
});

/** As the meter of the house is to be read, over the command line. */
function right(house: number): Partial<ReadOptions> {
  const { connection, association } = meters[house] ?? {};
  const { security } = association ?? {};
  const options = {
    tcp: connection?.tcp,
    link: connection?.link,
    physicalAddress: connection?.physicalAddress?.toString(),
    clientSap: association?.clientSap?.toString(),
    auth: association?.mechanism,
    secret: association?.secret,
    blockCipherKey: security?.blockCipherKey,
    authenticationKey: security?.authenticationKey,
    clientTitle: security?.clientSystemTitle,
    serverTitle: security?.serverSystemTitle,
    counter: security?.invocationCounter,
    timeout: "4s",
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

const answerForm = z.object({
  refusal: z
    .object({ cause: z.string(), evidence: z.string(), nextStep: z.string(), likely: z.array(z.string()) })
    .optional(),
});

async function read(options: Partial<ReadOptions>) {
  const lines: string[] = [];
  const output = { out: (line: string) => lines.push(line), err: () => undefined, width: undefined };
  const counters = join(directory, "counters");
  await readCommand(["clock"], { socket: "", json: true, counters, ...options }, output);
  return answerForm.parse(JSON.parse(lines.join("\n"))).refusal;
}

test.each([CIPHERED, PASSWORD])("why: house %i is read with all as it should be", async (house) => {
  expect(await read(right(house))).toBeUndefined();
});

interface Mistake {
  readonly what: string;
  readonly house: number;
  readonly wrong: () => Partial<ReadOptions>;
  readonly cause: string;
  /** Stands first in the list of what is likely, or where else it does. */
  readonly rank?: number;
  readonly likely: string;
}

const MISTAKES: readonly Mistake[] = [
  {
    what: "password",
    house: PASSWORD,
    wrong: () => ({ secret: `file:${join(directory, "password")}` }),
    cause: "wrong password",
    likely: "wrong password or secret",
  },
  {
    what: "HLS secret",
    house: CIPHERED,
    wrong: () => ({ secret: `file:${join(directory, "password")}` }),
    cause: "wrong password",
    likely: "wrong password or secret",
  },
  {
    what: "block cipher key",
    house: CIPHERED,
    wrong: () => ({ blockCipherKey: `file:${join(directory, "key")}` }),
    cause: "wrong block key",
    likely: "wrong block key",
  },
  {
    // The meter says of either key that it can't decipher: both are named, the likelier first.
    what: "authentication key",
    house: CIPHERED,
    wrong: () => ({ authenticationKey: `file:${join(directory, "key")}` }),
    cause: "wrong block key",
    rank: 1,
    likely: "wrong authentication key",
  },
  {
    what: "client SAP",
    house: PASSWORD,
    wrong: () => ({ clientSap: "99" }),
    cause: "association refused",
    likely: "wrong client SAP",
  },
  {
    what: "server address",
    house: PASSWORD,
    wrong: () => ({ physicalAddress: "77" }),
    cause: "no answer",
    rank: 4,
    likely: "wrong HDLC address",
  },
  {
    what: "link",
    house: PASSWORD,
    wrong: () => ({ link: "wrapper" }),
    cause: "no answer",
    rank: 2,
    likely: "wrong link",
  },
];

test.each(MISTAKES)(
  "why: a wrong $what is named, with evidence and what to do",
  async ({ house, wrong, cause, likely, rank = 0 }) => {
    const { physicalAddress, ...others } = { ...right(house), ...wrong() };
    const isHdlc = others.link === "hdlc" && physicalAddress !== undefined;
    const refusal = await read({ ...others, ...(isHdlc && { physicalAddress }) });
    expect(refusal).toMatchObject({ cause });
    expect(refusal?.likely[rank]).toContain(likely);
    expect(refusal?.evidence).toMatch(/./);
    expect(refusal?.nextStep).toMatch(/check|compare/);
  },
);

/** A server of TCP that does with connections what is said. */
async function serving(accept: (socket: Socket, count: number) => void): Promise<{ tcp: string; close: () => void }> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    accept(socket, ++count);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { tcp: `127.0.0.1:${typeof address === "object" ? address?.port : 0}`, close };
}

test("why: a port that is closed is refused, and one that swallows everything is silent", async () => {
  const closed = await serving(() => undefined);
  closed.close();
  expect(await read({ tcp: closed.tcp, timeout: "1s" })).toMatchObject({ cause: "port refused" });
  const silent = await serving(() => undefined);
  expect(await read({ tcp: silent.tcp, timeout: "1s" })).toMatchObject({
    cause: "no answer",
    evidence: expect.stringContaining("0 octets"),
  });
  silent.close();
});

test("why: a meter that takes one connection only ends the second at once", async () => {
  const single = await serving((socket) => socket.destroy());
  expect(await read({ tcp: single.tcp, timeout: "10s" })).toMatchObject({ cause: "connection lost" });
  single.close();
});

/** A process that listens and never accepts: when its queue is full, the kernel drops what asks for a connection. */
async function dropping(): Promise<{ tcp: string; close: () => void }> {
  const script = `const server = require("node:net").createServer();
    server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  const [first] = await once(child.stdout, "data");
  const port = Number(String(first));
  child.kill("SIGSTOP");
  const sockets: Socket[] = [];
  const close = () => {
    for (const socket of sockets) socket.destroy();
    child.kill("SIGKILL");
  };
  // A backlog of one takes two; a loaded machine may be late with either.
  for (let isTaken = true; isTaken || sockets.filter(({ connecting }) => !connecting).length < 2; ) {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    sockets.push(socket);
    isTaken = await Promise.race([once(socket, "connect").then(() => true), sleep(500).then(() => false)]);
  }
  return { tcp: `127.0.0.1:${port}`, close };
}

test("why: a firewall that drops what asks for a connection is silence before TCP, and stands among the likely", async () => {
  const firewall = await dropping();
  const refusal = await read({ tcp: firewall.tcp, timeout: "1s" });
  firewall.close();
  expect(refusal).toMatchObject({ cause: "no answer", evidence: expect.stringContaining("CHANNEL_NO_ANSWER") });
  expect(refusal?.likely.slice(0, 2)).toContain("a firewall that drops what is sent");
});
