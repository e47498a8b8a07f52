/** `gateways` and `lanes`: who works the meters, and how long work waits; asked of the running daemon. */
import { z } from "zod";
import { gateway, lanes as lanesSchema } from "../../api/answers/work.ts";
import { askDaemon } from "../../api/local-client.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import { printListing, printOutcome } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";
import type { TableColumn } from "../terminal/table.ts";
import type { DaemonOptions } from "../verbs/verb.ts";

const gatewaysSchema = z.object({ items: z.array(gateway) });
const releasedSchema = z.object({ released: z.string() });

const align = "right";

export async function gatewaysCommand(options: DaemonOptions, output: Output): Promise<ExitReason> {
  const { items: gateways } = await askDaemon(options.socket, { path: "/v1/gateways", answer: gatewaysSchema });
  const columns: readonly TableColumn[] = [
    { title: "gateway" },
    { title: "state" },
    { title: "meters", align },
    { title: "blocks", align },
    { title: "networks", isProse: true },
    { title: "version" },
  ];
  const rows = gateways
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map((each) => [each.name, stateOf(each), each.meters, each.blocks, each.networks, each.version]);
  printListing(output, options, columns, rows);
  return "success";
}

function stateOf({ isMe, ageMs, silenceMs }: z.output<typeof gateway>): string {
  if (isMe) return "this one";
  return ageMs < silenceMs ? "alive" : `silent for ${Math.round(ageMs / 1000)} s`;
}

export async function releaseCommand(
  name: string,
  { socket, ...options }: DaemonOptions,
  output: Output,
): Promise<ExitReason> {
  const path = `/v1/gateways/${encodeURIComponent(name)}/release`;
  const outcome = await askDaemon(socket, { path, method: "POST", answer: releasedSchema });
  printOutcome(output, options, outcome, `${outcome.released}: its meters are free for the others`);
  return "success";
}

export async function lanesCommand(options: DaemonOptions, output: Output): Promise<ExitReason> {
  const lanes = await askDaemon(options.socket, { path: "/v1/lanes", answer: lanesSchema });
  const columns: readonly TableColumn[] = [
    { title: "lane" },
    { title: "jobs", align },
    { title: "wait p50 ms", align },
    { title: "wait p99 ms", align },
    { title: "run p50 ms", align },
    { title: "run p99 ms", align },
  ];
  const rows = Object.entries(lanes).map(([lane, { jobs, waitMs, runMs }]) => {
    return [lane, jobs, waitMs.p50, waitMs.p99, runMs.p50, runMs.p99];
  });
  printListing(output, options, columns, rows);
  return "success";
}
