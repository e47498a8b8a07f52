/**
 * The unix socket over which the command line reaches a running daemon: the HTTP API, without a token. Who may use it is
 * a matter of the file's mode.
 */
import { chmod, mkdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Caller } from "./callers.ts";
import type { Api } from "./http-api.ts";

const MAX_SOCKET_PATH_OCTETS = 107;
/** Owner and group only: members of the service's group may read meters. */
const SOCKET_MODE = 0o660;
/** Header in which a local caller says who it is, for the log of changes. */
export const USER_HEADER = "x-dlms-gateway-user";
const USER_NAME = /^[A-Za-z0-9_.@-]{1,64}$/;

export class LocalSocket {
  readonly #connections = new WeakSet<Socket>();

  /** Undefined for a request that came another way. */
  callerOf({ socket, headers }: Pick<IncomingMessage, "socket" | "headers">): Caller | undefined {
    if (!this.#connections.has(socket)) return undefined;
    const name = headers[USER_HEADER];
    const actor = typeof name === "string" && USER_NAME.test(name) ? `local ${name}` : "local user";
    return { id: actor, actor, role: "admin", meterKeys: undefined, isLocal: true };
  }

  /** Serves the resources of the API on a path, from now on. */
  async listen(api: Api, path: string): Promise<Server> {
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH_OCTETS) {
      throw new Error(
        `socket: ${path} is longer than the ${MAX_SOCKET_PATH_OCTETS} octets that a socket path may have`,
      );
    }
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    await removeStaleSocket(path);
    await api.ready();
    const server = createServer((request, response) => api.routing(request, response));
    server.on("connection", (socket) => this.#connections.add(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    await chmod(path, SOCKET_MODE);
    return server;
  }
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
