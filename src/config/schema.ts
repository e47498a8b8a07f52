/**
 * The one schema of the configuration: types, checks, the sample file and docs/configuration.md all come from it.
 * Every field is described; a default is what the daemon does when the field is left out.
 */
import { z } from "zod";
import { COMPANIONS } from "../../protocol/cosem/companion/companion.ts";
import { parseObis } from "../../protocol/cosem/obis.ts";

const DURATION_UNITS_MS = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
const LONGEST_DURATION_MS = 3650 * 86_400_000;
const DURATION = /^(\d+)(ms|s|m|h|d)$/;

/** `30s`, `15m`, `1h`, `1d` → milliseconds. */
const duration = z
  .string()
  .regex(DURATION, "a duration is a number and a unit: 500ms, 30s, 15m, 1h, 1d")
  .transform((text) => {
    const [, digits = "0", unit = "ms"] = DURATION.exec(text) ?? [];
    return Number(digits) * (DURATION_UNITS_MS.get(unit) ?? 1);
  })
  .refine((durationMs) => durationMs > 0, "a duration is more than nothing")
  .refine((durationMs) => durationMs <= LONGEST_DURATION_MS, "a duration is at most 3650d");

const secretReference = z
  .string()
  .regex(
    /^(env|file|credential):.+$/,
    "a secret is a reference: env:NAME, file:/path or credential:NAME, never the secret itself",
  );

const timeZone = z
  .string()
  .refine(isTimeZone, "not a time zone of the tz database, like Asia/Kolkata or Europe/Vienna");

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

const MAX_PORT = 65_535;
const hostPort = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):\d{1,5}$/, "an address is host:port, or [IPv6 address]:port")
  .refine((text) => Number(text.slice(text.lastIndexOf(":") + 1)) <= MAX_PORT, `a port is at most ${MAX_PORT}`);

const systemTitle = z.string().regex(/^[0-9a-fA-F]{16}$/, "a system title is 8 octets: 16 hexadecimal digits");

const logicalName = z.string().refine(isLogicalName, "not a logical name, like 0.0.43.1.0.255 or 0-0:43.1.0*255");

function isLogicalName(text: string): boolean {
  try {
    return parseObis(text) !== undefined;
  } catch {
    return false;
  }
}

const MECHANISMS = ["none", "lls", "hls-2", "hls-3", "hls-4", "hls-5", "hls-6", "hls-7"] as const;
const PROFILES = ["instant", "block_load", "daily_load", "billing"] as const;

const NEEDS_SECRET: ReadonlySet<string> = new Set(["lls", "hls-2", "hls-3", "hls-4", "hls-6"]);
const NEEDS_SECURITY: ReadonlySet<string> = new Set(["hls-5", "hls-7"]);

const SIGNING_KEYS = ["signingKey", "serverSigningKey"] as const;
/** What general-ciphering needs besides the unicast and authentication keys, by how its key is found. */
const GENERAL_KEYS = {
  unicast: [],
  wrapped: ["masterKey"],
  "one-pass": [...SIGNING_KEYS, "agreementKey", "serverAgreementKey"],
  static: ["agreementKey", "serverAgreementKey"],
} as const;

const sap = z.int().min(0).max(0x3fff);

