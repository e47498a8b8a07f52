/** Work on many things, in slices between which the event loop has its turn: sessions with meters wait for their answers. */
import { setImmediate as nextTurn } from "node:timers/promises";

const SLICE_MS = 1;
/** Things between two looks at the time. */
const AT_ONCE = 32;

export async function* inTurns<T>(all: readonly T[]): AsyncGenerator<readonly T[]> {
  let endMs = performance.now() + SLICE_MS;
  for (let at = 0; at < all.length; at += AT_ONCE) {
    if (performance.now() >= endMs) {
      await nextTurn();
      endMs = performance.now() + SLICE_MS;
    }
    yield all.slice(at, at + AT_ONCE);
  }
}
