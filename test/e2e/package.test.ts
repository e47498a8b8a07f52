/** The Debian package: it builds to the same octets twice, and what it holds runs from where it is unpacked. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { freePort } from "./free-port.ts";
import { PlayedSystemd } from "./played-systemd.ts";

const ROOT = join(import.meta.dirname, "../..");
/** The most that the hardened unit may be exposed, in the tenths that systemd-analyze takes. */
const MOST_EXPOSURE = 15;
const directory = mkdtempSync(join(tmpdir(), "dlms-gateway-deb-"));
const tree = join(directory, "tree");
const program = join(tree, "usr/bin/dlms-gateway");
const missing = isThere("dpkg-deb") ? undefined : "dpkg-deb is not installed";

function isThere(name: string): boolean {
  return spawnSync(name, ["--version"]).error === undefined;
}

function build(into: string): string {
  const words = [join(ROOT, "systemd/debian/build.ts"), join(directory, into)];
  execFileSync(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
  const [file] = readdirSync(join(directory, into));
  return join(directory, into, file ?? "");
}

let file = "";
beforeAll(() => {
  if (missing !== undefined) return;
  chmodSync(directory, 0o755);
  file = build("one");
  execFileSync("dpkg-deb", ["-x", file, tree]);
}, 300_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));
beforeEach((context) => context.skip(missing !== undefined, missing));

test("package: it says what it is, and the same sources give the same octets", () => {
  const fields = execFileSync("dpkg-deb", ["-f", file], { encoding: "utf8" });
  expect(fields).toContain(`Version: ${packageJson.version}\n`);
  expect(fields).toMatch(/^Depends: libc6 \(>= [\d.]+\), libstdc\+\+6, systemd \(>= 252\), udev$/m);
  expect(readFileSync(file).equals(readFileSync(build("two")))).toBe(true);
}, 300_000);

test("package: everything an operator looks for is where it belongs, and nothing is for others to write", () => {
  const listed = execFileSync("dpkg-deb", ["-c", file], { encoding: "utf8" }).trim().split("\n");
  const paths = new Set(listed.map((line) => line.split(/\s+/)[5]));
  const wanted = [
    "./usr/bin/dlms-gateway",
    "./usr/lib/systemd/system/dlms-gateway.service",
    "./usr/lib/systemd/system/dlms-gateway@.service",
    "./usr/lib/systemd/system/dlms-gateway-push.socket",
    "./usr/lib/sysusers.d/dlms-gateway.conf",
    "./usr/lib/tmpfiles.d/dlms-gateway.conf",
    "./usr/lib/udev/rules.d/70-dlms-gateway.rules",
    "./usr/share/man/man1/dlms-gateway.1",
    "./usr/share/bash-completion/completions/dlms-gateway",
    "./usr/share/zsh/vendor-completions/_dlms-gateway",
    "./usr/share/fish/vendor_completions.d/dlms-gateway.fish",
    "./usr/share/doc/dlms-gateway/examples/gateway.yaml",
    "./usr/share/doc/dlms-gateway/copyright",
  ];
  expect(wanted.filter((path) => !paths.has(path))).toEqual([]);
  expect(listed.filter((line) => !line.includes(" root/root ") || /^[-d].{7}w/.test(line))).toEqual([]);
  expect([...paths].filter((path) => /\/(?:test|vitest|playwright-core)\//.test(path ?? ""))).toEqual([]);
});

test("package: its units are without fault, and the service is exposed as little as is said", (context) => {
  context.skip(!isThere("systemd-analyze"), "systemd is not installed");
  // Programs are looked up in the tree; a shell is all that the units may take for granted.
  mkdirSync(join(tree, "bin"));
  copyFileSync("/bin/sh", join(tree, "bin/sh"));
  const verify = ["verify", `--root=${tree}`, "--man=no", "--recursive-errors=no"];
  const units = ["dlms-gateway.service", "dlms-gateway@one.service", "dlms-gateway-push.socket"];
  const { status, stderr } = spawnSync("systemd-analyze", [...verify, ...units], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  const security = ["security", "--offline=true", `--root=${tree}`, `--threshold=${MOST_EXPOSURE}`, units[0] ?? ""];
  expect(spawnSync("systemd-analyze", security).status).toBe(0);
});

test("package: man has nothing to say against the manual page", (context) => {
  context.skip(!isThere("man"), "man is not installed");
  const page = join(tree, "usr/share/man/man1/dlms-gateway.1");
  const { stdout, stderr } = spawnSync("man", ["--warnings", "-l", page], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LC_ALL: "C" },
  });
  expect(stderr).toBe("");
  expect(stdout).toContain("dlms-gateway run");
});

test("package: what was unpacked runs, with its own Node, as a service and for a demo", async () => {
  await using stack = new AsyncDisposableStack();
  const environment = { PATH: "/usr/bin:/bin", HOME: directory, TMPDIR: directory };
  const run = (...words: string[]) => execFileSync(program, words, { encoding: "utf8", env: environment });
  expect(run("--version")).toBe(`${packageJson.version}\n`);
  const config = join(directory, "gateway.yaml");
  const sample = join(tree, "usr/share/doc/dlms-gateway/examples/gateway.yaml");
  expect(run("config", "check", sample)).toMatch(/./);
  expect(run("demo", "--once", "--meters", "3")).toMatch(/block_load|block load/i);
  const state = join(directory, "state");
  mkdirSync(state);
  chmodSync(state, 0o711);
  const api = { listen: { host: "127.0.0.1", port: await freePort() } };
  writeFileSync(config, stringify({ stateDirectory: state, socket: join(directory, "control.sock"), api }));
  const systemd = stack.use(await PlayedSystemd.open());
  systemd.start(config, { program: [program], watchdogMs: 1000 });
  await systemd.until(/^READY=1$/);
  await systemd.until(/^WATCHDOG=1$/);
  const health = await fetch(`http://127.0.0.1:${api.listen.port}/v1/health`);
  expect(await health.json()).toMatchObject({ ok: true, version: packageJson.version });
  systemd.signal("SIGTERM");
  expect(await systemd.ended()).toBe(0);
}, 300_000);
