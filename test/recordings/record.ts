/**
 * Records a reading of a live meter server: `node test/recordings/record.ts NAME --peer … --version … --port …`. Writes
 * NAME.jsonl and NAME.expected.json beside this file; the replay test then holds them.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { RecordingFile } from "../../drivers/recording/file.ts";
import { RecordingTee } from "../../drivers/recording/tee.ts";
import { connectTcp } from "../../drivers/tcp/connect.ts";
import { UdpChannel } from "../../drivers/udp/channel.ts";
import { toHex } from "../../protocol/bytes/hex.ts";
import { readPeer } from "./peer-session.ts";
import { FORMS, MECHANISMS, type PeerSettings, suiteOf } from "./peer-settings.ts";

const CHALLENGE_LENGTH = 16;
/** HLS 7 wants at least so many octets. */
const LONG_CHALLENGE = 32;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: "string", default: "" },
    version: { type: "string", default: "" },
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "4059" },
    link: { type: "string", default: "wrapper" },
    "short-name": { type: "boolean", default: false },
    client: { type: "string", default: "16" },
    server: { type: "string", default: "1" },
    physical: { type: "string" },
    "address-size": { type: "string" },
    "ignore-sequence": { type: "boolean", default: false },
    mechanism: { type: "string", default: "none" },
    ciphered: { type: "boolean", default: false },
    counter: { type: "string", default: "1" },
    "general-blocks": { type: "string" },
    "pdu-size": { type: "string" },
    suite: { type: "string", default: "0" },
    form: { type: "string" },
    dedicated: { type: "boolean", default: false },
    "dedicated-counter-goes-on": { type: "boolean", default: false },
    services: { type: "boolean", default: false },
    "push-setup": { type: "string" },
    "push-setup-version": { type: "string" },
    "port-reference": { type: "string" },
    gateway: { type: "string" },
    udp: { type: "boolean", default: false },
    "signing-key": { type: "string" },
    "server-signing-key": { type: "string" },
  },
});
const [name] = positionals;

function optional(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

const mechanism = MECHANISMS.find((each) => each === values.mechanism);
if (name === undefined || mechanism === undefined || values.peer === "" || values.version === "") {
  throw new Error("usage: record.ts NAME --peer NAME --version TEXT [--port N] [--link wrapper|hdlc] [--client N] …");
}
const size = Number(values["address-size"] ?? 0);
const settings: PeerSettings = {
  link: values.link === "hdlc" ? "hdlc" : "wrapper",
  referencing: values["short-name"] ? "short-name" : undefined,
  clientSap: Number(values.client),
  serverSap: Number(values.server),
  physicalDevice: values.physical === undefined ? undefined : Number(values.physical),
  addressSize: size === 1 || size === 2 || size === 4 ? size : undefined,
  sequenceNumbers: values["ignore-sequence"] ? "ignored" : "checked",
  mechanism,
  ciphered: values.ciphered,
  challenge: toHex(randomBytes(mechanism === "hls-ecdsa" ? LONG_CHALLENGE : CHALLENGE_LENGTH)),
  firstInvocationCounter: Number(values.counter),
  generalBlockWindow: optional(values["general-blocks"]),
  maxReceivePduSize: optional(values["pdu-size"]),
  suite: suiteOf(values.suite),
  form: FORMS.find((each) => each === values.form),
  dedicated: values.dedicated || undefined,
  dedicatedCounterGoesOn: values["dedicated-counter-goes-on"] || undefined,
  services: values.services || undefined,
  pushSetup: values["push-setup"],
  pushSetupVersion: optional(values["push-setup-version"]),
  portReference: values["port-reference"],
  gateway: values.gateway,
  signingKey: values["signing-key"],
  serverSigningKey: values["server-signing-key"],
};
const path = join(import.meta.dirname, `${name}.jsonl`);
rmSync(path, { force: true });
const file = new RecordingFile(path);
const simple = Object.entries(settings).filter(([, value]) => value !== undefined);
const address = { host: values.host, port: Number(values.port) };
const channel = new RecordingTee(values.udp ? await UdpChannel.connect(address) : await connectTcp(address), {
  header: {
    peer: values.peer,
    version: values.version,
    command: `record.ts ${process.argv.slice(2).join(" ")}`,
    settings: Object.fromEntries(simple),
  },
  writeLine: file.writeLine,
});
try {
  const reading = await readPeer(channel, settings);
  writeFileSync(join(import.meta.dirname, `${name}.expected.json`), `${JSON.stringify(reading, undefined, 1)}\n`);
  console.log(`${name}: ${reading.objects.length} objects, ${reading.rowCount} rows, release ${reading.release}`);
} finally {
  await file.close();
}
if (mechanism === "hls-ecdsa") writeFileSync(path, blankSignature(readFileSync(path, "utf8")));

/** A signature is another one every time: the replay takes any in its place. */
function blankSignature(recording: string): string {
  const lines = recording.split("\n").map((line) => {
    const [, before = "", length = ""] = /^.*"dir":"tx","hex":"([0-9a-f]*0f0000280000ff010109(40|60))/.exec(line) ?? [];
    if (before === "") return line;
    return JSON.stringify({ ...JSON.parse(line), blanked: [[before.length / 2, Number.parseInt(length, 16)]] });
  });
  return lines.join("\n");
}
