/** `gateways` and `lanes`: who works the meters, and how long work waits; asked of the running daemon. */
import { z } from "zod";
import { order } from "../api/control-client.ts";
import type { ExitReason } from "./exit-code.ts";
import { type ListingOptions, printListing } from "./listing.ts";
import type { Output } from "./output.ts";
import type { TableColumn } from "./table.ts";

interface SocketOptions extends ListingOptions {
  readonly socket: string;
}

const gatewaysSchema = z.array(
  z.object({
    name: z.string(),
    isMe: z.boolean(),
    networks: z.array(z.string()),
    meters: z.number(),
    blocks: z.number(),
    version: z.string(),
    ageMs: z.number(),
    silenceMs: z.number(),
    awayMs: z.number(),
  }),
);
const percentiles = z.object({ p50: z.number(), p99: z.number() });
const lanesSchema = z.record(z.string(), z.object({ jobs: z.number(), waitMs: percentiles, runMs: percentiles }));
const releasedSchema = z.object({ released: z.string() });

const align = "right";

export async function gatewaysCommand(options: SocketOptions, output: Output): Promise<ExitReason> {
  const gateways = await order(options.socket, { path: "/v1/gateways", body: {}, answer: gatewaysSchema });
  const columns: readonly TableColumn[] = [
    { title: "gateway" },
    { title: "state" },
    { title: "meters", align },
    { title: "blocks", align },
    { title: "networks" },
    { title: "version" },
  ];
  const rows = gateways
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map((each) => [each.name, stateOf(each), each.meters, each.blocks, each.networks, each.version]);
  printListing(output, options, columns, rows);
  return "success";
}

function stateOf({ isMe, ageMs, silenceMs }: z.output<typeof gatewaysSchema>[number]): string {
  if (isMe) return "this one";
  return ageMs < silenceMs ? "alive" : `silent for ${Math.round(ageMs / 1000)} s`;
}

export async function releaseCommand(name: string, socket: string, output: Output): Promise<ExitReason> {
  const { released } = await order(socket, { path: "/v1/gateways/release", body: { name }, answer: releasedSchema });
  output.out(`${released}: its meters are free for the others`);
  return "success";
}

export async function lanesCommand(options: SocketOptions, output: Output): Promise<ExitReason> {
  const lanes = await order(options.socket, { path: "/v1/lanes", body: {}, answer: lanesSchema });
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
