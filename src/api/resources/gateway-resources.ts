/** The gateways that share the meters of the database, and how long work waits in this one. */
import { z } from "zod";
import type { LaneReport } from "../../collect/lanes/lane-times.ts";
import { gateway, lanes } from "../answers/work.ts";
import { type Api, callerOf } from "../http-api.ts";

/** This gateway among those that share the meters. */
export interface SharingGateways {
  gateways(): z.output<typeof gateway>[];
  /** Gives the meters of a gateway that is dead to the others at once; its name. Throws ApiError. */
  dismiss(name: string): Promise<string>;
  readonly loop: { laneTimes(): ReadonlyMap<string, LaneReport> };
}

export function gatewayResources(api: Api, shared: SharingGateways): void {
  api.get(
    "/v1/gateways",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["gateways"],
        summary: "The gateways that share the meters of this database",
        response: { 200: z.object({ items: z.array(gateway) }) },
      },
    },
    async (request) => {
      const untold = callerOf(request).meterKeys === undefined ? {} : { meters: null, blocks: null };
      return { items: shared.gateways().map((each) => Object.assign({}, each, untold)) };
    },
  );
  api.post(
    "/v1/gateways/:name/release",
    {
      config: {
        needs: "admin",
        change: { event: "gatewayReleased", message: "somebody said that a gateway is dead" },
      },
      schema: {
        tags: ["gateways"],
        summary: "Give the meters of a gateway that is dead to the others at once",
        params: z.object({ name: z.string().min(1).max(128) }),
        response: { 200: z.object({ released: z.string() }) },
      },
    },
    async (request) => ({ released: await shared.dismiss(request.params.name) }),
  );
  api.get(
    "/v1/lanes",
    {
      config: { needs: "reader", scoped: true },
      schema: { tags: ["gateways"], summary: "How long work waits and runs, by lane", response: { 200: lanes } },
    },
    async (request) => {
      const isLimited = callerOf(request).meterKeys !== undefined;
      const times = Array.from(shared.loop.laneTimes());
      return Object.fromEntries(times.map(([lane, each]) => [lane, isLimited ? { ...each, jobs: null } : each]));
    },
  );
}
