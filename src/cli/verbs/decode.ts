import type { DecodeVerbOptions } from "../commands/decode-verb.ts";
import type { DeclareVerb } from "./verb.ts";

export const declareDecode: DeclareVerb = (program, { output, finish }) => {
  program
    .command("decode")
    .description("explain octets of any layer, or a capture: HDLC, wrapper, APDU, Data; ciphered ones with keys")
    .argument("[hex...]", "octets, as they stand in a trace; blanks do not matter")
    .option("--units", "each argument is one unit; titles and keys met in one serve to decipher the next")
    .option("--layer <layer>", "hdlc, wrapper, llc, apdu or data; found out when left out")
    .option("--block-cipher-key <reference>", "env:NAME or file:PATH, hexadecimal")
    .option("--authentication-key <reference>", "env:NAME or file:PATH, hexadecimal")
    .option("--dedicated-key <reference>", "env:NAME or file:PATH, hexadecimal")
    .option("--system-title <hex...>", "who may have sent the octets, where they do not say")
    .option("--show-secrets", "show passwords and keys that the octets contain")
    .option("--pcap <file>", "a pcap or pcapng file instead: streams are followed, blocks and segments joined")
    .option("--config <file>", "with --pcap: keys of the configuration's meters, by their addresses")
    .option("--meter <name>", "with --config: all is of this meter")
    .option("--octets", "with --pcap: the octets of each frame too")
    .option("--all", "with --pcap: all of a long frame")
    .option("--json", "print JSON; with --pcap a value a line")
    .addHelpText(
      "after",
      `
Examples:
  dlms-gateway decode c001c100080000010000ff0200
  dlms-gateway decode --pcap site.pcapng --block-cipher-key file:guek --authentication-key file:gak
  dlms-gateway decode --pcap site.pcapng --config /etc/dlms-gateway/gateway.yaml`,
    )
    .action(async (texts: string[], options: DecodeVerbOptions) => {
      const { decodeVerb } = await import("../commands/decode-verb.ts");
      finish(await decodeVerb(texts, options, output));
    });
};
