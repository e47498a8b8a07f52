/** Who is told of events: wires the outbox in the database to webhooks and brokers. */
import type { Config } from "../config/schema.ts";
import { resolveSecretText } from "../config/secret.ts";
import { MqttSender } from "../events/mqtt-sender.ts";
import type { NotificationOrders } from "../events/notification-resources.ts";
import { type Destination, Notifier } from "../events/notifier.ts";
import { Webhook } from "../events/webhook.ts";
import type { EventSink } from "../observe/events.ts";
import { type Database, isTransient } from "../store/database/database.ts";
import { keepDestinations, notificationOutbox, outboxLines, retryDead } from "../store/records/notification-outbox.ts";

export interface NotificationParts {
  readonly config: Pick<Config, "notifications">;
  readonly database: Database;
  readonly events: EventSink;
  /** Of this gateway among those of the database. */
  readonly gatewayId: string;
}

export class GatewayNotifications implements AsyncDisposable {
  readonly #parts: NotificationParts;
  #notifier: Notifier;

  /** Sends from now on. Throws ConfigError for a secret that can't be had. */
  static async start(parts: NotificationParts): Promise<GatewayNotifications> {
    const destinations = await destinationsOf(parts);
    await keepDestinations(parts.database, parts.gatewayId, rulesOf(parts)).catch((error: unknown) => {
      // While the database is away, those of the last start hold.
      if (!isTransient(error)) throw error;
    });
    return new GatewayNotifications(parts, destinations);
  }

  private constructor(parts: NotificationParts, destinations: readonly Destination[]) {
    this.#parts = parts;
    this.#notifier = notifier(parts, destinations);
  }

  get orders(): NotificationOrders {
    const { database } = this.#parts;
    return {
      lines: () => outboxLines(database),
      retry: (destination) => retryDead(database, destination),
    };
  }

  /** Takes the destinations of the configuration as it is now. Throws ConfigError and StoreError, and changes nothing then. */
  async configure(): Promise<void> {
    const destinations = await destinationsOf(this.#parts);
    await keepDestinations(this.#parts.database, this.#parts.gatewayId, rulesOf(this.#parts));
    // A broker knows both by the same name.
    await this.#notifier[Symbol.asyncDispose]();
    this.#notifier = notifier(this.#parts, destinations);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#notifier[Symbol.asyncDispose]();
  }
}

function notifier({ database, events }: NotificationParts, destinations: readonly Destination[]): Notifier {
  return new Notifier({ outbox: notificationOutbox(database), destinations, events, isPassing: isTransient });
}

function rulesOf({ config }: NotificationParts) {
  const { webhooks, mqtt } = config.notifications;
  return [...webhooks, ...mqtt].map(({ name, least, newest }) => ({ name, least, newestMs: newest }));
}

async function destinationsOf({ config, gatewayId }: NotificationParts): Promise<Destination[]> {
  const { webhooks, mqtt } = config.notifications;
  const destinations: Destination[] = [];
  for (const { name, tries, bound, url, secret, timeout } of webhooks) {
    const key = await resolveSecretText(secret);
    const sender = new Webhook({ url, secret: key, timeoutMs: timeout, nowMs: Date.now });
    destinations.push({ name, tries, bound, sender });
  }
  for (const { name, tries, bound, password, timeout, ...broker } of mqtt) {
    const { url, username, prefix } = broker;
    // A broker ends the connection of an earlier client of the same name.
    const clientId = `${broker.clientId}-${gatewayId}`;
    const text = password === undefined ? undefined : await resolveSecretText(password);
    const sender = new MqttSender({ url, username, password: text, clientId, prefix, timeoutMs: timeout });
    destinations.push({ name, tries, bound, sender });
  }
  return destinations;
}
