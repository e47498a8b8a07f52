/** A meter over real sockets: the whole client stack, recorded, and read again from the recording without the meter. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ByteChannel } from "../../drivers/channel.ts";
import { Pump } from "../../drivers/pump.ts";
import { RecordingFile } from "../../drivers/recording/file.ts";
import { parseRecording } from "../../drivers/recording/recording.ts";
import { ReplayChannel } from "../../drivers/recording/replay.ts";
import { RecordingTee } from "../../drivers/recording/tee.ts";
import { connectTcp } from "../../drivers/tcp/connect.ts";
import { TcpListener } from "../../drivers/tcp/listener.ts";
import type { ClientSettings } from "../../protocol/association/client/client-settings.ts";
import type { AssociationRule } from "../../protocol/association/server/association-rule.ts";
import { AssociationServer } from "../../protocol/association/server/server.ts";
import type { Data } from "../../protocol/axdr/data.ts";
import { fromHex, toHex } from "../../protocol/bytes/hex.ts";
import { hdlcAddress } from "../../protocol/link/hdlc/address.ts";
import { HdlcClient } from "../../protocol/link/hdlc/client.ts";
import { HdlcServer } from "../../protocol/link/hdlc/server.ts";
import { WrapperLink } from "../../protocol/link/wrapper-link.ts";
import { SecretKey } from "../../protocol/security/secret-key.ts";
import { causeOf } from "../../src/collect/causes/failure-cause.ts";
import { MeterConnection } from "../../src/collect/session/meter-connection.ts";
import { MeterLine } from "../../src/collect/session/meter-line.ts";
import { ServedLink } from "../protocol/association/served-link.ts";
import {
  ascii,
  CLOCK,
  clientProtection,
  FixtureObjects,
  OPEN_RULE,
  SERVER_CHALLENGE,
  serverProtection,
} from "../protocol/association/server-fixture.ts";

const CANARY = "canary-password!";
const SECRET = new SecretKey("hlsSecret", ascii(CANARY));
const clock = { attribute: { classId: 8, logicalName: CLOCK, attributeId: 2 } };
const LONG: Data = { type: "octet-string", value: Uint8Array.from({ length: 20_000 }, (_, index) => index) };

async function listen(rule: AssociationRule, link: "wrapper" | "hdlc"): Promise<TcpListener> {
  const objects = new FixtureObjects();
  objects.values.set(FixtureObjects.key(8, CLOCK, 2), LONG);
  return TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    const server = link === "wrapper" ? new WrapperLink({ role: "server" }) : new HdlcServer({ logicalDevices: [1] });
    const served = new ServedLink(
      server,
      (clientSap) =>
        new AssociationServer({
          clientSap,
          serverSap: 1,
          rule: () => rule,
          objects,
          randomOctets: (length) => SERVER_CHALLENGE.subarray(0, length),
        }),
    );
    new Pump(served, channel, { event: () => {}, closed: () => {} }, { ended: { type: "channelEnded" } }).start();
  });
}

async function read(channel: ByteChannel, link: "wrapper" | "hdlc", client: ClientSettings): Promise<unknown> {
  await using line = new MeterLine(channel);
  await using connection = await MeterConnection.open(line, {
    link:
      link === "wrapper"
        ? new WrapperLink({ role: "client", clientSap: 16, serverSap: 1 })
        : new HdlcClient({ clientSap: 16, server: hdlcAddress(1) }),
    client,
  });
  await connection.associate();
  return await connection.get(clock);
}

const CASES: readonly {
  readonly name: string;
  readonly rule: () => AssociationRule;
  readonly client: () => ClientSettings;
}[] = [
  {
    name: "lls",
    rule: () => ({ ...OPEN_RULE, mechanism: "lls", secret: SECRET }),
    client: () => ({
      authentication: { mechanism: "lls", password: SECRET },
      challenge: () => ascii("K56iVagYK56iVagY"),
    }),
  },
  {
    name: "hls, ciphered",
    rule: () => ({
      ...OPEN_RULE,
      mechanism: "hls",
      secret: SECRET,
      applicationContexts: ["logical-name-with-ciphering"],
      security: { protection: serverProtection() },
    }),
    client: () => ({
      authentication: { mechanism: "hls", secret: SECRET },
      challenge: () => ascii("K56iVagYK56iVagY"),
      protection: clientProtection(),
      ciphering: { request: "authenticated-encrypted" },
    }),
  },
];

test.each(CASES.flatMap((each) => (["wrapper", "hdlc"] as const).map((link) => ({ each, link }))))(
  "meter over TCP, $link, $each.name: read, recorded without secrets, and read again from the recording",
  async ({ each, link }) => {
    const directory = await mkdtemp(join(tmpdir(), "session-"));
    const path = join(directory, "session.jsonl");
    await using listener = await listen(each.rule(), link);
    await using file = new RecordingFile(path);
    const tee = new RecordingTee(await connectTcp(listener.address), {
      header: { peer: "our own server", version: "0", command: "test", settings: { link } },
      secrets: [ascii(CANARY)],
      writeLine: file.writeLine,
    });
    expect(await read(tee, link, each.client())).toEqual({ type: "data", data: LONG });
    await file.close();
    const text = await readFile(path, "utf8");
    expect(text).not.toContain(toHex(ascii(CANARY)));
    const replay = new ReplayChannel(parseRecording(text));
    expect(await read(replay, link, each.client())).toEqual({ type: "data", data: LONG });
    expect(replay.complete).toBe(true);
    await rm(directory, { recursive: true });
  },
);

test("meter over TCP: the wrong link is line noise, a wrong port is refused, a closed socket is a lost connection", async () => {
  const rule = OPEN_RULE;
  const client: ClientSettings = {
    authentication: { mechanism: "none" },
    challenge: () => new Uint8Array(0),
    responseTimeoutMs: 5000,
  };
  const failure = async (channel: Promise<ByteChannel>, given = client) => {
    try {
      await read(await channel, "wrapper", given);
    } catch (error) {
      return causeOf(error).cause;
    }
    throw new Error("did not fail");
  };
  const noisy = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    channel.start({ bytes: () => channel.write(fromHex("7EA0072103730140 7E")), closed: () => {} });
  });
  expect(await failure(connectTcp(noisy.address))).toBe("line noise");
  const hanging = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    channel.start({ bytes: () => channel.close(), closed: () => {} });
  });
  expect(await failure(connectTcp(hanging.address))).toBe("connection lost");
  const silent = await TcpListener.listen({ host: "127.0.0.1", port: 0 }, (channel) => {
    channel.start({ bytes: () => {}, closed: () => {} });
  });
  expect(await failure(connectTcp(silent.address), { ...client, responseTimeoutMs: 300 })).toBe("no answer");
  await Promise.all([noisy.close(), hanging.close(), silent.close()]);
  expect(await failure(connectTcp(silent.address))).toBe("port refused");
  const served = await listen(rule, "wrapper");
  expect(await read(await connectTcp(served.address), "wrapper", client)).toEqual({ type: "data", data: LONG });
  await served.close();
});
