/** Where a meter is, and what carries APDUs to it. */
import { z } from "zod";
import { duration, hostPort } from "./fields.ts";

/** Fields that mean something on a serial line only; the sample file shows them as an alternative. */
const SERIAL_ONLY = ["opening", "speed", "echo", "turnaround", "deviceAddress"] as const;
const alternative = { alternative: true };

export const connectionSchema = z
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
