/** Who is told of events: wires the outbox in the database to webhooks and brokers. */
import type { Config } from "../config/schema.ts";
import { resolveSecretText } from "../config/secret.ts";
import { MqttSender } from "../events/mqtt-sender.ts";
import type { NotificationOrders } from "../events/notification-resources.ts";
import { type Destination, Notifier } from "../events/notifier.ts";
import { Webhook } from "../events/webhook.ts";
import type { EventSink } from "../observe/events.ts";
import { type Database, isTransient } from "../store/database.ts";
import { keepDestinations, notificationOutbox, outboxLines, retryDead } from "../store/notification-outbox.ts";

export interface NotificationParts {
  readonly config: Pick<Config, "notifications">;
  readonly database: Database;
  readonly events: EventSink;
  /** Of this gateway among those with the same configuration. */
  readonly gatewayId: string;
}

/** Sends from now on, until the stack ends. Throws ConfigError for a secret that can't be had. */
export async function startNotifications(
  { config, database, events, gatewayId }: NotificationParts,
  stack: AsyncDisposableStack,
): Promise<NotificationOrders> {
  const { webhooks, mqtt } = config.notifications;
  const rules = [...webhooks, ...mqtt].map(({ name, least, newest }) => ({ name, least, newestMs: newest }));
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
  await keepDestinations(database, rules).catch((error: unknown) => {
    // While the database is away, those of the last start hold.
    if (!isTransient(error)) throw error;
  });
  stack.use(new Notifier({ outbox: notificationOutbox(database), destinations, events, isPassing: isTransient }));
  return {
    lines: () => outboxLines(database),
    retry: (destination) => retryDead(database, destination),
  };
}
