/** `notifications`: what waits to be told to whom, and what was given up, over the running daemon. */
import { z } from "zod";
import { notificationLine } from "../api/answers/events.ts";
import { askDaemon } from "../api/local-client.ts";
import type { ExitReason } from "./exit-code.ts";
import { type Output, printTable } from "./output.ts";
import type { DaemonOptions } from "./push-command.ts";

const linesForm = z.object({ items: z.array(notificationLine) });

export async function listNotifications({ socket, json }: DaemonOptions, output: Output): Promise<ExitReason> {
  const { items: lines } = await askDaemon(socket, { path: "/v1/notifications", answer: linesForm });
  if (json) output.out(JSON.stringify(lines, undefined, 2));
  else if (lines.length === 0) output.err("nothing waits, and nothing was given up");
  else {
    printTable(
      output,
      [
        { title: "destination" },
        { title: "state" },
        { title: "notifications", align: "right" },
        { title: "oldest" },
        { title: "last failure" },
      ],
      lines.map(({ destination, state, notifications, oldestAt, evidence }) => {
        return [destination, state, String(notifications), oldestAt, evidence ?? ""];
      }),
    );
  }
  return "success";
}

export async function retryNotifications(
  destination: string | undefined,
  { socket, json }: DaemonOptions,
  output: Output,
): Promise<ExitReason> {
  const body = destination === undefined ? {} : { destination };
  const answer = z.object({ notifications: z.number() });
  const result = await askDaemon(socket, { path: "/v1/notifications/retry", body, answer });
  if (json) output.out(JSON.stringify(result));
  else output.err(`${result.notifications} notifications are tried again`);
  return "success";
}
