/** `db coverage` and `db replay`: work on what is stored, done by the running daemon and told line by line. */
import { askForLines } from "../api/local-client.ts";
import { type MaintenanceOrder, maintenanceLineSchema } from "../api/maintenance-order.ts";
import type { ExitReason } from "./exit-code.ts";
import type { Output } from "./output.ts";

export async function maintenanceCommand(
  order: MaintenanceOrder,
  { socket }: { readonly socket: string },
  output: Output,
): Promise<ExitReason> {
  const lines = askForLines(socket, { path: "/v1/maintenance", body: order }, maintenanceLineSchema);
  let isSound = true;
  for await (const { text, isFault } of lines) {
    output.out(text);
    if (isFault) isSound = false;
  }
  return isSound ? "success" : "failure";
}
