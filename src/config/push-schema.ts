import { z } from "zod";
import { COMPANIONS } from "../../protocol/cosem/companion/companion.ts";
import { duration, givenName, hostPort, logicalName, plainValue } from "./fields.ts";

const alternative = { alternative: true };

export const pushListenSchema = z
  .strictObject({
    address: hostPort
      .optional()
      .describe("Where to listen.")
      .meta({ examples: ["[::]:4059"] }),
    transport: z.enum(["tcp", "udp"]).default("tcp").describe("TCP or UDP."),
    serial: z
      .string()
      .startsWith("/", "a serial port is an absolute path, best one in /dev/serial/by-id")
      .optional()
      .describe("A serial port to listen on instead: the customer port of one meter (HDLC, M-Bus or P1).")
      .meta({ examples: ["/dev/serial/by-id/usb-FTDI_P1_Converter_Cable_D0-if00-port0"], ...alternative }),
    speed: z
      .int()
      .min(300)
      .max(921_600)
      .optional()
      .describe("Serial: baud, 115200 when left out, as of P1 ports; 2400 on Nordic, Austrian and Swiss M-Bus ports.")
      .meta({ examples: [2400], ...alternative }),
    parity: z
      .enum(["none", "even"])
      .optional()
      .describe("Serial: none when left out; even on most M-Bus ports.")
      .meta({ examples: ["even"], ...alternative }),
  })
  .superRefine(({ address, serial, speed, parity }, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if ((address === undefined) === (serial === undefined)) {
      refuse("needs either `address` (host:port) or `serial` (path of a serial port)");
    }
    if (serial === undefined && (speed !== undefined || parity !== undefined)) {
      refuse("`speed` and `parity` have a meaning with `serial` only");
    }
  });

/** What a meter's own pushes must be like. */
export const pushRulesSchema = z
  .strictObject({
    least: z
      .enum(["none", "authenticated", "encrypted", "authenticated-encrypted"])
      .optional()
      .describe(
        "How a push must be protected at least; what is weaker is kept, but its values are not taken. As the association's protection when left out, or without a tag where there is no authentication key.",
      )
      .meta({ examples: ["encrypted"] }),
    replay: z
      .enum(["mark", "refuse"])
      .default("mark")
      .describe("What becomes of a push whose invocation counter came before: taken with a mark, or not taken."),
  })
  .describe("What is asked of what this meter sends by itself.");

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day is hh:mm");

const dailyTimes = z
  .array(z.string().regex(/^(\*|[01]\d|2[0-3]):[0-5]\d$/, "a time is hh:mm or *:mm"))
  .min(1)
  .meta({ examples: [["*:00", "*:15", "*:30", "*:45"]] });

