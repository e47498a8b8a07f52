/** Push setups of the configuration, how they stand on their meters, and their execution. */
import { z } from "zod";
import { pushSetup, setupExecution, type setupLine, type setupResult } from "../../api/answers/pushes.ts";
import { ApiError } from "../../api/api-error.ts";
import { type Api, callerOf } from "../../api/http-api.ts";
import { LINES, sendLines } from "../../api/lines.ts";
import { keyPageQuery, page, pageOf } from "../../api/paging.ts";
import type { SetupHistoryOrder, SetupHistoryRow } from "../../store/push/push-setup-history.ts";
import type { CampaignLine, CampaignResult, SetupCampaigns } from "./setup-campaign.ts";
import type { SetupConnection } from "./setup-execution.ts";

const TEXT = z.string().min(1).max(128);

type Campaigns = Pick<SetupCampaigns<SetupConnection>, "setups" | "follow" | "stop">;
type History = (order: SetupHistoryOrder) => Promise<readonly SetupHistoryRow[]>;

export function setupResources(api: Api, campaigns: Campaigns, history: History): void {
  listOfSetups(api, campaigns);
  execution(api, campaigns);
  historyOfSetups(api, history);
}

function listOfSetups(api: Api, campaigns: Campaigns): void {
  api.get(
    "/v1/push-setups",
    {
      config: { needs: "reader" },
      schema: {
        tags: ["push setups"],
        summary: "The push setups of the configuration, and their meters",
        response: { 200: z.object({ items: z.array(pushSetup) }) },
      },
    },
    async () => {
      const items = campaigns.setups.map(({ setup, meters }) => {
        const { name, logicalName, destination = null } = setup;
        return { name, logicalName, destination, meters: [...meters] };
      });
      return { items };
    },
  );
}

function execution(api: Api, campaigns: Campaigns): void {
  api.post(
    "/v1/push-setups/apply",
    {
      config: { needs: "engineer", change: { event: "setupOrdered", message: "somebody had push setups carried out" } },
      schema: {
        tags: ["push setups"],
        summary: "Compare meters with push setups and write what differs; what fails is put back; tells line by line",
        produces: [LINES],
        body: z.strictObject({
          setup: TEXT.optional().describe("All when left out."),
          meter: TEXT.optional().describe("This one only."),
          dryRun: z.boolean().default(false),
          why: z.string().min(1).max(1000),
        }),
      },
    },
    async (request, reply) => {
      const { actor } = callerOf(request);
      const { setup, meter, ...rest } = request.body;
      const known = campaigns.setups.filter((each) => (setup ?? each.setup.name) === each.setup.name);
      if (known.length === 0) throw new ApiError("conflict", "the configuration has no such push setup: push.setups");
      if (meter !== undefined && !known.some(({ meters }) => meters.includes(meter))) {
        throw new ApiError("conflict", `${meter}: no push setup of the configuration is for this meter`);
      }
      const chosen = { ...(setup !== undefined && { setup }), ...(meter !== undefined && { meter }) };
      return sendLines(reply, linesOf(campaigns.follow({ ...rest, ...chosen, who: actor })));
    },
  );
  api.post(
    "/v1/push-setups/stop",
    {
      config: { needs: "engineer", change: { event: "setupsStopped", message: "somebody stopped push setups" } },
      schema: { tags: ["push setups"], summary: "Begin no other meter of the execution that runs" },
    },
    async (request, reply) => {
      callerOf(request);
      campaigns.stop();
      return reply.status(204).send();
    },
  );
}

function historyOfSetups(api: Api, history: History): void {
  api.get(
    "/v1/push-setups/history",
    {
      config: { needs: "reader" },
      schema: {
        tags: ["push setups"],
        summary: "What was done to the push setups of meters, newest first",
        querystring: keyPageQuery.extend({
          meter: TEXT.optional(),
          setup: TEXT.optional(),
          latestOnly: z.stringbool().default(false).describe("Only how each stands now."),
        }),
        response: { 200: pageOf(setupExecution) },
      },
    },
    async (request) => {
      const { limit } = request.query;
      return page(await history({ ...request.query, limit: limit + 1 }), limit, {
        item: (row) => {
          return Object.assign(resultOf(row), { startedAt: row.startedAt.toISOString(), who: row.who, why: row.why });
        },
        place: ({ changeKey }) => changeKey.toString(),
      });
    },
  );
}

async function* linesOf(lines: AsyncIterable<CampaignLine>): AsyncGenerator<z.output<typeof setupLine>> {
  for await (const line of lines) {
    yield line.line === "result" ? { line: "result", ...resultOf(line) } : line;
  }
}

function resultOf({ meter, setup, state, testPush, changes, evidence }: CampaignResult): z.output<typeof setupResult> {
  return { meter, setup, state, testPush, changes: [...changes], evidence: evidence ?? null };
}