const securitySchema = z
  .strictObject({
    suite: z
      .union([z.literal(0), z.literal(1), z.literal(2)])
      .default(0)
      .describe("Security suite of the meter."),
    protection: z
      .enum(["none", "authenticated", "encrypted", "authenticated-encrypted"])
      .default("authenticated-encrypted")
      .describe(
        "How requests are protected; responses must be protected at least as well. With `none` the association is not ciphered and the keys serve authentication alone.",
      ),
    clientSystemTitle: systemTitle
      .describe("Our own system title in this association, 16 hexadecimal digits.")
      .meta({ examples: ["4845530000000001"] }),
    serverSystemTitle: systemTitle
      .optional()
      .describe("The meter's system title; learned from its answer when left out."),
    blockCipherKey: secretReference
      .describe("Global unicast encryption key (hexadecimal in the referenced place).")
      .meta({ examples: ["file:/etc/dlms-gateway/keys/feeder-7.block-cipher-key"] }),
    authenticationKey: secretReference.optional().describe("Global authentication key (hexadecimal)."),
    dedicatedKey: z.boolean().default(false).describe("Propose a fresh dedicated key for each association."),
    general: z.boolean().default(false).describe("Use general-glo-ciphering instead of service-specific ciphering."),
    generalCiphering: z
      .enum(["unicast", "wrapped", "one-pass", "static"])
      .optional()
      .describe(
        "Cipher requests by general-ciphering, under the key named here: the unicast key, a new one wrapped with the master key, or one agreed on (suites 1 and 2).",
      )
      .meta({ examples: ["one-pass"] }),
    sign: z
      .boolean()
      .default(false)
      .describe("Sign requests (general-signing, suites 1 and 2); answers must be signed too."),
    masterKey: secretReference
      .optional()
      .describe("Master key of the meter (hexadecimal), for `generalCiphering: wrapped`."),
    signingKey: secretReference
      .optional()
      .describe("Our private key for digital signatures (PEM in the referenced place): hls-7, `sign`, agreed keys."),
    serverSigningKey: secretReference
      .optional()
      .describe("The meter's certificate or public key for digital signatures (PEM in the referenced place)."),
    agreementKey: secretReference
      .optional()
      .describe("Our private key for key agreement (PEM in the referenced place)."),
    serverAgreementKey: secretReference
      .optional()
      .describe("The meter's certificate or public key for key agreement (PEM in the referenced place)."),
    invocationCounter: logicalName
      .optional()
      .describe("Logical name of the meter's counter for this key, read with the public client before associating."),
  })
  .superRefine((security, context) => {
    const needs = [...(security.sign ? SIGNING_KEYS : []), ...GENERAL_KEYS[security.generalCiphering ?? "unicast"]];
    for (const field of needs) {
      if (security[field] !== undefined) continue;
      context.addIssue({ code: "custom", path: [field], message: "this protection needs it" });
    }
  })
  .describe("Ciphering of the association; leave out for a meter without it.");

const associationSchema = z
  .strictObject({
    clientSap: sap.default(16).describe("Client SAP: 16 public, 32 meter reader, 48 utility setting in India."),
    serverSap: sap.default(1).describe("Server SAP: the logical device, 1 for the management logical device."),
    referencing: z
      .enum(["ln", "sn"])
      .default("ln")
      .describe("How the meter's objects are named: ln by logical names, sn by short names (older meters)."),
    mechanism: z.enum(MECHANISMS).default("none").describe("Authentication mechanism."),
    preEstablished: z
      .boolean()
      .default(false)
      .describe("The meter counts us as associated always: nothing is exchanged to associate or to take leave."),
    secret: secretReference
      .optional()
      .describe("Password (lls) or HLS secret; `0x…` in the referenced place means octets."),
    security: securitySchema.optional(),
    maxReceivePduSize: z.int().min(64).max(65_535).default(1024).describe("Largest APDU that we accept, in octets."),
  })
  .superRefine(({ mechanism, secret, security, preEstablished }, context) => {
    if (preEstablished && mechanism !== "none") {
      const message = "there is no authentication in a pre-established association";
      context.addIssue({ code: "custom", path: ["mechanism"], message });
    }
    if (preEstablished && security !== undefined && security.serverSystemTitle === undefined) {
      const message = "a pre-established association needs it: the meter does not tell it";
      context.addIssue({ code: "custom", path: ["security", "serverSystemTitle"], message });
    }
    const lacks = (field: string) =>
      context.addIssue({ code: "custom", path: [field], message: `mechanism ${mechanism} needs it` });
    if (NEEDS_SECRET.has(mechanism) && secret === undefined) lacks("secret");
    if (NEEDS_SECURITY.has(mechanism) && security === undefined) lacks("security");
    if (mechanism !== "hls-7" || security === undefined) return;
    for (const field of SIGNING_KEYS) if (security[field] === undefined) lacks(`security.${field}`);
  })
  .describe("How to associate with the meter.");