/** What a push setup of a group of meters is to be. */
export const pushSetupSchema = z
  .strictObject({
    name: givenName.describe("What people call the setup on the command line.").meta({ examples: ["instant-15m"] }),
    meters: z.array(z.string().min(1)).default(["*"]).describe("Names of the meters; * stands for any part of a name."),
    companion: z
      .enum(COMPANIONS)
      .optional()
      .describe("Only meters of this companion specification.")
      .meta({ examples: ["is15959"] }),
    logicalName: logicalName.describe("Of the push setup object (class 40).").meta({ examples: ["0.0.25.9.0.255"] }),
    objects: z
      .array(z.string().regex(/^\d+:[\d.]+:-?\d+$/, "an object is class:logical name:attribute"))
      .optional()
      .describe("What is sent, in order; as the meter has it when left out.")
      .meta({ examples: [["1:0.0.96.1.2.255:2", "40:0.0.25.9.0.255:1", "8:0.0.1.0.0.255:2"]] }),
    destination: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe("Where to, as the meter wants it written; as it has it when left out.")
      .meta({ examples: ["[2001:db8::1]:4059"] }),
    transport: z.enum(["tcp", "udp"]).default("tcp").describe("With `destination`: TCP or UDP."),
    window: z
      .array(
        z.strictObject({
          from: clockTime.describe("Begin.").meta({ examples: ["00:00"] }),
          to: clockTime.describe("End.").meta({ examples: ["06:00"] }),
        }),
      )
      .optional()
      .describe("When on each day it may send; as the meter has it when left out."),
    randomisation: duration.optional().describe("Most time by which a push is put off by chance."),
    retries: z
      .int()
      .min(0)
      .max(255)
      .optional()
      .describe("How often a push is repeated.")
      .meta({ examples: [3] }),
    repetitionDelay: duration.optional().describe("Time between repetitions, each time the same."),
    repetition: z
      .strictObject({
        least: duration.describe("Time before the first repetition.").meta({ examples: ["30s"] }),
        exponent: z
          .int()
          .min(0)
          .max(65_535)
          .default(100)
          .describe("By what each time is longer than the one before, in hundredths."),
        most: duration.describe("Longest time before a repetition.").meta({ examples: ["10m"] }),
      })
      .optional()
      .describe("Class version 2 and later: repetitions that come later and later.")
      .meta(alternative),
    portReference: logicalName
      .optional()
      .describe("Class version 1 and later: the communication port to send over.")
      .meta({ examples: ["0.0.25.0.0.255"] }),
    operation: z
      .enum(["unconfirmed", "link-confirmed", "confirmed"])
      .optional()
      .describe("Class version 2 and later: what is repeated: what failed, what the link or what nobody confirmed.")
      .meta({ examples: ["confirmed"] }),
    confirmation: z
      .strictObject({
        interval: duration.describe("Wait for a confirmation at least so often.").meta({ examples: ["1d"] }),
      })
      .optional()
      .describe("Class version 2 and later: from when on, and how often, a confirmation is wanted."),
    attributes: z
      .array(
        z.strictObject({
          attribute: z
            .string()
            .regex(/^\d+:[\d.]+:\d+$/, "an attribute is class:logical name:attribute")
            .describe("What to write.")
            .meta({ examples: ["41:0.0.25.0.0.255:2"] }),
          value: plainValue
            .describe(
              "Number, text, octets as 0x…, or a list of these, in the types that the meter has; {structure: […]}, {array: […]}, {enum: 2} and so on where it has nothing yet.",
            )
            .meta({ examples: [4059] }),
        }),
      )
      .optional()
      .describe(
        "What else the destination needs, written before it: ports (41), HDLC (23), networks (45), protection.",
      ),
    clientSap: z
      .int()
      .min(0)
      .max(127)
      .optional()
      .describe("Class version 1 and later: the client that pushes are for.")
      .meta({ examples: [64] }),
    schedule: z
      .strictObject({
        logicalName: logicalName.describe("Of the schedule (class 22).").meta({ examples: ["0.0.15.0.4.255"] }),
        at: dailyTimes.describe("When it starts the push; * stands for every hour."),
        script: z
          .strictObject({
            logicalName: logicalName
              .describe("Of the script table (class 9).")
              .meta({ examples: ["0.0.10.0.108.255"] }),
            selector: z
              .int()
              .min(1)
              .max(65_535)
              .describe("Number of the script.")
              .meta({ examples: [1] }),
          })
          .optional()
          .describe("The script that the schedule runs; it is made to order the push."),
      })
      .optional()
      .describe("When the push is started."),
    test: z
      .boolean()
      .default(true)
      .describe("Order a push when something was written, and put back what was when it does not arrive."),
    drift: z
      .enum(["show", "mend"])
      .default("show")
      .describe("What is done about a meter that is found to differ later."),
  })
  .describe("A push setup as it is to be on a group of meters.");

export const pushExpectationSchema = z
  .strictObject({
    meters: z.array(z.string().min(1)).default(["*"]).describe("Names of the meters; * stands for any part of a name."),
    companion: z
      .enum(COMPANIONS)
      .optional()
      .describe("Only meters of this companion specification.")
      .meta({ examples: ["is15959"] }),
    pushSetup: logicalName
      .optional()
      .describe("Logical name of the push setup (class 40); any push of the meter counts when left out.")
      .meta({ examples: ["0.0.25.9.0.255"] }),
    at: dailyTimes.describe("When it should push, on the meter's own clock; * stands for every hour."),
    tolerance: duration.optional().describe("How late a push may be; as in `silence` when left out."),
  })
  .describe("A push that should come: a meter that does not send it is told as silent, and polled.");

export const pushSilenceSchema = z
  .strictObject({
    tolerance: duration.prefault("15m").describe("How late a push may be, beside the randomisation of its setup."),
    fromMeters: z
      .boolean()
      .default(true)
      .describe("Expect what schedules say that were read of meters as well, once the setup has been heard."),
  })
  .describe("When a meter that should push and does not is told as silent.");

export const pushExecutionSchema = z
  .strictObject({
    concurrency: z.int().min(1).max(100).default(4).describe("Most meters that are written at the same time."),
    perMinute: z.int().min(1).max(6000).default(60).describe("Most meters that are begun in a minute."),
    arrival: duration.prefault("60s").describe("How long an ordered push is waited for, beside its randomisation."),
    checkEvery: duration
      .optional()
      .describe("How often all meters are compared with their setups; never when left out."),
  })
  .describe("How push setups are carried out.");
