import { Argument } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion.ts";
import type { DeclareVerb } from "./verb.ts";

export const declareCompletion: DeclareVerb = (program, { output, finish }) => {
  program
    .command("completion")
    .description("print what makes a shell complete this command line")
    .addArgument(new Argument("<shell>", "bash, zsh or fish").choices(SHELLS))
    .addHelpText(
      "after",
      `
Examples:
  dlms-gateway completion bash > /etc/bash_completion.d/dlms-gateway
  dlms-gateway completion zsh > "\${fpath[1]}/_dlms-gateway"
  dlms-gateway completion fish > ~/.config/fish/completions/dlms-gateway.fish`,
    )
    .action((shell: Shell) => {
      output.out(completionScript(program, shell).trimEnd());
      finish("success");
    });
};
