/** What waits to be told to whom, and what was given up. */
import { z } from "zod";
import { notificationLine } from "../api/answers/events.ts";
import { type Api } from "../api/http-api.ts";
import type { OutboxLine } from "../store/records/notification-outbox.ts";

export interface NotificationOrders {
  lines(): Promise<readonly OutboxLine[]>;
  retry(destination: string | undefined): Promise<number>;
}

export function notificationResources(api: Api, orders: NotificationOrders): void {
  api.get(
    "/v1/notifications",
    {
      config: { needs: "operator" },
      schema: {
        tags: ["notifications"],
        summary: "What waits for each destination, and what was given up",
        response: { 200: z.object({ items: z.array(notificationLine) }) },
      },
    },
    async () => {
      const items = (await orders.lines()).map((line) => {
        const { destination, state, notifications, oldestAt, evidence = null } = line;
        return { destination, state, notifications, oldestAt: oldestAt.toISOString(), evidence };
      });
      return { items };
    },
  );
  api.post(
    "/v1/notifications/retry",
    {
      config: {
        needs: "operator",
        change: { event: "notificationsRetried", message: "somebody had notifications sent again" },
      },
      schema: {
        tags: ["notifications"],
        summary: "Try again what was given up",
        body: z.strictObject({ destination: z.string().min(1).max(128).optional().describe("All when left out.") }),
        response: { 200: z.object({ notifications: z.int() }) },
      },
    },
    async (request) => {
      return { notifications: await orders.retry(request.body.destination) };
    },
  );
}