/** Fields that mean something on a serial line only; the sample file shows them as an alternative. */
const SERIAL_ONLY = ["opening", "speed", "echo", "turnaround", "deviceAddress"] as const;
const alternative = { alternative: true };

const connectionSchema = z
  .strictObject({
    tcp: hostPort
      .optional()
      .describe("Address of the meter or of the modem before it. Either this or `serial`.")
      .meta({ examples: ["192.0.2.7:4059"] }),
    serial: z
      .string()
      .startsWith("/", "a serial port is an absolute path, best one in /dev/serial/by-id")
      .optional()
      .describe(
        "Path of a serial port, instead of `tcp`: an optical head, or a line that several meters share. Those in /dev/serial/by-id stay the same when an adapter is plugged in again.",
      )
      .meta({ examples: ["/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"], ...alternative }),
    opening: z
      .enum(["hdlc", "mode-e"])
      .optional()
      .describe("Serial: HDLC at once (the default), or after the sign-on of IEC 62056-21 mode E at 300 baud.")
      .meta({ examples: ["hdlc"], ...alternative }),
    speed: z
      .int()
      .min(300)
      .max(921_600)
      .optional()
      .describe("Serial: baud, 9600 when left out; with mode E the highest speed to choose of those the meter offers.")
      .meta({ examples: [9600], ...alternative }),
    echo: z
      .boolean()
      .optional()
      .describe("Serial: the adapter or optical head returns what we send.")
      .meta({ examples: [false], ...alternative }),
    turnaround: duration
      .optional()
      .describe("Serial: silence on the line before we talk, 20ms when left out; some meters need up to 300ms.")
      .meta({ examples: ["20ms"], ...alternative }),
    deviceAddress: z
      .string()
      .regex(/^[0-9A-Za-z ]{1,32}$/, "a device address has at most 32 letters, digits and spaces")
      .optional()
      .describe("Mode E: address in the sign-on, where several meters are on the line.")
      .meta({ examples: ["00010007"], ...alternative }),
    link: z
      .enum(["wrapper", "hdlc"])
      .optional()
      .describe("What carries APDUs on this connection: `wrapper` when left out, on a serial line always `hdlc`.")
      .meta({ examples: ["wrapper"] }),
    physicalAddress: z
      .int()
      .min(0)
      .max(0x3fff)
      .optional()
      .describe("HDLC: lower address of the meter, with `link: hdlc` only."),
    addressLength: z
      .union([z.literal(1), z.literal(2), z.literal(4)])
      .optional()
      .describe("HDLC: octets of the server address; the shortest that fits when left out."),
    gateway: z
      .strictObject({
        network: z.int().min(0).max(255).default(0).describe("Network of the gateway that the meter is in."),
        device: z
          .string()
          .regex(/^(0x([0-9a-fA-F]{2})+|(?!0x).{1,64})$/, "a device address is text, or octets as 0x…")
          .describe("What the gateway knows the meter by: text, or octets as 0x….")
          .meta({ examples: ["SMT10007"] }),
      })
      .optional()
      .describe("For a meter behind a DLMS gateway: the header that every APDU gets."),
    responseTimeout: duration.prefault("10s").describe("How long to wait for an answer."),
  })
  .superRefine((connection, context) => {
    const refuse = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
    if (connection.tcp === undefined && connection.serial === undefined) {
      context.addIssue({ code: "custom", message: "needs `tcp` (host:port) or `serial` (path of a serial port)" });
    }
    if (connection.serial === undefined) {
      for (const field of SERIAL_ONLY) {
        if (connection[field] !== undefined) refuse(field, "has a meaning with `serial` only");
      }
      return;
    }
    if (connection.tcp !== undefined) refuse("serial", "there is `tcp` already; a meter has one of the two");
    if (connection.link === "wrapper") refuse("link", "a serial line carries HDLC");
    if (connection.deviceAddress !== undefined && connection.opening !== "mode-e") {
      refuse("deviceAddress", "has a meaning with `opening: mode-e` only");
    }
  })
  .transform(({ link, ...connection }) => ({
    ...connection,
    link: link ?? (connection.serial === undefined ? ("wrapper" as const) : ("hdlc" as const)),
  }))
  .describe("Where the meter is.");

