/** What is drawn at random once for an installation, and kept in a file of its user. */
import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** What the file holds, or `drawn`, which it holds from now on. */
export async function drawnOnce(file: string, drawn: string): Promise<string> {
  const kept = await contentOf(file);
  if (kept !== undefined) return kept;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Linked into place whole, so that two that start at once agree on the first one's.
  const draft = `${file}.${randomBytes(8).toString("hex")}`;
  await writeFile(draft, `${drawn}\n`, { flag: "wx", mode: 0o600 });
  try {
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(draft);
  }
  return (await contentOf(file)) ?? drawn;
}

async function contentOf(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
