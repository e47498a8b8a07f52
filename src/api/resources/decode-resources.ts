/** What octets mean, for people who paste them. Nothing of it is kept. */
import { z } from "zod";
import { fromHex } from "../../../protocol/bytes/hex.ts";
import { DlmsError } from "../../../protocol/errors.ts";
import { treeJson } from "../../../protocol/translate/render.ts";
import { LAYERS, translate } from "../../../protocol/translate/translate.ts";
import { ApiError } from "../api-error.ts";
import type { Api } from "../http-api.ts";

const MOST_HEX = 256 * 1024;

export function decodeResources(api: Api): void {
  api.post(
    "/v1/decode",
    {
      config: { needs: "reader", scoped: true },
      schema: {
        tags: ["decode"],
        summary: "What octets of any layer mean, as a tree",
        body: z.strictObject({
          hex: z.string().min(2).max(MOST_HEX),
          layer: z.enum(LAYERS).optional().describe("Found out from the octets when left out."),
        }),
        response: { 200: z.object({ layer: z.string(), damaged: z.boolean(), nodes: z.array(z.unknown()) }) },
      },
    },
    async (request) => {
      const { hex, layer } = request.body;
      try {
        const { nodes, damaged, layer: found } = translate(fromHex(hex), { ...(layer && { layer }), secrets: "show" });
        return { layer: found, damaged, nodes: nodes.map(treeJson) };
      } catch (error) {
        if (error instanceof DlmsError) throw new ApiError("invalid", error.message, { cause: error });
        throw error;
      }
    },
  );
}
