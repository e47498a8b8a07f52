import type { Command } from "commander";
import { COMPANIONS } from "../../../protocol/cosem/companion/companion.ts";

/** How the meter is reached and entered when no daemon knows it. */
export function addDirectOptions(verb: Command): Command {
  return verb
    .option("--tcp <host:port>", "the meter at this address, without daemon or database")
    .option("--serial <path>", "the meter at this serial port, best one in /dev/serial/by-id")
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
    .option("--counters <file>", "where used invocation counters are remembered")
    .option("--companion <name>", `${COMPANIONS.slice(0, -1).join(", ")} or none`)
    .option("--model <name>", "model whose quirks the meter has")
    .option("--quirk <names...>", "what the meter does otherwise, by name; see docs/configuration.md")
    .option("--time-zone <name>", "zone of the meter's clock, as Asia/Kolkata")
    .option("--trace", "show the frames as they pass, without secrets")
    .option("--octets", "with --trace: their octets too")
    .option("--all", "with --trace: all of what is long")
    .option("--record <file>", "write the octets of the session to a file for `replay`, without secrets")
    .option("--pcapng <file>", "write the session to a file for Wireshark, without secrets");
}
