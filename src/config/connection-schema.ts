/** Where a meter is, and what carries APDUs to it. */
import { z } from "zod";
import { PHYSICAL_DEVICE_FORMULAS } from "../../protocol/link/hdlc/physical-device.ts";
import { duration, hostPort, lineOfText } from "./fields.ts";
import { DEFAULT_NETWORK, networkName } from "./sharing-schema.ts";

const PLACES = ["tcp", "udp", "serial", "callsIn"] as const;
/** Openings in which a meter is asked by its device address, and those that end in a readout instead of an association. */
const SIGN_ONS: ReadonlySet<string | undefined> = new Set(["mode-e", "readout"]);
const READOUTS: ReadonlySet<string | undefined> = new Set(["readout", "listen"]);
/** Fields that mean something on a serial line only; the sample file shows them as an alternative. */
const SERIAL_ONLY = ["opening", "speed", "echo", "turnaround", "deviceAddress", "modeE"] as const;
const alternative = { alternative: true };
const LEAST_INFO_LENGTH = 32;
const LONGEST_INFO_LENGTH = 2030;
const LARGEST_WINDOW = 7;
const MOST_RETRIES = 20;

const hdlcSchema = z
  .strictObject({
    frameTimeout: duration
      .optional()
      .describe(
        "How long the answer to one frame may take before it is asked for again; `responseTimeout` when left out.",
      )
      .meta({ examples: ["5s"] }),
    retries: z
      .int()
      .min(0)
      .max(MOST_RETRIES)
      .default(3)
      .describe("How often a frame without an answer is asked for again before the link is given up."),
    recovery: z
      .enum(["poll", "resend"])
      .default("poll")
      .describe(
        "After a silence, ask by RR what has arrived, or send the frame again at once, for meters that ignore RR. The number of the frame stays, so that nothing is done twice.",
      ),
    infoLength: z
      .int()
      .min(LEAST_INFO_LENGTH)
      .max(LONGEST_INFO_LENGTH)
      .optional()
      .describe("Octets of information in a frame that we propose, 1024 when left out; less on a slow serial line.")
      .meta({ examples: [128] }),
    window: z
      .int()
      .min(1)
      .max(LARGEST_WINDOW)
      .default(1)
      .describe("Frames that may be on their way without being acknowledged; what we propose."),
    discFirst: z
      .boolean()
      .default(false)
      .describe("DISC before SNRM, for meters that keep the link of another client."),
    bareSnrm: z.boolean().default(false).describe("SNRM without parameters, for meters that don't understand them."),
    infoReserve: z
      .int()
      .min(0)
      .max(LEAST_INFO_LENGTH - 1)
      .default(0)
      .describe(
        "Octets by which our frames stay below the length agreed on: 12 for meters that count the whole frame.",
      ),
    interOctetTimeout: duration
      .optional()
      .describe("Silence within a frame after which it is given up; 2s when left out, 500ms on a serial line.")
      .meta({ examples: ["2s"] }),
    keepAlive: duration
      .optional()
      .describe("Silence after which an idle link is kept open by RR; never when left out.")
      .meta({ examples: ["60s"] }),
  })
  .describe("HDLC: habits of the meter's link.");

const modeESchema = z
  .strictObject({
    confirmation: z
      .enum(["awaited", "none"])
      .default("awaited")
      .describe("Whether the meter repeats the acknowledgement before it changes speed."),
    reactionTimeout: duration
      .optional()
      .describe("From our last octet at 300 baud to the meter's first one; 2500ms when left out.")
      .meta({ examples: ["2500ms"] }),
    interOctetTimeout: duration
      .optional()
      .describe("Silence within a message at 300 baud after which it is given up; 1500ms when left out.")
      .meta({ examples: ["1500ms"] }),
    switchDelay: duration
      .optional()
      .describe(
        "From the acknowledgement to the change of speed, and from there to the first frame; 300ms when left out.",
      )
      .meta({ examples: ["300ms"] }),
    retries: z.int().min(0).max(MOST_RETRIES).default(2).describe("Sign-ons after the first."),
    retryDelay: duration
      .optional()
      .describe("Silence before a further sign-on, in which a meter leaves what it hangs in; 3s when left out.")
      .meta({ examples: ["3s"] }),
    unannounced: z
      .boolean()
      .default(false)
      .describe("Go on with HDLC although the meter's identification does not offer it."),
  })
  .describe("Mode E: times and habits of the sign-on.");

