import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DlmsError } from "../../protocol/errors.ts";
import { messageOf } from "../observe/message-of.ts";
import { ConfigError } from "./config-error.ts";

/** What a meter's secret refers to that has been imported into the sealed key store. */
export const STORED_KEY = "stored";

/** A hardware module, or a service on the network. */
const COMMAND_MS = 30_000;

const HEX_OCTETS = /^(?:[0-9a-fA-F]{2})+$/;

/**
 * Fetches the text behind `env:NAME`, `file:/path`, `credential:NAME`, or what `command:/program ARGUMENT…` prints. Throws
 * ConfigError naming the reference only.
 */
export async function resolveSecretText(reference: string): Promise<string> {
  const separator = reference.indexOf(":");
  const scheme = reference.slice(0, separator);
  const place = reference.slice(separator + 1);
  try {
    if (scheme === "env") return requireValue(process.env[place], "the environment variable is not set");
    if (scheme === "file") return withoutNewline(await readFile(place, "utf8"));
    if (scheme === "command") return withoutNewline(await printedBy(place));
    const directory = requireValue(
      process.env["CREDENTIALS_DIRECTORY"],
      "systemd passed no credentials to this process; outside the service, systemd-run does: see operations.md, Secrets",
    );
    return withoutNewline(await readFile(join(directory, place), "utf8"));
  } catch (cause) {
    const message = messageOf(cause);
    throw new ConfigError(reference, [{ path: "", message: `the secret can't be read: ${message}` }], { cause });
  }
}

/** Fetches a text and reads it. Throws ConfigError naming the reference, with what `read` says but never the text. */
export async function resolveSecretAs<T>(reference: string, read: (text: string) => T): Promise<T> {
  const text = await resolveSecretText(reference);
  try {
    return read(text);
  } catch (cause) {
    const message = cause instanceof DlmsError ? cause.message : "it can't be read";
    throw new ConfigError(reference, [{ path: "", message }], { cause });
  }
}

/** A password: the text's own octets, or hexadecimal octets after `0x`. */
export async function resolvePassword(reference: string): Promise<Uint8Array> {
  const text = await resolveSecretText(reference);
  if (text.startsWith("0x") && HEX_OCTETS.test(text.slice(2))) return octetsOf(text.slice(2));
  return new TextEncoder().encode(text);
}

/** A key in hexadecimal of one of the given lengths (octets). */
export async function resolveKey(reference: string, lengths: readonly number[]): Promise<Uint8Array> {
  const text = (await resolveSecretText(reference)).trim().replace(/^0x/, "");
  if (!HEX_OCTETS.test(text) || !lengths.includes(text.length / 2)) {
    const wanted = lengths.map((length) => `${length * 2}`).join(" or ");
    throw new ConfigError(reference, [{ path: "", message: `the key must be ${wanted} hexadecimal digits` }]);
  }
  return octetsOf(text);
}

/** No shell reads the line. What the program says on its standard error goes to ours, not into an error. */
function printedBy(command: string): Promise<string> {
  const [program = "", ...args] = command.split(/ +/);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = execFile(program, args, { timeout: COMMAND_MS, killSignal: "SIGKILL" }, (error, printed) => {
    if (error === null) resolve(printed);
    else
      reject(new Error(error.killed === true ? "the command takes too long" : `the command ended with ${error.code}`));
  });
  child.stderr?.pipe(process.stderr, { end: false });
  return promise;
}

function octetsOf(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function requireValue(value: string | undefined, otherwise: string): string {
  if (value === undefined) throw new Error(otherwise);
  return value;
}

function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/, "");
}
