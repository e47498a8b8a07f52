/** How gateways on one database share its meters. */
import { z } from "zod";
import { duration, givenName, lineOfText } from "./fields.ts";

/** The network of meters that name none. */
export const DEFAULT_NETWORK = "default";

export const networkName = givenName;

export const sharingSchema = z
  .strictObject({
    name: givenName
      .optional()
      .describe("What people call this gateway; the name of its host when left out.")
      .meta({ examples: ["gateway-1"] }),
    networks: z
      .array(networkName)
      .min(1, "a gateway without networks would work no meter")
      .optional()
      .describe("Networks that this gateway reaches; all that its meters name when left out.")
      .meta({ examples: [["default", "substation-7"]] }),
    silence: duration
      .prefault("3s")
      .describe(
        "Silence of a gateway after which others take its meters over. Where there are others it stops working them by itself before, so the database may be away for so long.",
      ),
    away: duration
      .prefault("1h")
      .describe(
        "How long a gateway that is alone, or to which the database server itself refuses connections, goes on without it. One that vanished is given up only after it by gateways that never saw it alive; `dlms-gateway gateways release` says earlier that it is dead.",
      ),
  })
  .refine(({ silence, away }) => away >= silence, {
    path: ["away"],
    message: "`away` is at least as long as `silence`",
  })
  .describe("Gateways on one database share its meters: each meter is worked by one of them at a time.");

const MOST = 10_000;

export const limitSchema = z
  .strictObject({
    network: networkName
      .optional()
      .describe("Network whose meters the limit holds for.")
      .meta({ examples: ["substation-7"] }),
    pool: lineOfText(64, 1)
      .optional()
      .describe("Or the concentrator or modem pool, see `connection.pool`.")
      .meta({ examples: ["dc-17"], alternative: true }),
    concurrency: z
      .int()
      .min(1)
      .max(MOST)
      .optional()
      .describe("Most of its meters that are talked to at the same time.")
      .meta({ examples: [4] }),
    connectsPerSecond: z
      .int()
      .min(1)
      .max(MOST)
      .optional()
      .describe("Most new connections to it in a second.")
      .meta({ examples: [2] }),
  })
  .superRefine(({ network, pool, concurrency, connectsPerSecond }, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if ((network === undefined) === (pool === undefined)) refuse("needs either `network` or `pool`");
    if (concurrency === undefined && connectsPerSecond === undefined) {
      refuse("needs `concurrency`, `connectsPerSecond` or both");
    }
  });