export const meterSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "a name has letters, digits, dots, dashes and underscores")
    .describe("What people call the meter on the command line.")
    .meta({ examples: ["feeder-7"] }),
  number: z
    .string()
    .min(1)
    .max(64)
    .describe("Meter number (serial), as printed on the meter.")
    .meta({ examples: ["SMT10007"] }),
  type: z.string().max(64).default("electricity").describe("Free text: D1, three-phase, feeder …"),
  companion: z
    .enum(COMPANIONS)
    .default("none")
    .describe("Companion specification that gives the objects their meaning."),
  timeZone: timeZone.default("UTC").describe("Zone of the meter's clock where its stamps carry no deviation."),
  connection: connectionSchema,
  association: associationSchema.prefault({}),
});

const planSchema = z.strictObject({
  profile: z
    .enum(PROFILES)
    .describe("What to read.")
    .meta({ examples: ["block_load"] }),
  every: duration.meta({ examples: ["15m"], description: "How often." }),
  history: duration.prefault("7d").describe("How far back to go for a meter that has no reading yet."),
});

export const configSchema = z.strictObject({
  database: z
    .strictObject({
      url: secretReference
        .optional()
        .describe("Where the connection string is (postgresql://…); without it the embedded database is used."),
      directory: z
        .string()
        .default("data/postgres")
        .describe("Data directory of the embedded database, relative to the state directory."),
      connections: z.int().min(1).max(64).default(4).describe("Most connections that the daemon opens."),
    })
    .prefault({})
    .describe("Where readings go."),
  stateDirectory: z
    .string()
    .default("/var/lib/dlms-gateway")
    .describe("Directory for what must survive a restart; systemd's StateDirectory wins."),
  socket: z
    .string()
    .default("/run/dlms-gateway/control.sock")
    .describe("Local socket over which the command line reaches the daemon."),
  log: z
    .strictObject({
      level: z.enum(["debug", "info", "warn", "error"]).default("info").describe("Least level that is written."),
    })
    .prefault({})
    .describe("Logging, as JSON lines to the standard output."),
  polling: z
    .strictObject({
      concurrency: z.int().min(1).max(10_000).default(200).describe("Most meters that are talked to at the same time."),
      connectsPerSecond: z.int().min(1).max(10_000).default(200).describe("Most new connections in a second."),
      sessionTimeout: duration.prefault("5m").describe("Most time for all that is due for one meter."),
    })
    .prefault({})
    .describe("How meters are polled."),
  push: z
    .strictObject({
      listen: z
        .array(
          z.strictObject({
            address: hostPort.describe("Where to listen.").meta({ examples: ["[::]:4059"] }),
            transport: z.enum(["tcp", "udp"]).default("tcp").describe("TCP or UDP."),
          }),
        )
        .default([])
        .describe("Listeners for what meters send by themselves."),
    })
    .prefault({})
    .describe("Reception of pushes; wrapper, HDLC and M-Bus framing are told apart by their first octets."),
  plans: z
    .array(planSchema)
    .refine((plans) => new Set(plans.map((plan) => plan.profile)).size === plans.length, "a profile has one plan only")
    .prefault([
      { profile: "instant", every: "15m" },
      { profile: "block_load", every: "15m" },
      { profile: "daily_load", every: "6h" },
      { profile: "billing", every: "1d" },
    ])
    .describe("What is read how often, for every meter."),
  meters: z.array(meterSchema).default([]).describe("The meters."),
});

export type Config = z.output<typeof configSchema>;
export type MeterConfig = z.output<typeof meterSchema>;
export type AssociationConfig = MeterConfig["association"];
export type ConnectionConfig = MeterConfig["connection"];
