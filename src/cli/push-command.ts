/** `push` and `meters`: what meters send by themselves, over the running daemon. */
import { z } from "zod";
import { order } from "../api/control-client.ts";
import type { ExitReason } from "./exit-code.ts";
import { type Output, printTable } from "./output.ts";

export interface DaemonOptions {
  readonly socket: string;
  readonly json?: true;
}

const outcomeForm = z.object({ held: z.number(), replayed: z.number(), stored: z.number() });
const unknownForm = z.array(
  z.object({
    sender: z.string(),
    systemTitle: z.string().optional(),
    names: z.array(z.string()),
    hosts: z.array(z.string()),
    transports: z.array(z.string()),
    pushSetups: z.array(z.string()),
    pushes: z.number(),
    firstReceivedAt: z.string(),
    lastReceivedAt: z.string(),
    reason: z.string().optional(),
  }),
);
const conflictForm = z.array(
  z.object({
    meterNumber: z.string().optional(),
    sender: z.string(),
    otherClue: z.string(),
    pushes: z.number(),
    firstReceivedAt: z.string(),
    lastReceivedAt: z.string(),
  }),
);
const adoptedForm = outcomeForm.extend({ meter: z.string(), number: z.string(), keyWanted: z.boolean() });

export async function pushUnknown(options: DaemonOptions, output: Output): Promise<ExitReason> {
  const senders = await order(options.socket, { path: "/v1/pushes/unknown", body: {}, answer: unknownForm });
  if (options.json) output.out(JSON.stringify(senders, undefined, 2));
  else if (senders.length === 0) output.err("every sender is known");
  else {
    printTable(
      output,
      [
        { title: "sender" },
        { title: "names" },
        { title: "from" },
        { title: "pushes", align: "right" },
        { title: "last" },
        { title: "held because" },
      ],
      senders.map(({ sender, names, hosts, pushes, lastReceivedAt, reason }) => {
        return [sender, names.join(" "), hosts.join(" "), String(pushes), lastReceivedAt, reason ?? ""];
      }),
    );
    output.err("dlms-gateway meters adopt SENDER --name NAME says which meter it is, and replays what it sent");
  }
  return "success";
}

/** `push conflicts`: pushes that point to more than one meter. */
export async function pushConflicts(options: DaemonOptions, output: Output): Promise<ExitReason> {
  const conflicts = await order(options.socket, { path: "/v1/pushes/conflicts", body: {}, answer: conflictForm });
  if (options.json) output.out(JSON.stringify(conflicts, undefined, 2));
  else if (conflicts.length === 0) output.err("every push points to one meter");
  else {
    printTable(
      output,
      [{ title: "taken for" }, { title: "but" }, { title: "pushes", align: "right" }, { title: "last" }],
      conflicts.map(({ meterNumber, sender, otherClue, pushes, lastReceivedAt }) => {
        const takenFor = meterNumber === undefined ? `nobody (${sender})` : sender;
        return [takenFor, otherClue, String(pushes), lastReceivedAt];
      }),
    );
  }
  return "success";
}

export async function pushReplay(
  { sender, since, ...options }: DaemonOptions & { readonly sender?: string; readonly since?: string },
  output: Output,
): Promise<ExitReason> {
  const sinceMs = since === undefined ? undefined : Date.parse(since);
  if (Number.isNaN(sinceMs)) {
    output.err(`--since ${since}: not a time, as 2026-01-31T00:00:00Z`);
    return "usage";
  }
  const outcome = await order(options.socket, {
    path: "/v1/pushes/replay",
    body: { ...(sender !== undefined && { sender }), ...(sinceMs !== undefined && { sinceMs }) },
    answer: outcomeForm,
  });
  if (options.json) output.out(JSON.stringify(outcome));
  else output.out(told(outcome));
  return "success";
}

export interface AdoptOptions extends DaemonOptions {
  readonly name: string;
  readonly number?: string;
  readonly companion?: string;
  readonly timeZone?: string;
}

export async function metersAdopt(sender: string, options: AdoptOptions, output: Output): Promise<ExitReason> {
  const { socket, json, ...adoption } = options;
  const adopted = await order(socket, { path: "/v1/meters/adopt", body: { sender, ...adoption }, answer: adoptedForm });
  if (json) {
    output.out(JSON.stringify(adopted));
    return "success";
  }
  output.out(`${sender} is ${adopted.meter}, number ${adopted.number}; ${told(adopted)}`);
  if (adopted.keyWanted) {
    output.err(
      `its pushes are ciphered: dlms-gateway keys import puts the keys of meter ${adopted.number} into the key store, push replay then reads what is held`,
    );
  }
  return "success";
}

function told({ held, replayed, stored }: z.output<typeof outcomeForm>): string {
  return `${held} held pushes: ${replayed} understood better, ${stored} of them whole`;
}
