/** `probe` against the meters of a street, over real sockets, as people use it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import { probeCommand } from "../../src/cli/commands/probe-command.ts";
import type { ReadOptions } from "../../src/cli/commands/read-command.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { MeterFault } from "../../src/simulator/faults.ts";
import { type Street, type StreetMeter, startStreet } from "../../src/simulator/street.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dlms-gateway-probe-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function probe(options: Partial<ReadOptions>) {
  const out: string[] = [];
  const err: string[] = [];
  const output = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text), width: 120 };
  const reason = await probeCommand(
    undefined,
    { socket: "", timeout: "2s", counters: join(directory, "counters"), ...options },
    output,
  );
  return { reason, out: out.join("\n"), err: err.join("\n") };
}

function street(house: number, fault?: MeterFault): Promise<Street> {
  return startStreet({ count: house + 1, ...(fault && { faults: { [house]: fault } }) });
}

function meterOf(street: Street, house: number): StreetMeter {
  const meter = street.meters[house];
  if (meter === undefined) throw new Error("nobody lives there");
  return meter;
}

/** What the utility's own client has to say; without it the public client is used. */
async function credentials(meter: StreetMeter): Promise<Partial<ReadOptions>> {
  const { security, secret, mechanism, clientSap, name } = meter;
  const file = async (what: string, text: string | undefined) => {
    if (text === undefined) return undefined;
    const path = join(directory, `${name}-${what}`);
    await writeFile(path, text, { mode: 0o600 });
    return `file:${path}`;
  };
  const key = await file("block-cipher-key", security?.blockCipherKey);
  const secretFile = await file("secret", secret);
  const authenticationKey = await file("authentication-key", security?.authenticationKey);
  return {
    clientSap: String(clientSap),
    auth: mechanism,
    ...(secretFile !== undefined && { secret: secretFile }),
    ...(security !== undefined &&
      key !== undefined && {
        blockCipherKey: key,
        ...(authenticationKey !== undefined && { authenticationKey }),
        protection: security.protection,
        counter: security.invocationCounter,
      }),
  };
}

interface Pasted {
  readonly meters: readonly [
    {
      companion?: string;
      quirks?: string[];
      connection: Record<string, unknown>;
      number: string;
      association: unknown;
    },
  ];
}

function pasted(text: string): Pasted["meters"][0] {
  const parsed = parse(text) as Pasted;
  // What is printed is a configuration: it loads.
  parseConfig(text, "probe");
  return parsed.meters[0];
}

function address({ host, port }: StreetMeter): string {
  return `${host}:${port}`;
}

