import type { Command } from "commander";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { ListingOptions } from "../terminal/listing.ts";
import type { Output } from "../terminal/output.ts";

/** What a verb's action works with. */
export interface VerbContext {
  readonly output: Output;
  /** Says how the command ended. */
  readonly finish: (reason: ExitReason) => void;
}

/** The configuration that is read when nothing else is said. */
export const CONFIG_FILE = "/etc/dlms-gateway/gateway.yaml";

/** Where the daemon listens when nothing else is said. */
export const SOCKET = "/run/dlms-gateway/control.sock";

/** Options of verbs that ask the daemon. */
export interface DaemonOptions extends ListingOptions {
  readonly socket: string;
}

/** What all verbs that ask the database have. */
export function addDatabaseOptions(command: Command): Command {
  return command
    .option("-c, --config <file>", "configuration file", CONFIG_FILE)
    .option("--url <reference>", "connection string of the database: env:NAME or file:PATH")
    .option("--directory <path>", "directory of an embedded database, also of a demo that was kept");
}

/** How rows are printed. */
export function addListingOptions(command: Command): Command {
  return addJsonOption(command).option("--csv", "print CSV");
}

export function addJsonOption(command: Command): Command {
  return command.option("--json", "print JSON");
}

/** What all verbs that ask the daemon have. */
export function addSocketOption(command: Command): Command {
  return command.option("--socket <path>", "control socket of the daemon", SOCKET);
}

/** Adds a verb to the program: its words, options and help. Its code is imported by its action. */
export type DeclareVerb = (program: Command, context: VerbContext) => void;
