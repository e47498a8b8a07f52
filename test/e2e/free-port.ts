import { createServer } from "node:net";

/** A port of the loopback that nobody listens on now: for settings that have to name it before. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is to be had");
  return address.port;
}