export const connectionSchema = z
  .strictObject({
    tcp: hostPort
      .optional()
      .describe("Address of the meter or of the modem before it. Either this, `udp` or `serial`.")
      .meta({ examples: ["192.0.2.7:4059"] }),
    udp: hostPort
      .optional()
      .describe("Address of a meter that talks over UDP, instead of `tcp`.")
      .meta({ examples: ["192.0.2.7:4059"], ...alternative }),
    serial: z
      .string()
      .startsWith("/", "a serial port is an absolute path, best one in /dev/serial/by-id")
      .optional()
      .describe(
        "Path of a serial port, instead of `tcp`: an optical head, or a line that several meters share. Those in /dev/serial/by-id stay the same when an adapter is plugged in again.",
      )
      .meta({ examples: ["/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"], ...alternative }),
    callsIn: z
      .literal(true)
      .optional()
      .describe(
        "The meter has no address that lasts: it calls one of `calls.listen`, and is read on the connections that it opens.",
      )
      .meta({ examples: [true], ...alternative }),
    caller: lineOfText(64, 1)
      .optional()
      .describe(
        "With `callsIn`: what the modem says that it is, where that is not the meter's number or logical device name. Meters behind one modem have the same.",
      )
      .meta({ examples: ["867322041234567"], ...alternative }),
    line: lineOfText(64, 1)
      .optional()
      .describe(
        "Meters with the same word here are talked to one after the other. Those of one `tcp` or `udp` address are without being told, as behind a converter or concentrator that takes one connection; give each its own word where it takes more.",
      )
      .meta({ examples: ["modem-7"] }),
    opening: z
      .enum(["hdlc", "mode-e", "readout", "listen"])
      .optional()
      .describe(
        "Serial: HDLC at once (the default), or after the sign-on of IEC 62056-21 mode E at 300 baud. For meters without DLMS: `readout` has one of modes A to C read itself out, `listen` waits for one of mode D; they give `instant`, and `billing` where they tell of past periods.",
      )
      .meta({ examples: ["hdlc"], ...alternative }),
    speed: z
      .int()
      .min(300)
      .max(921_600)
      .optional()
      .describe(
        "Serial: baud, 9600 when left out; with a sign-on the highest speed to choose of those the meter offers; with `listen` the meter's, 2400 when left out.",
      )
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
      .describe("Mode E and readout: address in the sign-on, where several meters are on the line.")
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
    physicalAddressFrom: z
      .enum(PHYSICAL_DEVICE_FORMULAS)
      .optional()
      .describe("HDLC: instead of `physicalAddress`, how the maker derives it from the meter number.")
      .meta({ examples: ["last-4-digits+1000"], ...alternative }),
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
    hdlc: hdlcSchema.optional(),
    modeE: modeESchema.optional().meta(alternative),
    network: networkName
      .default(DEFAULT_NETWORK)
      .describe("Network that the meter is in: gateways say which they reach, and `limits` may hold for one."),
    pool: lineOfText(64, 1)
      .optional()
      .describe("Concentrator or modem pool that the meter is reached through: `limits` may hold for it.")
      .meta({ examples: ["dc-17"] }),
    responseTimeout: duration
      .prefault("10s")
      .describe("How long to wait for an answer; over HDLC for that to one frame, see `hdlc.frameTimeout`."),
    repeatReads: z
      .int()
      .min(0)
      .max(MOST_RETRIES)
      .optional()
      .describe(
        "How often a request that changes nothing is made anew when its answer does not come; 2 over UDP, 0 otherwise.",
      )
      .meta({ examples: [2] }),
  })
  .superRefine((connection, context) => {
    const refuse = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
    const [place, other] = PLACES.filter((each) => connection[each] !== undefined);
    if (place === undefined) {
      const message = "needs `tcp` or `udp` (host:port), `serial` (path of a serial port), or `callsIn`";
      context.addIssue({ code: "custom", message });
    }
    if (other !== undefined) refuse(other, `there is \`${place}\` already; a meter has one of them`);
    if (connection.physicalAddress !== undefined && connection.physicalAddressFrom !== undefined) {
      refuse("physicalAddressFrom", "there is `physicalAddress` already");
    }
    if (connection.udp !== undefined && connection.link === "hdlc") refuse("link", "UDP carries the wrapper");
    if (connection.caller !== undefined && place !== "callsIn") refuse("caller", "has a meaning with `callsIn` only");
    if (connection.serial === undefined) {
      for (const field of SERIAL_ONLY) {
        if (connection[field] !== undefined) refuse(field, "has a meaning with `serial` only");
      }
      return;
    }
    if (connection.link === "wrapper") refuse("link", "a serial line carries HDLC");
    if (connection.deviceAddress !== undefined && !SIGN_ONS.has(connection.opening)) {
      refuse("deviceAddress", "has a meaning with `opening: mode-e` or `opening: readout` only");
    }
    if (connection.modeE !== undefined && connection.opening !== "mode-e") {
      refuse("modeE", "has a meaning with `opening: mode-e` only");
    }
  })
  .transform(({ link, ...connection }) => ({
    ...connection,
    link: link ?? (connection.serial === undefined ? ("wrapper" as const) : ("hdlc" as const)),
  }))
  .describe("Where the meter is.");

/** How a conversation with a meter begins. */
export interface Opened {
  readonly opening?: string | undefined;
}

/** Whether the meter speaks no DLMS, but reads itself out as text. */
export function isReadOut({ opening }: Opened): boolean {
  return READOUTS.has(opening);
}
