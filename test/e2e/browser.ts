/** A real Chromium for tests: one that is named or installed, else Debian's in a private directory. */
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";

const SCRIPT = join(import.meta.dirname, "../web/install-chromium.sh");
const PRIVATE = join(import.meta.dirname, "../../node_modules/.cache/chromium");
const INSTALL_MS = 300_000;

/** The browser, or why there is none. */
export async function startBrowser(): Promise<Browser | string> {
  const program = process.env["DLMS_GATEWAY_TEST_CHROMIUM"] ?? (await onPath("chromium")) ?? (await installed());
  if (!program.startsWith("/")) return program;
  return chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
}

async function onPath(name: string): Promise<string | undefined> {
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const program = join(directory, name);
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return program;
  }
  return undefined;
}

async function installed(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("bash", [SCRIPT, PRIVATE], { timeout: INSTALL_MS });
    return stdout.trim().split("\n").at(-1) ?? "";
  } catch (error) {
    return `no Chromium, and none can be installed: ${error instanceof Error ? error.message.slice(-300) : "unknown"}`;
  }
}
