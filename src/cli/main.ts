#!/usr/bin/env node
import { CommanderError } from "commander";
import { ConfigError } from "../config/config-error.ts";
import { messageOf } from "../observe/message-of.ts";
import { StoreError } from "../store/database/store-error.ts";
import { cliProgram } from "./program.ts";
import { EXIT_CODES, type ExitReason } from "./terminal/exit-code.ts";
import { processOutput } from "./terminal/output.ts";

const output = processOutput();

function finish(reason: ExitReason): void {
  process.exitCode = EXIT_CODES[reason].code;
}

/** What a failure of the database or of keys says that people can do. */
function nextStepOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("nextStep" in error)) return undefined;
  return typeof error.nextStep === "string" ? error.nextStep : undefined;
}

function reasonOf(error: unknown): ExitReason {
  if (error instanceof ConfigError) return "configuration";
  return error instanceof StoreError && error.isOfOtherVersion ? "otherVersion" : "failure";
}

try {
  await cliProgram({ output, finish }).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODES.usage.code;
  } else {
    output.err(`dlms-gateway: ${messageOf(error)}`);
    const nextStep = nextStepOf(error);
    if (nextStep !== undefined) output.err(`next step: ${nextStep}`);
    finish(reasonOf(error));
  }
}
