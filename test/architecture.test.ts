/**
 * Holds docs/architecture.md, "Rooms", against the real imports: who may import whom, no cycles, no barrel files, and
 * nothing in protocol/ that touches the world outside.
 */
import { globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const TREES = ["protocol", "drivers", "src"];

/** What each room of protocol/ may import besides itself; "protocol" are the files that lie in no room. */
const PROTOCOL_ROOMS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  "protocol/bytes": ["protocol"],
  "protocol/axdr": ["protocol", "protocol/bytes"],
  "protocol/ber": ["protocol", "protocol/bytes", "protocol/axdr"],
  "protocol/link": ["protocol", "protocol/bytes"],
  "protocol/apdu": ["protocol", "protocol/bytes", "protocol/axdr", "protocol/ber"],
  "protocol/security": ["protocol", "protocol/bytes", "protocol/axdr", "protocol/ber", "protocol/apdu"],
  "protocol/association": [
    "protocol",
    "protocol/bytes",
    "protocol/axdr",
    "protocol/ber",
    "protocol/link",
    "protocol/apdu",
    "protocol/security",
  ],
  "protocol/cosem": ["protocol", "protocol/bytes", "protocol/axdr", "protocol/apdu"],
  "protocol/profile": ["protocol", "protocol/bytes", "protocol/axdr", "protocol/apdu", "protocol/cosem"],
  "protocol/translate": [
    "protocol",
    "protocol/bytes",
    "protocol/axdr",
    "protocol/ber",
    "protocol/link",
    "protocol/apdu",
    "protocol/security",
    "protocol/cosem",
  ],
};

/** The rooms of src/ from the top down: a room's values may be used only by rooms above it, its types by all. */
const SRC_ROOMS = [
  "src/config",
  "src/fleet",
  "src/keys",
  "src/control",
  "src/calls",
  "src/collect",
  "src/jobs",
  "src/profiles",
  "src/store",
  "src/spool",
  "src/push",
  "src/trace",
  "src/events",
  "src/series",
  "src/api",
  "src/exports",
  "src/web",
  "src/simulator",
  "src/systemd",
  "src/observe",
];
/** Files whose values rooms below may use all the same, because what they do can only be done late. */
const USED_FROM_BELOW = new Set([
  // Secrets are fetched when an association is opened, not kept from the start.
  "src/config/secret.ts",
  // What a meter is asked for may contradict its configuration.
  "src/config/config-error.ts",
  "src/config/connection-schema.ts",
  // What is written has one form, in the configuration and in orders.
  "src/config/fields.ts",
  // Names with wildcards mean the same everywhere.
  "src/config/name-pattern.ts",
  // Which profiles there are stands in one place, for tables, orders and plans alike.
  "src/profiles/batch.ts",
]);
/** They may import everything, and no room imports them. */
const ENTRANCES = ["src/main.ts", "src/gateway", "src/workers.ts", "src/cli"];

const DRIVER_PACKAGES = new Set(["serialport", "@serialport/stream"]);
const SECURITY_BUILTINS = new Set(["node:crypto"]);
/** Whatever reaches for the clock, timers, the environment or a log has no place in a sans-I/O room. */
const WORLDLY =
  /\b(?:Date\.now|new Date\(\)|performance\.now|setTimeout|setInterval|setImmediate|queueMicrotask|process\.|console\.|Buffer\b|Math\.random|globalThis)/;

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** Path of the imported file from the root, or undefined for a package or built-in. */
  readonly target: string | undefined;
  readonly typeOnly: boolean;
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\(\s*["']([^"']+)["']/g;

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function importsOf(file: string, text: string): Import[] {
  const code = withoutComments(text);
  const found = [...code.matchAll(STATEMENT)].map((m) => ({ specifier: m[2] ?? "", typeOnly: m[1] !== undefined }));
  const dynamic = [...code.matchAll(DYNAMIC)].map((m) => ({ specifier: m[1] ?? "", typeOnly: false }));
  return [...found, ...dynamic].map(({ specifier, typeOnly }) => ({
    from: file,
    specifier,
    typeOnly,
    target: specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : undefined,
  }));
}

function roomOf(file: string): string | undefined {
  if (ENTRANCES.some((entrance) => file === entrance || file.startsWith(`${entrance}/`))) return "entrance";
  const directory = dirname(file);
  if (file.startsWith("drivers/")) return "drivers";
  const rooms = [...Object.keys(PROTOCOL_ROOMS), ...SRC_ROOMS];
  return rooms
    .filter((room) => directory === room || (room !== "protocol" && directory.startsWith(`${room}/`)))
    .sort((a, b) => b.length - a.length)[0];
}

/** Why an import may not be, or undefined when it may. */
function refusal(each: Import): string | undefined {
  const room = roomOf(each.from);
  if (room === undefined) return "the file lies in no room of the table";
  if (each.target === undefined) return packageRefusal(room, each.specifier);
  if (room === "entrance" && each.target === "package.json") return undefined;
  const target = roomOf(each.target);
  if (target === undefined) return "imports a file in no room of the table";
  if (room === "entrance" || target === room) return undefined;
  if (target === "entrance") return "nobody imports the entrances";
  if (target.startsWith("protocol")) {
    const allowed = PROTOCOL_ROOMS[room];
    return allowed === undefined || allowed.includes(target) ? undefined : `${room} may not import ${target}`;
  }
  if (room.startsWith("protocol")) return `protocol may not import ${target}`;
  if (target === "drivers") return undefined;
  if (room === "drivers") return "drivers import only protocol";
  const below = SRC_ROOMS.indexOf(target) > SRC_ROOMS.indexOf(room);
  return below || each.typeOnly || USED_FROM_BELOW.has(each.target)
    ? undefined
    : `${target} is above ${room}: only its types may be imported`;
}

function packageRefusal(room: string, specifier: string): string | undefined {
  if (room === "protocol/security" && SECURITY_BUILTINS.has(specifier)) return undefined;
  if (room.startsWith("protocol")) return `protocol may not import ${specifier}`;
  if (room !== "drivers" || specifier.startsWith("node:") || DRIVER_PACKAGES.has(specifier)) return undefined;
  return `drivers may not import ${specifier}`;
}

function refusals(from: string, text: string): (string | undefined)[] {
  return importsOf(from, text).map(refusal);
}

function isBarrel(file: string, text: string): boolean {
  if (/(?:^|\/)index\.ts$/.test(file) || /^export\s+\*/m.test(text)) return true;
  const statements = withoutComments(text)
    .split(/;\s*/)
    .map((each) => each.trim())
    .filter((each) => each !== "");
  return statements.length > 0 && statements.every((each) => /^export\s[^=(]*\sfrom\s/.test(each));
}

function cycleIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

const files = TREES.flatMap((tree) => globSync(`${tree}/**/*.{ts,tsx}`, { cwd: ROOT })).sort();
const texts = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));
const imports = [...texts].flatMap(([file, text]) => importsOf(file, text));

