/**
 * Records a client that we did not write, talking to a meter of ours: `node test/recordings/clients/record.ts NAME --peer …
 * --version … --command …`, then the client is started against the port. Writes NAME.jsonl and NAME.expected.json beside
 * this file; the replay test then holds them.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ByteChannel } from "../../../drivers/channel.ts";
import { RecordingFile } from "../../../drivers/recording/file.ts";
import { RecordingTee } from "../../../drivers/recording/tee.ts";
import { TcpListener } from "../../../drivers/tcp/listener.ts";
import type { TcpAddress } from "../../../drivers/tcp/address.ts";
import { UdpReceiver } from "../../../drivers/udp/receiver.ts";
import { toHex } from "../../../protocol/bytes/hex.ts";
import { suiteOf } from "../peer-settings.ts";
import { DatagramClient } from "./datagram-client.ts";
import { SERVED_MECHANISMS, type ServedSettings, serveClient } from "./served-meter.ts";

/** Behind the eight octets of the wrapper: an HLS reply, an APDU of general-signing, an ephemeral key in a key info. */
const SIGNED = [
  /^.{16}c701.{2}00010009[46]0.*$/,
  /^.{16}df.*$/,
  /^.{16}dd.*?01020101(?:8180.{256}|81c0.{384})/,
] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: "string", default: "" },
    version: { type: "string", default: "" },
    command: { type: "string", default: "" },
    port: { type: "string", default: "4790" },
    udp: { type: "boolean", default: false },
    client: { type: "string", default: "16" },
    mechanism: { type: "string", default: "none" },
    ciphered: { type: "boolean", default: false },
    suite: { type: "string", default: "0" },
    gateway: { type: "string" },
    /** A folder with keys (PKCS #8) and certificates as PEM: client, clientka, server, serverka, ca, each with the suite. */
    keys: { type: "string" },
    /** The client's key for signatures is not known beforehand: it comes along in a certificate, and ours goes along. */
    certificates: { type: "boolean", default: false },
  },
});
const [name] = positionals;
const mechanism = SERVED_MECHANISMS.find((each) => each === values.mechanism);
if (name === undefined || mechanism === undefined || values.peer === "") {
  throw new Error("usage: record.ts NAME --peer NAME --version TEXT --command TEXT [--port N] [--udp] …");
}

const settings: ServedSettings = {
  clientSap: Number(values.client),
  mechanism,
  ciphered: values.ciphered,
  suite: suiteOf(values.suite),
  gateway: values.gateway,
  ...(values.keys !== undefined && { signingKey: pem("server", "key"), ...identities(values.certificates) }),
};
const signatureLength = settings.suite === 2 ? 96 : 64;
const path = join(import.meta.dirname, `${name}.jsonl`);
rmSync(path, { force: true });
const file = new RecordingFile(path);
const simple = Object.entries(settings).filter(([, value]) => value !== undefined);
const { peer, version, command } = values;
const { channel: client, end } = await firstClient({ host: "127.0.0.1", port: Number(values.port) });
const channel = new RecordingTee(client, {
  header: { peer, version, command, settings: Object.fromEntries(simple) },
  writeLine: file.writeLine,
});
const served = await serveClient(channel, settings);
writeFileSync(join(import.meta.dirname, `${name}.expected.json`), `${JSON.stringify(served, undefined, 1)}\n`);
await end();
await file.close();
writeFileSync(path, blankSignatures(readFileSync(path, "utf8")));
console.log(`${name}: ${served.join(" | ")}`);

function pem(owner: string, kind: "key" | "pem"): string {
  return readFileSync(join(values.keys ?? "", `${owner}${values.suite}.${kind}`), "utf8");
}

function der(owner: string): string {
  return toHex(Buffer.from(pem(owner, "pem").replaceAll(/-----[^-]+-----|\s/g, ""), "base64"));
}

function identities(carried: boolean): Partial<ServedSettings> {
  if (carried) return { certificate: der("server"), authority: der("ca") };
  return {
    agreementKey: pem("serverka", "key"),
    clientCertificate: der("client"),
    clientAgreementCertificate: der("clientka"),
  };
}

/** The first client that comes, and what to call when it has been served. */
async function firstClient(address: TcpAddress): Promise<{ channel: ByteChannel; end: () => Promise<void> }> {
  const { promise, resolve } = Promise.withResolvers<ByteChannel>();
  if (!values.udp) {
    const listener = await TcpListener.listen(address, resolve, { connectionLimit: 1 });
    return { channel: await promise, end: () => listener.close() };
  }
  let client: DatagramClient | undefined;
  const receiver = await UdpReceiver.bind(address, (octets, from) => {
    client ??= new DatagramClient((answer) => receiver.send(answer, from));
    resolve(client);
    client.take(octets);
  });
  return { channel: await promise, end: () => receiver.close() };
}

/** Signatures are others every time: the replay takes any in their place. They end what they sign. */
function blankSignatures(recording: string): string {
  const lines = recording.split("\n").map((line) => {
    const [, hex = ""] = /"dir":"tx","hex":"([0-9a-f]*)"/.exec(line) ?? [];
    const signed = SIGNED.map((form) => form.exec(hex)?.[0]).find((each) => each !== undefined);
    if (signed === undefined) return line;
    return JSON.stringify({ ...JSON.parse(line), blanked: [[signed.length / 2 - signatureLength, signatureLength]] });
  });
  return lines.join("\n");
}
