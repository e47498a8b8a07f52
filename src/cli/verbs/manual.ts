import { manualPage } from "../manual-page.ts";
import type { DeclareVerb } from "./verb.ts";

export const declareManual: DeclareVerb = (program, { output, finish }) => {
  program
    .command("manual")
    .description("print the manual page, as man reads it")
    .action(() => {
      output.out(manualPage(program).trimEnd());
      finish("success");
    });
};
