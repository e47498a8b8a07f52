import { z } from "zod";
import { hostPort } from "./fields.ts";

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
      .default("none")
      .describe("How a push must be protected at least; what is weaker is kept, but its values are not taken."),
    replay: z
      .enum(["mark", "refuse"])
      .default("mark")
      .describe("What becomes of a push whose invocation counter came before: taken with a mark, or not taken."),
  })
  .describe("What is asked of what this meter sends by itself.");
