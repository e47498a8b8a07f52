import type { Command } from "commander";
import type { ExitReason } from "../terminal/exit-code.ts";
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

/** Adds a verb to the program: its words, options and help. Its code is imported by its action. */
export type DeclareVerb = (program: Command, context: VerbContext) => void;
