import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRecording, type RecordingHeader } from "../../../drivers/recording/recording.ts";
import { ReplayChannel } from "../../../drivers/recording/replay.ts";
import { suiteOf } from "../peer-settings.ts";
import { SERVED_MECHANISMS, type ServedSettings, serveClient } from "./served-meter.ts";

const names = globSync("*.jsonl", { cwd: import.meta.dirname })
  .map((file) => file.slice(0, -".jsonl".length))
  .sort();

function text(file: string): string {
  return readFileSync(join(import.meta.dirname, file), "utf8");
}

function settingsOf({ settings = {} }: RecordingHeader): ServedSettings {
  const words = (name: string) => (typeof settings[name] === "string" ? settings[name] : undefined);
  const mechanism = SERVED_MECHANISMS.find((each) => each === settings["mechanism"]);
  if (mechanism === undefined) throw new Error("the recording's header names no mechanism");
  return {
    clientSap: Number(settings["clientSap"]),
    mechanism,
    ciphered: settings["ciphered"] === true,
    suite: suiteOf(settings["suite"]),
    gateway: words("gateway"),
    signingKey: words("signingKey"),
    agreementKey: words("agreementKey"),
    clientCertificate: words("clientCertificate"),
    clientAgreementCertificate: words("clientAgreementCertificate"),
    certificate: words("certificate"),
    authority: words("authority"),
  };
}

test("recorded clients: there are some", () => {
  expect(names.length).toBeGreaterThan(4);
});

test.for(names)("recorded client %s: served again without it, octet for octet", async (name) => {
  const recording = parseRecording(text(`${name}.jsonl`));
  const channel = new ReplayChannel(recording);
  const served = await serveClient(channel, settingsOf(recording.header));
  expect(served).toEqual(JSON.parse(text(`${name}.expected.json`)));
  expect(channel.complete).toBe(true);
});
