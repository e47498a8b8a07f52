/** `notifications`: what waits to be told to whom, and what was given up, over the running daemon. */
import { z } from "zod";
import { notificationLine } from "../../api/answers/events.ts";
import { askDaemon } from "../../api/local-client.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { printList, printOutcome, prose, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import type { DaemonOptions } from "../verbs/verb.ts";

const linesForm = z.object({ items: z.array(notificationLine) });

export async function listNotifications({ socket, ...options }: DaemonOptions, output: Output): Promise<ExitReason> {
  const { items: lines } = await askDaemon(socket, { path: "/v1/notifications", answer: linesForm });
  printList(output, options, {
    columns: [
      ...titled("destination", "state"),
      { title: "notifications", align: "right" },
      ...titled("oldest"),
      ...prose("last failure"),
    ],
    rows: lines.map((each) => [each.destination, each.state, each.notifications, each.oldestAt, each.evidence]),
    objects: lines,
    empty: "nothing waits, and nothing was given up",
  });
  return "success";
}

export async function retryNotifications(
  destination: string | undefined,
  { socket, ...options }: DaemonOptions,
  output: Output,
): Promise<ExitReason> {
  const body = destination === undefined ? {} : { destination };
  const answer = z.object({ notifications: z.number() });
  const result = await askDaemon(socket, { path: "/v1/notifications/retry", body, answer });
  printOutcome(output, options, result, `${result.notifications} notifications are tried again`);
  return "success";
}