test("probe: an unknown Indian meter over the wrapper, with the public client alone", async () => {
  await using houses = await street(0);
  const meter = meterOf(houses, 0);
  const { reason, out, err } = await probe({ tcp: address(meter), timeZone: meter.timeZone });
  expect(err).toMatch(/^link +wrapper$/mu);
  expect(err).toMatch(/^association +client 16 without authentication$/mu);
  expect(reason).toBe("success");
  const found = pasted(out);
  expect(found.connection["link"]).toBe("wrapper");
  expect(found.number).toBe(meter.serial);
  expect(out).toMatch(/# client 32 .*refuses/u);
  expect(out).toMatch(/# invocation counters, .*: .*0\.0\.43\.1\.3\.255/u);
});

test("probe: with credentials it says what the meter is, and which rows can be had how", async () => {
  await using houses = await street(0);
  const meter = meterOf(houses, 0);
  const { reason, out, err } = await probe({
    tcp: address(meter),
    timeZone: meter.timeZone,
    ...(await credentials(meter)),
  });
  expect(err).toMatch(/^objects +\d+ objects of \d+ classes$/mu);
  expect(reason).toBe("success");
  const found = pasted(out);
  expect(found.companion).toBe("is15959");
  expect(found.quirks ?? []).toEqual([]);
  expect(out).toMatch(/# client 48 \(0\.0\.40\.0\.3\.255\): hls-2, ciphered/u);
  expect(out).not.toMatch(/[0-9a-fA-F]{32}/u);
});

test("probe: the counter of the client is found where it is not named", async () => {
  await using houses = await street(3);
  for (const house of [0, 3]) {
    const meter = meterOf(houses, house);
    if (meter.security === undefined) continue;
    const { counter: _, ...others } = await credentials(meter);
    const { reason, out } = await probe({ tcp: address(meter), timeZone: meter.timeZone, ...others });
    expect(reason).toBe("success");
    expect(pasted(out).association).toMatchObject({
      security: { invocationCounter: meter.security.invocationCounter },
    });
  }
});

test.each([
  ["no-ranges", ["range-refused"]],
  ["plain-limits", ["range-without-deviation"]],
  ["whole-buffers", ["range-refused", "entries-refused"]],
  ["newest-entry-first", ["entries-newest-first"]],
] as const)("probe: a meter with the fault %s needs %j", async (fault, quirks) => {
  await using houses = await street(0, fault);
  const meter = meterOf(houses, 0);
  const { reason, out } = await probe({ tcp: address(meter), timeZone: meter.timeZone, ...(await credentials(meter)) });
  expect(reason).toBe("success");
  expect(pasted(out).quirks).toEqual(quirks);
});

test("probe: a clock with the deviation turned round", async () => {
  await using houses = await street(9);
  const meter = meterOf(houses, 9);
  const { out } = await probe({ tcp: address(meter), timeZone: meter.timeZone, ...(await credentials(meter)) });
  expect(pasted(out).quirks).toEqual(["deviation-inverted"]);
});

test.each([
  [4, "dsmr", {}],
  // A meter that is alone on its line takes the short address too, whatever its physical one is.
  [6, "is15959", {}],
  [3, "idis", {}],
] as const)(
  "probe: house %i is of companion %s, its link and addresses are found: %j",
  async (house, companion, connection) => {
    await using houses = await street(house);
    const meter = meterOf(houses, house);
    const { out, reason } = await probe({
      tcp: address(meter),
      timeZone: meter.timeZone,
      ...(await credentials(meter)),
    });
    expect(reason).toBe("success");
    expect(pasted(out)).toMatchObject({ companion, connection: { link: meter.link.type, ...connection } });
  },
);

test("probe: a meter whose frames are all numbered 0", async () => {
  await using houses = await street(5, "fixed-frame-numbers");
  const meter = meterOf(houses, 5);
  const { out, err, reason } = await probe({
    tcp: address(meter),
    timeZone: meter.timeZone,
    ...(await credentials(meter)),
  });
  expect(err).not.toMatch(/broken/u);
  expect(reason).toBe("success");
  expect(pasted(out).quirks).toEqual(["frame-numbers-fixed"]);
});

test("probe: what stops it is named with cause and next step", async () => {
  // No port at all.
  const closed = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, () => undefined);
  const { host, port } = closed.address;
  await closed.close();
  const nobody = await probe({ tcp: `${host}:${port}` });
  expect(nobody).toMatchObject({ reason: "meterFailed", out: "" });
  expect(nobody.err).toMatch(
    /^link +broken: the host answers, but does not take the connection\n {2}seen .*\n {2}likely .*\n {2}next /mu,
  );
});

test("probe: a meter that says nothing is tried over every link, then given up", async () => {
  await using houses = await street(0, "answers-nothing");
  const { reason, err } = await probe({ tcp: address(meterOf(houses, 0)), timeout: "60ms" });
  expect(reason).toBe("meterFailed");
  expect(err).toMatch(/^link +broken: nothing answers/mu);
});

test("probe: a meter that lets nobody in tells which clients it knows of, and what is printed says that it is not complete", async () => {
  await using houses = await street(0, "refuses-association");
  const { reason, out, err } = await probe({ tcp: address(meterOf(houses, 0)) });
  expect(reason).toBe("meterFailed");
  expect(err).toMatch(/^association +broken: /mu);
  expect(err).toMatch(/next +probe again with the client that you have rights for/u);
  expect(out).toMatch(/# NOT COMPLETE: association broke/u);
  pasted(out);
});

test("probe: wrong keys break it at the association, and no other client is tried", async () => {
  await using houses = await street(0, "wrong-keys");
  const meter = meterOf(houses, 0);
  const { reason, err } = await probe({ tcp: address(meter), ...(await credentials(meter)) });
  expect(reason).toBe("meterFailed");
  expect(err).toMatch(/broken: what one side ciphers the other can't decipher/u);
  expect(err).not.toMatch(/client 16/u);
});

test("probe: a meter by name is asked of the daemon, and of nobody else", async () => {
  const output = { out: () => undefined, err: () => undefined, width: 80 };
  expect(await probeCommand("feeder-7", { socket: "", tcp: "127.0.0.1:1" }, output)).toBe("usage");
  await expect(probeCommand("feeder-7", { socket: join(directory, "none.sock") }, output)).rejects.toThrow("no daemon");
});
