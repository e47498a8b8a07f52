/**
 * A visit that others may use while it lasts: what is asked of its meter then is done on its association, between two of
 * its requests.
 */

import { SessionFailedError } from "../causes/session-failure.ts";
import type { MeterConnection } from "./meter-connection.ts";

/** What wanted to join was not done, or not to its end: there was no association, or it was lost. */
export class VisitOverError extends Error {
  override readonly name = "VisitOverError";
  constructor(options?: ErrorOptions) {
    super("the visit that was to be joined is over", options);
  }
}

export class SharedVisit<Connection = MeterConnection> {
  readonly #opened = Promise.withResolvers<Connection | undefined>();
  readonly #joined = new Set<Promise<unknown>>();
  #isOver = false;

  /** Works on an association, which then stays open for what has joined by the end of the work. */
  async during<T>(connection: Connection, work: (connection: Connection) => Promise<T>): Promise<T> {
    this.#opened.resolve(connection);
    try {
      return await work(connection);
    } finally {
      this.end();
      await Promise.allSettled(this.#joined);
    }
  }

  /** Works on the association as soon as there is one. Rejects with VisitOverError, and with what the work throws. */
  async join<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#opened.promise;
    if (connection === undefined || this.#isOver) throw new VisitOverError();
    const done = work(connection);
    this.#joined.add(done);
    try {
      return await done;
    } catch (error) {
      const isLost = error instanceof SessionFailedError && error.stage === "link";
      throw isLost ? new VisitOverError({ cause: error }) : error;
    } finally {
      this.#joined.delete(done);
    }
  }

  /** Nothing joins from now on. */
  end(): void {
    this.#isOver = true;
    this.#opened.resolve(undefined);
  }
}
