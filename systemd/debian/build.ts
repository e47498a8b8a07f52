/**
 * Builds the Debian package: the sources as they are, with their own Node and the packages that they need at run time,
 * and what systemd, udev, man and the shells want to know. `npm run package [-- DIRECTORY]`; the same sources with the
 * same node_modules give the same octets.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import type * as ServerBinaries from "../../src/store/server/server-binaries.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const HERE = import.meta.dirname;
const LIBRARY = "usr/lib/dlms-gateway";
const DOCUMENTS = "usr/share/doc/dlms-gateway";
const SOURCES = ["LICENSE", "bin", "drivers", "migrations", "package.json", "protocol", "src"];
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
/** Of all files: nothing of the machine that builds is in the package. */
const MADE_S = Number(process.env["SOURCE_DATE_EPOCH"] ?? Date.UTC(2026, 0, 1) / 1000);

/** From systemd/ to where it belongs. */
const UNITS: readonly (readonly [from: string, to: string])[] = [
  ["dlms-gateway.service", "usr/lib/systemd/system/dlms-gateway.service"],
  ["dlms-gateway@.service", "usr/lib/systemd/system/dlms-gateway@.service"],
  ["dlms-gateway-push.socket", "usr/lib/systemd/system/dlms-gateway-push.socket"],
  ["daemon.conf", "usr/lib/systemd/system/dlms-gateway.service.d/daemon.conf"],
  ["daemon.conf", "usr/lib/systemd/system/dlms-gateway@.service.d/daemon.conf"],
  ["sysusers.conf", "usr/lib/sysusers.d/dlms-gateway.conf"],
  ["tmpfiles.conf", "usr/lib/tmpfiles.d/dlms-gateway.conf"],
  ["udev.rules", "usr/lib/udev/rules.d/70-dlms-gateway.rules"],
  ["serial.conf", `${DOCUMENTS}/examples/serial.conf`],
];

/** What the command line prints of itself. */
const PRINTED: readonly (readonly [to: string, ...words: string[]])[] = [
  ["usr/share/man/man1/dlms-gateway.1", "manual"],
  ["usr/share/bash-completion/completions/dlms-gateway", "completion", "bash"],
  ["usr/share/zsh/vendor-completions/_dlms-gateway", "completion", "zsh"],
  ["usr/share/fish/vendor_completions.d/dlms-gateway.fish", "completion", "fish"],
  [`${DOCUMENTS}/examples/gateway.yaml`, "config", "sample"],
];

const output = process.argv[2] ?? join(ROOT, "dist");
const architecture = ARCHITECTURES[process.arch];
if (architecture === undefined) throw new Error(`there is no package for ${process.arch}`);
const tree = mkdtempSync(join(tmpdir(), "dlms-gateway-package-"));
try {
  await fill(tree);
  control(tree, architecture);
  smooth(tree);
  mkdirSync(output, { recursive: true });
  const file = join(output, `dlms-gateway_${packageJson.version}_${architecture}.deb`);
  execFileSync("dpkg-deb", ["--root-owner-group", "-Zzstd", "--build", tree, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: `${MADE_S}` },
    stdio: ["ignore", "ignore", "inherit"],
  });
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(tree, { recursive: true });
}

async function fill(tree: string): Promise<void> {
  const library = join(tree, LIBRARY);
  for (const name of SOURCES) copy(join(ROOT, name), join(library, name));
  for (const path of runtimePackages()) copy(path, join(library, relative(ROOT, path)));
  prune(library);
  link(`../node-linux-${process.arch}/bin/node`, join(library, "node_modules/.bin/node"));
  // The links between the server's libraries, which the package has and its installed files must not be changed for.
  const copies = join(tree, "copies");
  const server: typeof ServerBinaries = await import(join(library, "src/store/server/server-binaries.ts"));
  await server.prepareServerBinaries(undefined, copies);
  if (existsSync(copies)) throw new Error("the embedded database does not run from where it is installed");
  link("../lib/dlms-gateway/bin/dlms-gateway", join(tree, "usr/bin/dlms-gateway"));
  for (const [from, to] of UNITS) copy(join(ROOT, "systemd", from), join(tree, to));
  for (const [to, ...words] of PRINTED) {
    write(join(tree, to), execFileSync(join(library, "bin/dlms-gateway"), words, { encoding: "utf8" }));
  }
  for (const page of globSync("docs/*.md", { cwd: ROOT }))
    copy(join(ROOT, page), join(tree, DOCUMENTS, basename(page)));
  copy(join(ROOT, "docs/observe"), join(tree, DOCUMENTS, "observe"));
  write(join(tree, DOCUMENTS, "copyright"), copyright(library));
}

