import type { Command } from "commander";
import { COMPANIONS } from "../../../protocol/cosem/companion/companion.ts";
import type { ReadOptions } from "../read-command.ts";
import { type DeclareVerb, SOCKET } from "./verb.ts";

export const declareRead: DeclareVerb = (program, { output, finish }) => {
  const read = program
    .command("read")
    .description("read a meter now and show what it says, or why it does not answer")
    .argument("[words...]", "METER WHAT; with --tcp, WHAT alone will do; nothing with --probe or --dump")
    .option("--probe", "find out how an unknown meter is to be read, and print what to put into the configuration")
    .option("--dump", "print all that the client may read, as a description for `simulate`")
    .option("--json", "print JSON")
    .option("--csv", "print CSV")
    .option("--from <time>", "first time of block and daily load, as 2026-01-31T00:00:00Z")
    .option("--to <time>", "last time; now when left out")
    .option("--wait <time>", "for a meter that calls in: how long to wait for its next call, as 10m")
    .option("--socket <path>", "control socket of the daemon", SOCKET);
  addDirectOptions(read)
    .option("--companion <name>", `${COMPANIONS.slice(0, -1).join(", ")} or none`)
    .option("--model <name>", "model whose quirks the meter has")
    .option("--quirk <names...>", "what the meter does otherwise, by name; see docs/configuration.md")
    .option("--time-zone <name>", "zone of the meter's clock, as Asia/Kolkata")
    .option("--trace", "show the frames as they pass, without secrets")
    .option("--octets", "with --trace: their octets too")
    .option("--all", "with --trace: all of what is long")
    .option("--record <file>", "write the octets of the session to a file for `replay`, without secrets")
    .option("--pcapng <file>", "write the session to a file for Wireshark, without secrets")
    .addHelpText(
      "after",
      `
WHAT is instant, block, daily, billing, clock, objects, or an attribute: 1.0.1.8.0.255, 1-0:1.8.0*255:2, 3:1.0.1.8.0.255:2

Examples:
  dlms-gateway read feeder-7 clock
  dlms-gateway read --probe --tcp 192.0.2.7:4059 --time-zone Asia/Kolkata > meter.yaml
  dlms-gateway read feeder-7 block --from 2026-01-31T00:00:00Z --csv
  METER_PASSWORD=… dlms-gateway read --tcp 192.0.2.7:4059 --client-sap 32 --auth lls --secret env:METER_PASSWORD clock`,
    )
    .action(async (words: string[], options: ReadOptions) => {
      if (options.probe) {
        const { probeCommand } = await import("../probe-command.ts");
        finish(await probeCommand(words, options, output));
        return;
      }
      if (options.dump) {
        const { dumpCommand } = await import("../dump-command.ts");
        finish(await dumpCommand(words, options, output));
        return;
      }
      const { readCommand } = await import("../read-command.ts");
      finish(await readCommand(words, options, output));
    });
};

/** How the meter is reached and entered when no daemon knows it. */
function addDirectOptions(read: Command): Command {
  return read
    .option("--tcp <host:port>", "read directly, without daemon or database")
    .option("--serial <path>", "read directly over a serial port, best one in /dev/serial/by-id")
    .option("--opening <how>", "serial: hdlc at once, or mode-e first")
    .option("--speed <baud>", "serial: 9600 when left out; with mode-e the highest to choose")
    .option("--echo", "serial: the adapter or optical head returns what we send")
    .option("--turnaround <duration>", "serial: silence before we talk, as 20ms")
    .option("--device-address <text>", "serial, mode-e: address in the sign-on")
    .option("--link <link>", "wrapper or hdlc")
    .option("--physical-address <number>", "HDLC: lower address of the meter")
    .option("--address-length <octets>", "HDLC: 1, 2 or 4 octets of server address")
    .option("--timeout <duration>", "how long to wait for an answer, as 10s")
    .option("--client-sap <number>", "16 public, 32 meter reader, 48 utility setting …")
    .option("--server-sap <number>", "logical device; 1 when left out")
    .option("--referencing <kind>", "ln or sn: how the meter names its objects")
    .option("--auth <mechanism>", "none, lls, hls-2 … hls-7")
    .option("--secret <reference>", "password or HLS secret: env:NAME or file:PATH")
    .option("--block-cipher-key <reference>", "ciphers the association: env:NAME or file:PATH, hexadecimal")
    .option("--signing-key <reference>", "hls-7: our private key, env:NAME or file:PATH, PEM")
    .option(
      "--server-signing-key <reference>",
      "hls-7: the meter's certificate or public key, env:NAME or file:PATH, PEM",
    )
    .option("--authentication-key <reference>", "env:NAME or file:PATH, hexadecimal")
    .option("--suite <number>", "security suite 0, 1 or 2")
    .option("--protection <kind>", "authenticated, encrypted or authenticated-encrypted")
    .option(
      "--client-title <hex>",
      "our system title; one of this installation's own when left out, so that no counter serves twice",
    )
    .option("--server-title <hex>", "the meter's system title, where its answer does not tell")
    .option("--general", "general-glo-ciphering instead of service-specific ciphering")
    .option("--counter <logical name>", "object that holds the meter's invocation counter")
    .option("--counters <file>", "where used invocation counters are remembered");
}
