/** Streams that stand for as long as their caller's right. */
import type { PassThrough } from "node:stream";

const LOOK_MS = 15_000;

/** Ends the stream when its caller may no longer hear it. While nobody can say so, as without the database, it goes on. */
export function endWithRight(out: PassThrough, mayHear: () => Promise<boolean>, lookMs = LOOK_MS): PassThrough {
  const look = () => {
    mayHear().then(
      (may) => void (may || out.end()),
      () => undefined,
    );
  };
  const timer = setInterval(look, lookMs).unref();
  out.once("close", () => clearInterval(timer));
  return out;
}
