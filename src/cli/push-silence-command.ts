/** `push silence`: meters that should have pushed and did not, over the running daemon. */
import { z } from "zod";
import { order } from "../api/control-client.ts";
import type { ExitReason } from "./exit-code.ts";
import { type Output, printTable } from "./output.ts";
import type { DaemonOptions } from "./push-command.ts";

const silenceForm = z.array(
  z.object({
    meter: z.string(),
    pushSetup: z.string().optional(),
    silent: z.boolean(),
    expectedAt: z.string(),
    lastAt: z.string().optional(),
  }),
);

export async function pushSilence(
  { socket, json, all }: DaemonOptions & { readonly all?: true },
  output: Output,
): Promise<ExitReason> {
  const body = { all: all === true };
  const found = await order(socket, { path: "/v1/pushes/silence", body, answer: silenceForm });
  if (json) output.out(JSON.stringify(found, undefined, 2));
  else if (found.length === 0) {
    output.err(all ? "no push is expected: push.expect, or schedules of meters" : "no meter is silent");
  } else {
    const titles = ["meter", "push setup", "state", "expected", "last push"];
    printTable(
      output,
      titles.map((title) => ({ title })),
      found.map(({ meter, pushSetup = "any", silent, expectedAt, lastAt = "" }) => {
        return [meter, pushSetup, silent ? "silent" : "awaited", expectedAt, lastAt];
      }),
    );
  }
  return "success";
}
