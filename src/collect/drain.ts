/** How the gateway ends its work: in order, and in bounded time even where a meter or the database does not answer. */

export interface Draining {
  /** Starts nothing new; its stop ends when the work that runs has ended. */
  readonly loop: { stop(): Promise<void> };
  /** The sessions with meters. */
  readonly sessions: { abort(): void };
  /** The rows that wait for the database; sessions wait for them in turn. */
  readonly rows: { stop(timeoutMs: number): Promise<void> };
}

/**
 * Sessions get `graceMs` to end by themselves. What still runs then is cut, and rows that can't be written within as
 * long again are given up: what waits for them would else never end. They are still in the meters.
 */
export async function drain({ loop, sessions, rows }: Draining, graceMs: number): Promise<void> {
  let cut = Promise.resolve();
  const timer = setTimeout(() => {
    sessions.abort();
    cut = rows.stop(graceMs);
  }, graceMs);
  await loop.stop();
  clearTimeout(timer);
  await cut;
}
