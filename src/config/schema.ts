/**
 * The one schema of the configuration: types, checks, the sample file and docs/configuration.md all come from it.
 * Every field is described; a default is what the daemon does when the field is left out.
 */
import { z } from "zod";
import { COMPANIONS } from "../../protocol/cosem/companion/companion.ts";
import { physicalDeviceOf } from "../../protocol/link/hdlc/physical-device.ts";
import { METER_QUIRK_NAMES, METER_QUIRKS } from "../../protocol/quirks.ts";
import { apiSchema } from "./api-schema.ts";
import { associationSchema } from "./association-schema.ts";
import { callListenSchema } from "./call-schema.ts";
import { collectionSchema, meterAttributes } from "./collection-schema.ts";
import { connectionSchema } from "./connection-schema.ts";
import { duration, givenName, lineOfText, meterNumber, secretReference, size, timeZone } from "./fields.ts";
import { notificationsSchema } from "./notification-schema.ts";
import { groupSchema, planSchema } from "./plan-schema.ts";
import {
  pushExecutionSchema,
  pushExpectationSchema,
  pushListenSchema,
  pushRulesSchema,
  pushSetupSchema,
  pushSilenceSchema,
} from "./push-schema.ts";
import { serviceLevelsSchema } from "./service-level-schema.ts";
import { limitSchema, sharingSchema } from "./sharing-schema.ts";

const quirks = z
  .array(
    z.enum(METER_QUIRK_NAMES, {
      error: (issue) => `no quirk ${JSON.stringify(issue.input)}; there are: ${METER_QUIRK_NAMES.join(", ")}`,
    }),
  )
  .default([])
  .meta({ examples: [[]] });

