/** What the command line may order about push setups. */
import { z } from "zod";
import { type ControlRoute, controlRoute, OrderRefusedError } from "../api/control-route.ts";
import type { SetupHistoryRow } from "../store/push-setup-history.ts";
import type { SetupCampaigns } from "./setup-campaign.ts";
import type { SetupConnection } from "./setup-execution.ts";

const TEXT = z.string().min(1).max(128);
const applyForm = z.strictObject({
  setup: TEXT.optional(),
  meter: TEXT.optional(),
  dryRun: z.boolean().default(false),
  who: TEXT,
  why: z.string().min(1).max(1000),
});
const historyForm = z.strictObject({
  meter: TEXT.optional(),
  setup: TEXT.optional(),
  latestOnly: z.boolean().default(false),
  limit: z.int().min(1).max(10_000).default(100),
});

export interface SetupHistoryOrder {
  readonly meter?: string;
  readonly setup?: string;
  readonly latestOnly: boolean;
  readonly limit: number;
}

export function setupRoutes(
  campaigns: Pick<SetupCampaigns<SetupConnection>, "setups" | "run" | "stop">,
  history: (order: SetupHistoryOrder) => Promise<readonly SetupHistoryRow[]>,
): ReadonlyMap<string, ControlRoute> {
  return new Map([
    ["/v1/push-setups", controlRoute(z.strictObject({}), async () => campaigns.setups)],
    [
      "/v1/push-setups/apply",
      controlRoute(applyForm, async ({ setup, meter, ...rest }) => {
        const known = campaigns.setups.filter((each) => (setup ?? each.setup.name) === each.setup.name);
        if (known.length === 0) throw new OrderRefusedError("the configuration has no such push setup: push.setups");
        if (meter !== undefined && !known.some(({ meters }) => meters.includes(meter))) {
          throw new OrderRefusedError(`${meter}: no push setup of the configuration is for this meter`);
        }
        return campaigns.run({ ...rest, ...(setup !== undefined && { setup }), ...(meter !== undefined && { meter }) });
      }),
    ],
    [
      "/v1/push-setups/stop",
      controlRoute(z.strictObject({}), async () => {
        campaigns.stop();
        return {};
      }),
    ],
    [
      "/v1/push-setups/history",
      controlRoute(historyForm, ({ meter, setup, ...rest }) =>
        history({ ...rest, ...(meter !== undefined && { meter }), ...(setup !== undefined && { setup }) }),
      ),
    ],
  ]);
}
