#!/usr/bin/env node
/** The command line: one file per verb; a verb's code is loaded only when it is asked for. */
import { Command, CommanderError } from "commander";
import type { DecodeVerbOptions } from "./decode-verb.ts";
import { EXIT_CODES, type ExitReason } from "./exit-code.ts";
import { processOutput } from "./output.ts";
import type { ReadOptions } from "./read-command.ts";
import { VERSION } from "./version.ts";

const output = processOutput();

function finish(reason: ExitReason): void {
  process.exitCode = EXIT_CODES[reason].code;
}

const exitCodeHelp = Object.values(EXIT_CODES)
  .map(({ code, meaning }) => `  ${code}  ${meaning}`)
  .join("\n");

const program = new Command("dlms-gateway")
  .description("Reads DLMS/COSEM smart meters into TimescaleDB, and tells why a meter does not answer.")
  .version(VERSION)
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText("after", `\nExit codes:\n${exitCodeHelp}`);

program
  .command("run")
  .description("run the daemon")
  .requiredOption("-c, --config <file>", "configuration file", "/etc/dlms-gateway/gateway.yaml")
  .action(async (options: { config: string }) => {
    const { runDaemon } = await import("../main.ts");
    finish(await runDaemon(options.config));
  });

program
  .command("demo")
  .description("read a simulated street of meters into an embedded database, and show what came in")
  .option("--once", "read everything once and stop with a summary")
  .option("--meters <count>", "number of meters", "24")
  .option("--faults", "let some meters fail, to see how that is told")
  .option("--keep <directory>", "keep the database in this directory instead of a temporary one")
  .addHelpText("after", "\nExamples:\n  dlms-gateway demo\n  dlms-gateway demo --once --meters 100")
  .action(async (options: { once?: true; meters: string; faults?: true; keep?: string }) => {
    const { demo } = await import("./demo.ts");
    const { once = false, meters, faults = false, keep: directory } = options;
    const order = { once, meters, faults, directory };
    finish(await demo(order, output));
  });

program
  .command("read")
  .description("read a meter now and show what it says, or why it does not answer")
  .argument("<words...>", "METER WHAT; with --tcp, WHAT alone will do")
  .option("--json", "print JSON")
  .option("--csv", "print CSV")
  .option("--from <time>", "first time of block and daily load, as 2026-01-31T00:00:00Z")
  .option("--to <time>", "last time; now when left out")
  .option("--socket <path>", "control socket of the daemon", "/run/dlms-gateway/control.sock")
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
  .option("--companion <name>", "is15959, idis, dsmr, nordic or none")
  .option("--time-zone <name>", "zone of the meter's clock, as Asia/Kolkata")
  .option("--record <file>", "write the octets of the session to a file, without secrets")
  .addHelpText(
    "after",
    `
WHAT is instant, block, daily, billing, clock, objects, or an attribute: 1.0.1.8.0.255, 1-0:1.8.0*255:2, 3:1.0.1.8.0.255:2

Examples:
  dlms-gateway read feeder-7 clock
  dlms-gateway read feeder-7 block --from 2026-01-31T00:00:00Z --csv
  METER_PASSWORD=… dlms-gateway read --tcp 192.0.2.7:4059 --client-sap 32 --auth lls --secret env:METER_PASSWORD clock`,
  )
  .action(async (words: string[], options: ReadOptions) => {
    const { readCommand } = await import("./read-command.ts");
    finish(await readCommand(words, options, output));
  });

program
  .command("decode")
  .description("explain octets of any layer: HDLC, wrapper, APDU, Data; ciphered ones with keys")
  .argument("<hex...>", "octets, as they stand in a trace; blanks do not matter")
  .option("--units", "each argument is one unit; titles and keys met in one serve to decipher the next")
  .option("--layer <layer>", "hdlc, wrapper, llc, apdu or data; found out when left out")
  .option("--block-cipher-key <reference>", "env:NAME or file:PATH, hexadecimal")
  .option("--authentication-key <reference>", "env:NAME or file:PATH, hexadecimal")
  .option("--dedicated-key <reference>", "env:NAME or file:PATH, hexadecimal")
  .option("--system-title <hex...>", "who may have sent the octets, where they do not say")
  .option("--show-secrets", "show passwords and keys that the octets contain")
  .option("--json", "print JSON")
  .addHelpText("after", "\nExample:\n  dlms-gateway decode c001c100080000010000ff0200")
  .action(async (texts: string[], options: DecodeVerbOptions) => {
    const { decodeVerb } = await import("./decode-verb.ts");
    finish(await decodeVerb(texts, options, output));
  });

const config = program.command("config").description("check a configuration, or print a sample");
config
  .command("check")
  .description("say what is wrong with a configuration file, line by line")
  .argument("<file>", "configuration file")
  .action(async (file: string) => {
    const { configCheck } = await import("./config-command.ts");
    finish(await configCheck(file, output));
  });
config
  .command("sample")
  .description("print a configuration file with every field and its meaning")
  .action(async () => {
    const { configSample } = await import("./config-command.ts");
    finish(configSample(output));
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_CODES.usage.code;
  } else {
    output.err(`dlms-gateway: ${error instanceof Error ? error.message : String(error)}`);
    finish("failure");
  }
}