const modelSchema = z.strictObject({
  name: lineOfText(64, 1)
    .describe("What meters call the model.")
    .meta({ examples: ["acme-x1"] }),
  maker: lineOfText(64).optional().describe("For people."),
  firmware: lineOfText(64).optional().describe("For people: the firmware that was seen to need them."),
  quirks: quirks.describe(
    `What its meters do otherwise. ${Object.entries(METER_QUIRKS)
      .map(([name, says]) => `\`${name}\`: ${says}.`)
      .join(" ")}`,
  ),
});

const meterFields = z.strictObject({
  name: givenName.describe("What people call the meter on the command line.").meta({ examples: ["feeder-7"] }),
  number: meterNumber.describe("Meter number (serial), as printed on the meter.").meta({ examples: ["SMT10007"] }),
  type: lineOfText(64).default("electricity").describe("Free text: D1, three-phase, feeder …"),
  companion: z
    .enum(COMPANIONS)
    .default("none")
    .describe("Companion specification that gives the objects their meaning."),
  model: lineOfText(64)
    .optional()
    .describe("Model, one of `models` or of those known to the gateway, whose quirks the meter has.")
    .meta({ examples: ["hexing-hxe130"] }),
  quirks: quirks.describe("What this meter does otherwise, by name; `probe` finds them."),
  timeZone: timeZone.default("UTC").describe("Zone of the meter's clock where its stamps carry no deviation."),
  attributes: meterAttributes
    .default({})
    .describe("What you know about the meter, as feeder or district; collections select by it.")
    .meta({ examples: [{ feeder: "7" }] }),
  billingDay: z
    .int()
    .min(1)
    .max(28)
    .default(1)
    .describe("Day of the month on whose midnight the meter's billing periods end."),
  connection: connectionSchema,
  association: associationSchema.prefault({}),
  push: pushRulesSchema.prefault({}),
});

/** With the physical address that its maker derives from the meter number, where that is how it has one. */
export const meterSchema = meterFields
  .superRefine(({ number, connection }, context) => {
    if (connection.physicalAddressFrom === undefined || /[0-9]/.test(number)) return;
    const message = "the meter number has no digits";
    context.addIssue({ code: "custom", path: ["connection", "physicalAddressFrom"], message });
  })
  .transform((meter) => {
    const { physicalAddressFrom: formula } = meter.connection;
    if (formula === undefined) return meter;
    const physicalAddress = physicalDeviceOf(meter.number, formula);
    return { ...meter, connection: { ...meter.connection, physicalAddress } };
  });

const configFields = z.strictObject({
  database: z
    .strictObject({
      url: secretReference
        .optional()
        .describe("Where the connection string is (postgresql://…); without it the embedded database is used."),
      directory: z
        .string()
        .default("data/postgres")
        .describe("Data directory of the embedded database, relative to the state directory."),
      connections: z
        .int()
        .min(2)
        .max(64)
        .default(8)
        .describe("Most connections that the daemon works with; half of them are for what is written."),
      compressAfter: duration
        .prefault("7d")
        .describe("Age at which rows are compressed, in whole days; with TimescaleDB's Community edition only."),
      keep: z
        .array(
          z.strictObject({
            table: z
              .string()
              .describe(
                "A table that is in dlms.time_tables: any that grows with time. docs/database.md has the defaults.",
              )
              .meta({ examples: ["read_failures"] }),
            for: duration.meta({
              examples: ["365d"],
              description: "Age at which its rows are deleted, in whole days.",
            }),
          }),
        )
        .refine((list) => new Set(list.map((each) => each.table)).size === list.length, "a table is named once only")
        .default([])
        .describe(
          "What is deleted when it is old; everything else is kept, but raw_buffers for 90d. Sums by day stay.",
        ),
    })
    .prefault({})
    .describe("Where readings go."),
  keys: z
    .strictObject({
      sealingKey: secretReference
        .optional()
        .describe("Key under which meters' keys are sealed in the database: 64 hexadecimal digits.")
        .meta({ examples: ["credential:sealing-key"] }),
      formerSealingKeys: z
        .array(secretReference)
        .default([])
        .describe("Keys that sealed before, until `dlms-gateway keys reseal` has run."),
    })
    .prefault({})
    .describe("The sealed key store."),
  spool: z
    .strictObject({
      directory: z
        .string()
        .default("spool")
        .describe("Directory of the spool, relative to the state directory; best on another disk than the database."),
      quota: size
        .prefault("2GB")
        .describe(
          "Most that it may hold. At four fifths meters are no longer polled, at nineteen twentieths pushes have to wait.",
        ),
      patience: duration
        .prefault("3s")
        .describe("How long rows and pushes wait for the database before they go to the spool."),
    })
    .prefault({})
    .describe("Where readings wait, durably and in order, while the database is away, slow, read-only or full."),
  sharing: sharingSchema.prefault({}),
  stateDirectory: z
    .string()
    .default("/var/lib/dlms-gateway")
    .describe("Directory for what must survive a restart; systemd's StateDirectory wins."),
  socket: z
    .string()
    .default("/run/dlms-gateway/control.sock")
    .describe("Local socket over which the command line reaches the daemon; systemd's RuntimeDirectory wins."),
  api: apiSchema
    .prefault({})
    .describe("The HTTP API and the pages; who may ask is said by tokens, see `tokens create`."),
  log: z
    .strictObject({
      level: z.enum(["debug", "info", "warn", "error"]).default("info").describe("Least level that is written."),
    })
    .prefault({})
    .describe("Logging, as JSON lines to the standard output."),
  tracing: z
    .strictObject({
      endpoint: z
        .url()
        .describe("Where traces are taken by OTLP over HTTP.")
        .meta({ examples: ["http://127.0.0.1:4318/v1/traces"] }),
      share: z.number().min(0).max(1).default(0.01).describe("The part of visits that is traced."),
    })
    .optional()
    .describe("OpenTelemetry: what each traced visit to a meter spends its time on. Without it nothing is traced."),
  polling: z
    .strictObject({
      concurrency: z.int().min(1).max(10_000).default(200).describe("Most meters that are talked to at the same time."),
      connectsPerSecond: z.int().min(1).max(10_000).default(200).describe("Most new connections in a second."),
      sessionTimeout: duration.prefault("5m").describe("Most time for all that is due for one meter."),
    })
    .prefault({})
    .describe("How meters are polled."),
  limits: z
    .array(limitSchema)
    .refine(
      (all) => new Set(all.map(({ network, pool }) => `${network ?? ""} ${pool ?? ""}`)).size === all.length,
      "a network or pool has one limit only",
    )
    .default([])
    .describe(
      "Limits of networks, concentrators and modem pools in this gateway. All meters of a pool are worked by one gateway, those of a network by several, each with this limit. A line that meters share has one talker anyway.",
    ),
  calls: z
    .strictObject({
      listen: z.array(callListenSchema).default([]).describe("Listeners for meters that call in."),
    })
    .prefault({})
    .describe("Meters that have no address that lasts call in, and are worked on the connections that they open."),
  push: z
    .strictObject({
      listen: z.array(pushListenSchema).default([]).describe("Listeners for what meters send by themselves."),
      setups: z
        .array(pushSetupSchema)
        .refine((setups) => new Set(setups.map(({ name }) => name)).size === setups.length, "a name is used once only")
        .default([])
        .describe("Push setups to be carried out on meters, by `push apply` and by the drift check."),
      execution: pushExecutionSchema.prefault({}),
      expect: z.array(pushExpectationSchema).default([]).describe("Pushes that should come."),
      silence: pushSilenceSchema.prefault({}),
    })
    .prefault({})
    .describe("Reception of pushes; wrapper, HDLC, M-Bus and P1 are told apart by their first octets."),
  notifications: notificationsSchema.prefault({}),
  groups: z
    .array(groupSchema)
    .refine((groups) => new Set(groups.map((group) => group.name)).size === groups.length, "a group is named once only")
    .default([])
    .describe("Groups of meters by rule, for the plans."),
  plans: z
    .array(planSchema)
    .refine(
      (plans) => new Set(plans.map((plan) => `${plan.profile} ${plan.group ?? ""}`)).size === plans.length,
      "a profile has one plan only, or one for each group",
    )
    .prefault([
      { profile: "instant", every: "15m" },
      { profile: "block_load", every: "15m" },
      { profile: "daily_load", every: "6h" },
      { profile: "billing", every: "1d" },
      { profile: "events", every: "1h" },
    ])
    .describe("What is read how often."),
  serviceLevels: serviceLevelsSchema,
  models: z
    .array(modelSchema)
    .default([])
    .describe("Models of meters with the quirks that they need, besides those known to the gateway."),
  collections: z
    .array(collectionSchema)
    .refine((all) => new Set(all.map((each) => each.name)).size === all.length, "a name stands for one collection only")
    .default([])
    .describe("Groups of meters in the database, by list or by rule: for plans, and for whoever asks the database."),
  meters: z.array(meterSchema).default([]).describe("The meters."),
});

export const configSchema = configFields.superRefine(({ plans, groups, collections }, context) => {
  const names = new Set(groups.map((group) => group.name));
  for (const [at, { name }] of collections.entries()) {
    if (names.has(name)) {
      context.addIssue({ code: "custom", path: ["collections", at, "name"], message: `there is a group ${name}` });
    }
    names.add(name);
  }
  for (const [at, { group }] of plans.entries()) {
    if (group === undefined || names.has(group)) continue;
    context.addIssue({
      code: "custom",
      path: ["plans", at, "group"],
      message: `there is no group or collection ${group}`,
    });
  }
});

export type Config = z.output<typeof configSchema>;
export type MeterConfig = z.output<typeof meterSchema>;
export type AssociationConfig = MeterConfig["association"];
export type PlanConfig = Config["plans"][number];
export type GroupConfig = Config["groups"][number];
export type ConnectionConfig = MeterConfig["connection"];
