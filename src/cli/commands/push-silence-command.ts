/** `push silence`: meters that should have pushed and did not, over the running daemon. */
import { expectedPush } from "../../api/answers/pushes.ts";
import { askForPages } from "../../api/local-client.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { printList, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import type { DaemonOptions } from "../verbs/verb.ts";

export async function pushSilence(
  { socket, all, ...options }: DaemonOptions & { readonly all?: true },
  output: Output,
): Promise<ExitReason> {
  const query = { all: all === true };
  const found = await askForPages(socket, { path: "/v1/pushes/silence", query, item: expectedPush });
  printList(output, options, {
    columns: titled("meter", "push setup", "state", "expected", "last push"),
    rows: found.map(({ meter, pushSetup, silent, expectedAt, lastAt }) => {
      return [meter, pushSetup ?? "any", silent ? "silent" : "awaited", expectedAt, lastAt];
    }),
    objects: found,
    empty: all ? "no push is expected: push.expect, or schedules of meters" : "no meter is silent",
  });
  return "success";
}
