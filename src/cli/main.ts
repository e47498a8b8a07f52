#!/usr/bin/env node
import { CommanderError } from "commander";
import { ConfigError } from "../config/config-error.ts";
import { messageOf } from "../observe/message-of.ts";
import { cliProgram } from "./program.ts";
import { EXIT_CODES, type ExitReason } from "./terminal/exit-code.ts";
import { processOutput } from "./terminal/output.ts";

const output = processOutput();

function finish(reason: ExitReason): void {
  process.exitCode = EXIT_CODES[reason].code;
}

try {
  await cliProgram({ output, finish }).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODES.usage.code;
  } else {
    output.err(`dlms-gateway: ${messageOf(error)}`);
    finish(error instanceof ConfigError ? "configuration" : "failure");
  }
}
