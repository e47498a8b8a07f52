import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRecording, type RecordingHeader } from "../../drivers/recording/recording.ts";
import { ReplayChannel } from "../../drivers/recording/replay.ts";
import { readPeer } from "./peer-session.ts";
import { FORMS, MECHANISMS, type PeerSettings, suiteOf } from "./peer-settings.ts";

const names = globSync("*.jsonl", { cwd: import.meta.dirname })
  .map((file) => file.slice(0, -".jsonl".length))
  .sort();

function text(file: string): string {
  return readFileSync(join(import.meta.dirname, file), "utf8");
}

function settingsOf({ settings = {} }: RecordingHeader): PeerSettings {
  const number = (name: string) => (typeof settings[name] === "number" ? settings[name] : undefined);
  const words = (name: string) => (typeof settings[name] === "string" ? settings[name] : undefined);
  const size = number("addressSize");
  const mechanism = MECHANISMS.find((each) => each === settings["mechanism"]);
  if (mechanism === undefined) throw new Error("the recording's header names no mechanism");
  return {
    link: settings["link"] === "hdlc" ? "hdlc" : "wrapper",
    referencing: settings["referencing"] === "short-name" ? "short-name" : undefined,
    clientSap: number("clientSap") ?? 0,
    serverSap: number("serverSap") ?? 0,
    physicalDevice: number("physicalDevice"),
    addressSize: size === 1 || size === 2 || size === 4 ? size : undefined,
    sequenceNumbers: settings["sequenceNumbers"] === "ignored" ? "ignored" : "checked",
    mechanism,
    ciphered: settings["ciphered"] === true,
    challenge: String(settings["challenge"]),
    firstInvocationCounter: number("firstInvocationCounter") ?? 0,
    generalBlockWindow: number("generalBlockWindow"),
    maxReceivePduSize: number("maxReceivePduSize"),
    suite: suiteOf(settings["suite"]),
    form: FORMS.find((each) => each === settings["form"]),
    dedicated: settings["dedicated"] === true,
    dedicatedCounterGoesOn: settings["dedicatedCounterGoesOn"] === true,
    services: settings["services"] === true,
    pushSetup: words("pushSetup"),
    pushSetupVersion: number("pushSetupVersion"),
    portReference: words("portReference"),
    gateway: words("gateway"),
    signingKey: words("signingKey"),
    serverSigningKey: words("serverSigningKey"),
  };
}

test("recordings: there are some, each with what it is to give", () => {
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !existsSync(join(import.meta.dirname, `${name}.expected.json`)))).toEqual([]);
});

test.for(names)("recording %s: read again without the peer, octet for octet", async (name) => {
  const recording = parseRecording(text(`${name}.jsonl`));
  const channel = new ReplayChannel(recording);
  const reading = await readPeer(channel, settingsOf(recording.header));
  expect(JSON.parse(JSON.stringify(reading))).toEqual(JSON.parse(text(`${name}.expected.json`)));
  expect(channel.complete).toBe(true);
});
