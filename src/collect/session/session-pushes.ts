/** Unsolicited messages of a meter during a visit: they are kept like any push, and confirmed on the visit's association. */
import { type Clock, sleep } from "../../../drivers/clock.ts";
import type { ClientEvent } from "../../../protocol/association/client/client-events.ts";
import type { MeterConnection } from "./meter-connection.ts";

/** A notification, or octets that may be one but that the session has no keys for. */
export type Unsolicited = Extract<ClientEvent, { type: "notification" | "discarded" }>;

/** Keeps a message. Resolves when it is durable: true where it may be confirmed. */
export type KeepUnsolicited = (message: Unsolicited) => Promise<boolean>;

/** A meter waits for no confirmation longer than this, and neither does its visit. */
const LAST_WAIT_MS = 5000;

export class SessionPushes {
  readonly #keep: KeepUnsolicited;
  readonly #clock: Clock;
  readonly #running = new Set<Promise<void>>();
  #connection: MeterConnection | undefined;

  constructor(keep: KeepUnsolicited, clock: Clock) {
    this.#keep = keep;
    this.#clock = clock;
  }

  readonly onNotice = (notice: ClientEvent): void => {
    if (notice.type !== "notification" && !(notice.type === "discarded" && notice.octets !== undefined)) return;
    const kept = this.#take(notice).catch(() => undefined);
    this.#running.add(kept);
    void kept.finally(() => this.#running.delete(kept));
  };

  /** Works on the connection, which then stays open for what is still to be confirmed. */
  async during<T>(connection: MeterConnection, work: (connection: MeterConnection) => Promise<T>): Promise<T> {
    this.#connection = connection;
    try {
      return await work(connection);
    } finally {
      await this.#settled();
      this.#connection = undefined;
    }
  }

  /** The session may have ended by then, or have no counter left: the meter will say it again. */
  async #take(message: Unsolicited): Promise<void> {
    const isDurable = await this.#keep(message);
    if (!isDurable || message.type !== "notification" || message.notification.apdu !== "data-notification") return;
    this.#connection?.confirm(message.notification.body);
  }

  async #settled(): Promise<void> {
    if (this.#running.size === 0) return;
    const late = new AbortController();
    const settled = Promise.all(this.#running).then(() => late.abort());
    await Promise.race([settled, sleep(this.#clock, LAST_WAIT_MS, late.signal).catch(() => undefined)]);
  }
}
