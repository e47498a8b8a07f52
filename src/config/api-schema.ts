/** The part of the configuration's schema that says where the HTTP API and the pages are. */
import { isIP } from "node:net";
import { z } from "zod";
import { secretReference } from "./fields.ts";

const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/;

export const apiSchema = z
  .strictObject({
    listen: z
      .strictObject({
        host: z
          .string()
          .refine((host) => host === "localhost" || isIP(host) !== 0, "an address of this machine, as 127.0.0.1")
          .default("127.0.0.1")
          .describe("Address of this machine."),
        port: z
          .int()
          .min(0)
          .max(65_535)
          .describe("Port; 0 takes a free one, which the log tells.")
          .meta({ examples: [8440] }),
      })
      .optional()
      .describe("Where the HTTP API and the pages are; nowhere when left out."),
    certificate: z.string().optional().describe("File with the certificate chain (PEM), for HTTPS."),
    privateKey: secretReference.optional().describe("Where the certificate's private key (PEM) is."),
    behindProxy: z
      .boolean()
      .default(false)
      .describe("Whether a proxy on the way does HTTPS; without it only this machine is answered in the clear."),
    requestsPerMinute: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(1200)
      .describe("Most requests of one token, or of one address without one."),
  })
  .superRefine(({ listen, certificate, privateKey, behindProxy }, context) => {
    if ((certificate === undefined) !== (privateKey === undefined)) {
      context.addIssue({
        code: "custom",
        path: ["certificate"],
        message: "a certificate needs its privateKey, and a key its certificate",
      });
    }
    if (listen === undefined || LOOPBACK.test(listen.host) || certificate !== undefined || behindProxy) return;
    const message =
      "others than this machine are answered over HTTPS only: give certificate and privateKey, or behindProxy";
    context.addIssue({ code: "custom", path: ["listen", "host"], message });
  });

export type ApiConfig = z.output<typeof apiSchema>;