test("architecture: every source file was seen, and every import in it", () => {
  const existing = TREES.flatMap((tree) =>
    readdirSync(join(ROOT, tree), { recursive: true, withFileTypes: true }).filter((each) => each.isFile()),
  ).filter((each) => /\.tsx?$/.test(each.name));
  expect(files.length).toBe(existing.length);
  expect(files.length).toBeGreaterThan(10);
  const fromLines = [...texts.values()].flatMap((text) =>
    withoutComments(text)
      .split("\n")
      .filter((line) => /^(?:import|export|\})[^=]*\sfrom\s+"/.test(line)),
  );
  expect(imports.filter((each) => each.specifier !== "").length).toBeGreaterThanOrEqual(fromLines.length);
  const missing = imports.filter((each) => each.target !== undefined && !texts.has(each.target));
  expect(missing.filter((each) => !/\.(?:json|css)$/.test(each.specifier))).toEqual([]);
});

test("architecture: every import is one that the table of rooms allows", () => {
  const refused = imports.flatMap((each) => {
    const reason = refusal(each);
    return reason === undefined ? [] : [`${each.from} -> ${each.specifier}: ${reason}`];
  });
  expect(refused).toEqual([]);
  expect(files.filter((file) => roomOf(file) === undefined)).toEqual([]);
});

test("architecture: no import leads back to where it came from", () => {
  const graph = new Map(
    files.map((file) => [
      file,
      imports.filter((each) => each.from === file).flatMap((each) => (each.target === undefined ? [] : [each.target])),
    ]),
  );
  expect(cycleIn(graph)).toBeUndefined();
});

test("architecture: no file only hands on what others export", () => {
  expect([...texts].filter(([file, text]) => isBarrel(file, text)).map(([file]) => file)).toEqual([]);
});

test("architecture: protocol touches no clock, timer, environment, log or Buffer", () => {
  const worldly = [...texts]
    .filter(([file]) => file.startsWith("protocol/"))
    .flatMap(([file, text]) => {
      const found = WORLDLY.exec(withoutComments(text));
      return found === null ? [] : [`${file}: ${found[0]}`];
    });
  expect(worldly).toEqual([]);
});

test("architecture: the checks refuse what they are there to refuse", () => {
  expect(refusals("protocol/axdr/data.ts", 'import { x } from "../apdu/apdu.ts";')).toEqual([
    "protocol/axdr may not import protocol/apdu",
  ]);
  expect(refusals("protocol/link/hdlc.ts", 'import net from "node:net";')).toEqual([
    "protocol may not import node:net",
  ]);
  expect(refusals("protocol/security/gcm.ts", 'import { x } from "node:crypto";')).toEqual([undefined]);
  expect(refusals("drivers/tcp/client.ts", 'import {\n  a,\n  b,\n} from "pg";')).toEqual([
    "drivers may not import pg",
  ]);
  expect(refusals("src/store/pool.ts", 'import { readConfig } from "../config/config.ts";')).toEqual([
    "src/config is above src/store: only its types may be imported",
  ]);
  expect(refusals("src/store/pool.ts", 'import type { Config } from "../config/config.ts";')).toEqual([undefined]);
  expect(refusals("src/collect/poll.ts", 'const run = await import("../main.ts");')).toEqual([
    "nobody imports the entrances",
  ]);
  expect(refusals("src/novel/a.ts", 'import "../store/pool.ts";')).toEqual(["the file lies in no room of the table"]);
  expect(isBarrel("src/a.ts", 'export { a } from "./b.ts";\nexport type { C } from "./c.ts";\n')).toBe(true);
  expect(isBarrel("src/a.ts", 'import { a } from "./b.ts";\nexport const d = a;\n')).toBe(false);
  expect(
    cycleIn(
      new Map([
        ["a", ["b"]],
        ["b", ["c"]],
        ["c", ["a"]],
      ]),
    ),
  ).toEqual(["a", "b", "c", "a"]);
  expect(WORLDLY.test("const now = Date.now();")).toBe(true);
});
