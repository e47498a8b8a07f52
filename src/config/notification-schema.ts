/** The part of the configuration's schema that says who is told of events. */
import { z } from "zod";
import { duration, givenName, secretReference } from "./fields.ts";

const name = givenName.describe("Name of the destination, in lists and logs.");

const common = {
  least: z.enum(["info", "warning", "alarm"]).default("warning").describe("Least severity that is told."),
  newest: duration.prefault("1d").describe("Events that are older than this when they become known are not told."),
  tries: z.int().min(1).max(100).default(12).describe("How often a notification is tried before it is given up."),
  bound: z.int().min(1).max(10_000_000).default(100_000).describe("Notifications that may wait."),
  timeout: duration.prefault("10s").describe("How long an answer is waited for."),
};

const webhookSchema = z
  .strictObject({
    name: name.meta({ examples: ["operations"] }),
    url: z
      .url({ protocol: /^https?$/ })
      .describe("Where to send a POST of JSON.")
      .meta({ examples: ["https://alarms.example.org/dlms"] }),
    secret: secretReference
      .describe("Where the key of the signature is: HMAC-SHA-256 over time and body.")
      .meta({ examples: ["file:/etc/dlms-gateway/webhook.secret"] }),
    ...common,
  })
  .describe("Events as HTTP requests.");

const mqttSchema = z
  .strictObject({
    name: name.meta({ examples: ["broker"] }),
    url: z
      .url({ protocol: /^(mqtt|mqtts|ws|wss)$/ })
      .describe("The broker.")
      .meta({ examples: ["mqtts://broker.example.org:8883"] }),
    username: z
      .string()
      .min(1)
      .optional()
      .describe("Name to log in with.")
      .meta({ examples: ["dlms-gateway"] }),
    password: secretReference
      .optional()
      .describe("Where the password is.")
      .meta({ examples: ["file:/etc/dlms-gateway/mqtt.password"] }),
    clientId: z
      .string()
      .min(1)
      .max(128)
      .default("dlms-gateway")
      .describe("Identifier of the client; the gateway's own follows it."),
    prefix: z
      .string()
      .regex(/^[^+#\0]+$/, "a topic has neither + nor #")
      .default("dlms")
      .describe("Events go to `prefix/meter number/event`; `prefix/meter number/state` is retained."),
    ...common,
  })
  .describe("Events over MQTT.");

export const notificationsSchema = z
  .strictObject({
    webhooks: z.array(webhookSchema).default([]).describe("Receivers of HTTP requests."),
    mqtt: z.array(mqttSchema).default([]).describe("MQTT brokers."),
  })
  .refine(({ webhooks, mqtt }) => {
    const names = [...webhooks, ...mqtt].map((each) => each.name);
    return new Set(names).size === names.length;
  }, "a name stands for one destination only")
  .describe("Who is told of events of meters.");
