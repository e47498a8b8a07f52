import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";

const LOWEST = 10_000;
const GIVEN_PORTS = "/proc/sys/net/ipv4/ip_local_port_range";

/**
 * A port of the loopback that nobody listens on now: for settings that have to name it before. Where it can be, it is
 * below those that the system gives by itself, so that no other test is given it until the one that asked listens.
 */
export async function freePort(): Promise<number> {
  const lowestGiven = Number.parseInt(await readFile(GIVEN_PORTS, "utf8").catch(() => "0"), 10);
  for (;;) {
    const server = createServer();
    server.listen(lowestGiven > LOWEST ? randomInt(LOWEST, lowestGiven) : 0, "127.0.0.1");
    const address = await once(server, "listening").then(
      () => server.address() as AddressInfo,
      () => undefined,
    );
    if (address === undefined) continue;
    server.close();
    await once(server, "close");
    return address.port;
  }
}
