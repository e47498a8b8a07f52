/** One who may not look into a directory: whoever runs the tests, or nobody in the place of root, who may look anywhere. */
import { chmod } from "node:fs/promises";

/** Why nobody can be kept out here; undefined where that is possible. */
export const outsiderMissing = becomes("nobody") ? undefined : "root can't become another user here";

function becomes(user: string): boolean {
  const own = process.geteuid?.();
  if (own !== 0) return own !== undefined;
  try {
    process.seteuid?.(user);
    return true;
  } catch {
    return false;
  } finally {
    process.seteuid?.(own);
  }
}

/** Nothing else may run in this process meanwhile that needs its rights. */
export async function shutOutOf(directory: string, work: () => Promise<void>): Promise<void> {
  const own = process.geteuid?.() ?? 0;
  await chmod(directory, 0);
  if (own === 0) process.seteuid?.("nobody");
  try {
    await work();
  } finally {
    process.seteuid?.(own);
    await chmod(directory, 0o700);
  }
}
