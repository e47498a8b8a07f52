/** `db coverage` and `db replay`: work on what is stored, told line by line. */
import { type MaintenanceOrder, maintenanceLineSchema } from "../api/maintenance-order.ts";
import { maintain, type StoredReadings } from "../gateway/stored-readings.ts";
import type { ExitReason } from "./exit-code.ts";
import type { Output } from "./output.ts";
import { type AnswerPlace, storedAnswers } from "./stored-answers.ts";

export async function maintenanceCommand(
  order: MaintenanceOrder,
  place: AnswerPlace,
  output: Output,
): Promise<ExitReason> {
  const question = {
    order: { path: "/v1/maintenance", body: order },
    schema: maintenanceLineSchema,
    alone: (stored: StoredReadings) => maintain(stored, order),
  };
  let isSound = true;
  for await (const { text, isFault } of storedAnswers(place, question, output)) {
    output.out(text);
    if (isFault) isSound = false;
  }
  return isSound ? "success" : "failure";
}
