/** `push` and `meters`: what meters send by themselves, over the running daemon. */
import { z } from "zod";
import { adopted as adoptedForm, replayOutcome, sender, senderConflict } from "../../api/answers/pushes.ts";
import { askDaemon } from "../../api/local-client.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { printList, printOutcome, prose, titled } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import type { DaemonOptions } from "../verbs/verb.ts";

const sendersForm = z.object({ items: z.array(sender) });
const conflictsForm = z.object({ items: z.array(senderConflict) });

export async function pushUnknown({ socket, ...options }: DaemonOptions, output: Output): Promise<ExitReason> {
  const { items: senders } = await askDaemon(socket, { path: "/v1/pushes/unknown", answer: sendersForm });
  printList(output, options, {
    columns: [
      ...titled("sender"),
      ...prose("names", "from"),
      { title: "pushes", align: "right" },
      ...titled("last"),
      ...prose("held because"),
    ],
    rows: senders.map(({ sender: each, names, hosts, pushes, lastReceivedAt, reason }) => {
      return [each, names.join(" "), hosts.join(" "), pushes, lastReceivedAt, reason];
    }),
    objects: senders,
    empty: "every sender is known",
  });
  if (senders.length > 0 && options.json !== true) {
    output.err("dlms-gateway meters adopt SENDER --name NAME says which meter it is, and replays what it sent");
  }
  return "success";
}

/** `push conflicts`: pushes that point to more than one meter. */
export async function pushConflicts({ socket, ...options }: DaemonOptions, output: Output): Promise<ExitReason> {
  const { items: conflicts } = await askDaemon(socket, { path: "/v1/pushes/conflicts", answer: conflictsForm });
  printList(output, options, {
    columns: [...titled("taken for", "but"), { title: "pushes", align: "right" }, { title: "last" }],
    rows: conflicts.map(({ meterNumber, sender: from, otherClue, pushes, lastReceivedAt }) => {
      return [meterNumber === null ? `nobody (${from})` : from, otherClue, pushes, lastReceivedAt];
    }),
    objects: conflicts,
    empty: "every push points to one meter",
  });
  return "success";
}

export async function pushReplay(
  { sender: from, since, ...options }: DaemonOptions & { readonly sender?: string; readonly since?: string },
  output: Output,
): Promise<ExitReason> {
  if (since !== undefined && Number.isNaN(Date.parse(since))) {
    output.err(`--since ${since}: not a time, as 2026-01-31T00:00:00Z`);
    return "usage";
  }
  const outcome = await askDaemon(options.socket, {
    path: "/v1/pushes/replay",
    body: { sender: from, ...(since !== undefined && { since: new Date(since).toISOString() }) },
    answer: replayOutcome,
  });
  printOutcome(output, options, outcome, told(outcome));
  return "success";
}

export interface AdoptOptions extends DaemonOptions {
  readonly name: string;
  readonly number?: string;
  readonly companion?: string;
  readonly timeZone?: string;
}

export async function metersAdopt(unknown: string, options: AdoptOptions, output: Output): Promise<ExitReason> {
  const { socket, json, ...adoption } = options;
  const adopted = await askDaemon(socket, {
    path: "/v1/pushes/adopt",
    body: { sender: unknown, ...adoption },
    answer: adoptedForm,
  });
  const words = `${unknown} is ${adopted.meter}, number ${adopted.number}; ${told(adopted)}`;
  printOutcome(output, { json }, adopted, words);
  if (adopted.keyWanted && json !== true) {
    output.err(
      `its pushes are ciphered: dlms-gateway keys import puts the keys of meter ${adopted.number} into the key store, push replay then reads what is held`,
    );
  }
  return "success";
}

function told({ held, replayed, stored }: z.output<typeof replayOutcome>): string {
  return `${held} held pushes: ${replayed} understood better, ${stored} of them whole`;
}