/** Directories of the packages that are needed at run time, as npm knows them. */
function runtimePackages(): string[] {
  const list = execFileSync("npm", ["ls", "--omit=dev", "--all", "--parseable"], { cwd: ROOT, encoding: "utf8" });
  return list.split("\n").filter((path) => path.includes("/node_modules/"));
}

/** Takes away what only other platforms, compilers and people need. */
function prune(library: string): void {
  const packages = join(library, "node_modules");
  const unwanted = [
    `node-linux-${process.arch}/{include,share,CHANGELOG.md,README.md}`,
    `@serialport/bindings-cpp/prebuilds/!(linux-${process.arch})`,
    "koffi/{doc,vendor}",
    "**/*.{map,d.ts,d.cts,d.mts}",
    "**/test",
    "@types",
  ];
  for (const pattern of unwanted) {
    for (const path of globSync(pattern, { cwd: packages }))
      rmSync(join(packages, path), { recursive: true, force: true });
  }
}

function control(tree: string, architecture: string): void {
  const kilobytes = Math.ceil(sizeOf(tree) / 1024);
  const fields = [
    "Package: dlms-gateway",
    `Version: ${packageJson.version}`,
    `Architecture: ${architecture}`,
    "Maintainer: dlms-gateway maintainers <maintainers@dlms-gateway.example>",
    `Installed-Size: ${kilobytes}`,
    "Depends: libc6 (>= 2.28), libstdc++6, systemd (>= 252), udev",
    "Section: net",
    "Priority: optional",
    "Description: head-end gateway for DLMS/COSEM smart meters",
    " Reads smart meters, takes what they push, and writes it into TimescaleDB or",
    " PostgreSQL. Brings its own Node.js runtime and, for small sites, a database.",
  ];
  write(join(tree, "DEBIAN/control"), `${fields.join("\n")}\n`);
  for (const script of ["postinst", "prerm", "postrm"]) copy(join(HERE, script), join(tree, "DEBIAN", script));
}

function copyright(library: string): string {
  const manifests = globSync("node_modules/{*,@*/*,*/node_modules/*}/package.json", { cwd: library }).sort();
  const lines = manifests.map((file) => {
    const { name, version, license }: Record<string, string> = JSON.parse(readFileSync(join(library, file), "utf8"));
    return `${name} ${version}: ${license} (/${LIBRARY}/${dirname(file)})`;
  });
  const own = `dlms-gateway: ${packageJson.license} (/usr/share/common-licenses/Apache-2.0)`;
  return [own, "", "It brings these packages, each with its licence:", ...lines, ""].join("\n");
}

/** Modes and times that do not depend on who builds. */
function smooth(tree: string): void {
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isSymbolicLink()) chmodSync(path, entry.isDirectory() || isProgram(path) ? 0o755 : 0o644);
    lutimesSync(path, MADE_S, MADE_S);
  }
  chmodSync(tree, 0o755);
  lutimesSync(tree, MADE_S, MADE_S);
}

function isProgram(path: string): boolean {
  return /\/bin\/[^/]+$|\/DEBIAN\/p/.test(path);
}

function sizeOf(tree: string): number {
  const text = execFileSync("du", ["-sb", tree], { encoding: "utf8" });
  return Number.parseInt(text, 10);
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
