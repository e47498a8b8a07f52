/** What the command line may ask and order about notifications. */
import { z } from "zod";
import { type ControlRoute, controlRoute } from "../api/control-route.ts";
import type { OutboxLine } from "../store/notification-outbox.ts";

export interface NotificationOrders {
  lines(): Promise<readonly OutboxLine[]>;
  retry(destination: string | undefined): Promise<number>;
}

export function notificationRoutes(orders: NotificationOrders): ReadonlyMap<string, ControlRoute> {
  return new Map([
    ["/v1/notifications", controlRoute(z.strictObject({}), () => orders.lines())],
    [
      "/v1/notifications/retry",
      controlRoute(z.strictObject({ destination: z.string().min(1).max(128).optional() }), async ({ destination }) => ({
        notifications: await orders.retry(destination),
      })),
    ],
  ]);
}
