/**
 * Notifications over MQTT: each event under `prefix/number/event`, and under `prefix/number/state`, retained, the last
 * event with the conditions that go on, so that whoever subscribes later knows how the meter stands.
 */
import type { MqttClient } from "mqtt";
import { type Notification, NotificationError, type NotificationSender } from "./notification.ts";

export interface MqttOptions {
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly clientId: string;
  readonly prefix: string;
  readonly timeoutMs: number;
}

const RECONNECT_MS = 5000;
const AT_LEAST_ONCE = 1;
/** Signs with a meaning of their own in topics. */
const RESERVED = /[+#/\0]/g;

export class MqttSender implements NotificationSender {
  readonly #options: MqttOptions;
  #client: MqttClient | undefined;
  /** By meter number: when the event was made whose state was told last. */
  readonly #toldOf = new Map<string, string>();

  constructor(options: MqttOptions) {
    this.#options = options;
  }

  async send(notifications: readonly Notification[]): Promise<void> {
    try {
      const client = await this.#connected();
      for (const notification of notifications) await this.#publish(client, notification);
    } catch (error) {
      throw new NotificationError(evidenceOf(error));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.endAsync(true);
  }

  /** The library connects again by itself; what it has not sent by then must not pile up in it. */
  async #connected(): Promise<MqttClient> {
    const { url, username, password, clientId, timeoutMs } = this.#options;
    if (this.#client === undefined) {
      const { connectAsync } = await import("mqtt");
      this.#client = await connectAsync(
        url,
        {
          clientId,
          clean: true,
          connectTimeout: timeoutMs,
          reconnectPeriod: RECONNECT_MS,
          queueQoSZero: false,
          ...(username !== undefined && { username }),
          ...(password !== undefined && { password }),
        },
        false,
      );
      this.#client.on("error", () => undefined);
    }
    if (!this.#client.connected) throw new NotificationError("the broker can't be reached");
    return this.#client;
  }

  async #publish(client: MqttClient, notification: Notification): Promise<void> {
    const { prefix, timeoutMs } = this.#options;
    const { meter, meterNumber, conditions, event, ...rest } = notification;
    const topic = `${prefix}/${meterNumber.replaceAll(RESERVED, "_")}`;
    const told = JSON.stringify({ ...rest, meter, meterNumber, event });
    const state = JSON.stringify({ meter, meterNumber, conditions, last: event });
    // One that is tried again may come after newer ones.
    const isNewest = notification.madeAt >= (this.#toldOf.get(meterNumber) ?? "");
    if (isNewest) this.#toldOf.set(meterNumber, notification.madeAt);
    const both = Promise.all([
      client.publishAsync(`${topic}/event`, told, { qos: AT_LEAST_ONCE }),
      isNewest && client.publishAsync(`${topic}/state`, state, { qos: AT_LEAST_ONCE, retain: true }),
    ]);
    await withinTime(both, timeoutMs);
  }
}

async function withinTime(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new NotificationError("the broker does not confirm")), timeoutMs);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

function evidenceOf(error: unknown): string {
  if (error instanceof NotificationError) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  return code === undefined ? "the broker can't be reached" : `the broker refuses or can't be reached: ${code}`;
}
