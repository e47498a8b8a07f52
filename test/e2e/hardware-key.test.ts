/** The key that seals others, kept closed by a key that a PKCS#11 module does not give away. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { resolveKey } from "../../src/config/secret.ts";

const run = promisify(execFile);
const MODULE = "/usr/lib/softhsm/libsofthsm2.so";
const NEEDED = ["/usr/bin/pkcs11-tool", "/usr/bin/softhsm2-util", "/usr/bin/openssl", MODULE];
const PIN = "1234";

test("hardware key: a command opens the sealing key with a PKCS#11 module", async (context) => {
  const missing = NEEDED.find((path) => !existsSync(path));
  context.skip(missing !== undefined, `${missing} is not installed (softhsm2, opensc, openssl)`);
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "dlms-gateway-hsm-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  stack.defer(() => void vi.unstubAllEnvs());
  const at = (name: string) => join(directory, name);
  await mkdir(at("tokens"));
  await writeFile(at("softhsm.conf"), `directories.tokendir = ${at("tokens")}\n`);
  vi.stubEnv("SOFTHSM2_CONF", at("softhsm.conf"));
  await run("softhsm2-util", ["--init-token", "--free", "--label", "dlms", "--pin", PIN, "--so-pin", PIN]);
  const tool = (...args: readonly string[]) =>
    run("pkcs11-tool", ["--module", MODULE, "--token-label", "dlms", "--login", "--pin", PIN, ...args]);
  await tool("--keypairgen", "--key-type", "rsa:2048", "--id", "01");
  await tool("--read-object", "--type", "pubkey", "--id", "01", "-o", at("public.der"));
  const sealingKey = "5ec2e7".padEnd(64, "0");
  await writeFile(at("plain"), sealingKey);
  const publicKey = ["-pubin", "-inkey", at("public.der"), "-keyform", "DER", "-pkeyopt", "rsa_padding_mode:oaep"];
  await run("openssl", ["pkeyutl", "-encrypt", ...publicKey, "-in", at("plain"), "-out", at("closed")]);
  await writeFile(
    at("open"),
    `#!/bin/sh
exec pkcs11-tool --module ${MODULE} --token-label dlms --login --pin ${PIN} --id 01 --decrypt \\
  -m RSA-PKCS-OAEP --hash-algorithm SHA-1 --mgf MGF1-SHA1 -i ${at("closed")}
`,
  );
  await chmod(at("open"), 0o700);
  const opened = await resolveKey(`command:${at("open")}`, [32]);
  expect(Buffer.from(opened).toString("hex")).toBe(sealingKey);
  await writeFile(at("closed"), "another");
  await expect(resolveKey(`command:${at("open")}`, [32])).rejects.toThrow(/command:.*: the command ended with 1/);
});
