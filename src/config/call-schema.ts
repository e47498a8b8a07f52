/** Where meters call that have no address that lasts. */
import { z } from "zod";
import { hostPort, regularExpression } from "./fields.ts";

export const callListenSchema = z
  .strictObject({
    address: hostPort.describe("Where to listen.").meta({ examples: ["[::]:4061"] }),
    link: z
      .enum(["wrapper", "hdlc"])
      .default("wrapper")
      .describe("What a caller is asked over who it is; then its meter's own `connection.link` counts."),
    greeting: regularExpression
      .max(256)
      .optional()
      .describe(
        "Regular expression for what modems say by themselves, as they call and later: its first group is the meter's number, or its `connection.caller`. It is taken off what the meter says.",
      )
      .meta({ examples: ["^ID=(\\w+)"] }),
  })
  .describe("A listener for meters that call in.");
