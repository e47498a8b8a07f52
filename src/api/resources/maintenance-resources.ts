/** Work on what is stored, told line by line. */
import type { Api } from "../http-api.ts";
import { LINES, sendLines } from "../lines.ts";
import { type MaintenanceLine, type MaintenanceOrder, maintenanceOrderSchema } from "../maintenance-order.ts";

export interface MaintenanceSource {
  maintain(order: MaintenanceOrder): AsyncIterable<MaintenanceLine>;
}

export function maintenanceResources(api: Api, source: MaintenanceSource): void {
  api.post(
    "/v1/maintenance",
    {
      config: {
        needs: "admin",
        change: { event: "maintenanceOrdered", message: "somebody ordered work on what is stored" },
      },
      schema: {
        tags: ["maintenance"],
        summary: "Prove the ledger, make it anew, or make rows anew of kept octets; tells line by line",
        produces: [LINES],
        body: maintenanceOrderSchema,
      },
    },
    async (request, reply) => sendLines(reply, source.maintain(request.body)),
  );
}
