/** A version of the gateway that does not exist yet: this tree with a number of its own and further migrations. */
import { cp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const PARTS = ["src", "protocol", "drivers", "migrations"] as const;

/** Copies the tree into `directory`, with these migrations behind those that there are. */
export async function newerVersion(directory: string, version: string, migrations: readonly string[]): Promise<string> {
  await Promise.all(PARTS.map((part) => cp(join(ROOT, part), join(directory, part), { recursive: true })));
  await symlink(join(ROOT, "node_modules"), join(directory, "node_modules"));
  const about = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  await writeFile(join(directory, "package.json"), JSON.stringify({ ...about, version }));
  const held = (await readdir(join(ROOT, "migrations"))).filter((name) => name.endsWith(".sql")).length;
  for (const [index, text] of migrations.entries()) {
    const number = String(held + index + 1).padStart(4, "0");
    await writeFile(join(directory, "migrations", `${number}_of_a_newer_version.sql`), text);
  }
  return directory;
}
