/** `db coverage` and `db replay`: work on what is stored, told line by line. */
import { type MaintenanceOrder, maintenanceLineSchema } from "../../api/maintenance-order.ts";
import { maintain, type StoredReadings } from "../../gateway/stored-readings.ts";
import type { ExitReason } from "../terminal/exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import { type AnswerPlace, storedAnswers } from "./stored-answers.ts";

export async function maintenanceCommand(
  order: MaintenanceOrder,
  { json, ...place }: AnswerPlace & { readonly json?: true },
  output: Output,
): Promise<ExitReason> {
  const question = {
    order: { path: "/v1/maintenance", body: order },
    schema: maintenanceLineSchema,
    alone: (stored: StoredReadings) => maintain(stored, order),
  };
  let isSound = true;
  using stack = new DisposableStack();
  let progress: Progress | undefined;
  for await (const line of storedAnswers(place, question, output)) {
    if ("text" in line) {
      progress?.wipe();
      output.out(json === true ? JSON.stringify(line) : line.text);
      if (line.isFault) isSound = false;
    } else {
      progress ??= stack.use(new Progress(output, line.total, line.of));
      progress.at(line.done);
    }
  }
  return isSound ? "success" : "failure";
}
